# Each target does all its own set-up: a venv, the locked dependencies, the package.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/uv pip install -q --python $(BIN)/python
AZURITE := 3.35.0
PYTEST := $(BIN)/python -m pytest
# Three for two cores: many tests wait for processes.
SPREAD := -n 3 --dist loadfile
COMPILE := $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-annotate --no-header

# Thousands of Pythons start here: none shall compile again what another one has compiled.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo test nightly quick lint types bench lock clean

setup: $(VENV)/.ready

demo: $(VENV)/.ready
	$(BIN)/lazulite demo

test: lint types $(VENV)/.ready-science $(VENV)/.ready-storage $(VENV)/.ready-objects \
  $(VENV)/.ready-ml-clients
	$(PYTEST) $(SPREAD)

nightly: $(VENV)/.ready-science $(VENV)/.ready-az $(VENV)/.ready-ml-clients-oldest
	$(PYTEST) -m nightly

lint: $(VENV)/.ready-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/.ready-test
	$(BIN)/mypy

quick: $(VENV)/.ready-science
	$(PYTEST) $(SPREAD) -m "not slow and not crash and not nightly"

bench: $(VENV)/.ready-test $(VENV)/.ready-ml-clients
	for each in online online_tail latency batch blob_throughput front_door control_plane environments \
	  clients; do \
	  $(BIN)/python -m bench.$$each || exit 1; done

lock: $(VENV)/.uv
	$(COMPILE) --extra build pyproject.toml -o requirements/core.txt
	$(COMPILE) --extra build --extra test pyproject.toml -o requirements/test.txt
	$(COMPILE) requirements/science.in -o requirements/science.txt
	$(COMPILE) requirements/az.in -o requirements/az.txt
	$(COMPILE) requirements/storage-clients.in -o requirements/storage-clients.txt
	$(COMPILE) requirements/object-stores.in -o requirements/object-stores.txt
	$(COMPILE) requirements/ml-clients.in -o requirements/ml-clients.txt
	$(COMPILE) requirements/ml-clients-oldest.in -o requirements/ml-clients-oldest.txt

$(VENV)/.uv:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Lazulite needs Python 3.11 or later: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check uv
	touch $@

$(VENV)/.ready: $(VENV)/.uv requirements/core.txt pyproject.toml
	$(INSTALL) --require-hashes -r requirements/core.txt
	$(INSTALL) --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.ready-test: $(VENV)/.ready requirements/test.txt
	$(INSTALL) --require-hashes -r requirements/test.txt
	touch $@

$(VENV)/.ready-science: $(VENV)/.ready-test requirements/science.txt
	$(BIN)/uv venv -q --allow-existing --python $(BIN)/python $(VENV)/science
	$(BIN)/uv pip install -q --python $(VENV)/science/bin/python --require-hashes -r requirements/science.txt
	touch $@

$(VENV)/.ready-az: $(VENV)/.ready-test requirements/az.txt
	$(BIN)/uv venv -q --allow-existing --python $(BIN)/python $(VENV)/az
	$(BIN)/uv pip install -q --python $(VENV)/az/bin/python --require-hashes -r requirements/az.txt
	touch $@

# Azurite is an npm package: without npm its tests are skipped, and say so.
$(VENV)/.ready-storage: $(VENV)/.ready-test requirements/storage-clients.txt
	$(BIN)/uv venv -q --allow-existing --python $(BIN)/python $(VENV)/storage-clients
	$(BIN)/uv pip install -q --python $(VENV)/storage-clients/bin/python --require-hashes -r requirements/storage-clients.txt
	npm install --silent --no-audit --no-fund --prefix $(VENV)/storage-clients azurite@$(AZURITE) \
	  || echo "NO AZURITE: npm cannot install it, and its tests will be skipped" >&2
	touch $@

$(VENV)/.ready-objects: $(VENV)/.ready-test requirements/object-stores.txt
	$(BIN)/uv venv -q --allow-existing --python $(BIN)/python $(VENV)/object-stores
	$(BIN)/uv pip install -q --python $(VENV)/object-stores/bin/python --require-hashes -r requirements/object-stores.txt
	touch $@

$(VENV)/.ready-ml-clients $(VENV)/.ready-ml-clients-oldest: $(VENV)/.ready-%: $(VENV)/.ready-test requirements/%.txt
	$(BIN)/uv venv -q --allow-existing --python $(BIN)/python $(VENV)/$*
	$(BIN)/uv pip install -q --python $(VENV)/$*/bin/python --require-hashes -r requirements/$*.txt
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
