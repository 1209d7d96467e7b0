"""Builds whose packages run code: what it can reach, and what it leaves."""

import json
import zipfile

import pytest

from lazulite.environments.build_sandbox import cache_of
from lazulite.executors import bubblewrap
from lazulite.executors.launch import Sandbox
from tests.environments.conftest import PYPROJECT, TAGS
from tests.environments.test_build import Bench
from tests.executors.sandboxes import needs_bubblewrap

pytestmark = needs_bubblewrap

METADATA = "Metadata-Version: 2.1\nName: probe\nVersion: 1.0\n"
BACKEND = """
import json, os, zipfile

def tries(path, mode):
    try:
        return open(path, mode) and "allowed"
    except OSError as error:
        return type(error).__name__

def build_wheel(folder, config_settings=None, metadata_directory=None):
    found = {{"read": tries({secret!r}, "r"), "write": tries({outside!r}, "w"),
              "processes": len([name for name in os.listdir("/proc") if name.isdigit()])}}
    wheel = "probe-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, wheel), "w") as file:
        file.writestr("probe.py", "FOUND = " + repr(json.dumps(found)))
        file.writestr("probe-1.0.dist-info/METADATA", {metadata!r})
        file.writestr("probe-1.0.dist-info/WHEEL", {tags!r})
        file.writestr("probe-1.0.dist-info/RECORD", "")
    return wheel
"""


@pytest.fixture
def build(tmp_path, offline, interpreters):
    """build(lines): a bench of the lines, built in a sandbox; its result."""

    def make(lines):
        hidden = {bubblewrap.HIDDEN: str(tmp_path / "server"), bubblewrap.TMP_MIB: "64"}
        bench = Bench(tmp_path, offline, interpreters.find(None), lines)
        spec = json.loads(bench.spec.read_text())
        spec["sandbox"] = Sandbox(kind=bubblewrap.KIND, details=hidden).to_json()
        bench.spec.write_text(json.dumps(spec))
        assert bench.build() == 0, bench.log()
        return bench

    return make


def test_wheels_are_unpacked_as_without_a_sandbox(build, wheel):
    wheel("tiny", "1.0")
    bench = build("tiny==1.0")
    assert bench.run("import tiny; print(tiny.VERSION)") == "1.0"
    assert "in a sandbox" not in bench.log()
    (installed,) = bench.places.prefix.glob("lib/python*/site-packages/tiny.py")
    assert installed.stat().st_nlink > 1, "it is no link into the cache"


def test_a_build_script_reaches_nothing_of_the_server_and_writes_nothing_outside(
    build, source_package, tmp_path
):
    (tmp_path / "server").mkdir()
    secret, outside = tmp_path / "server/secret", tmp_path / "outside"
    secret.write_text("s3cret")
    backend = BACKEND.format(secret=str(secret), outside=str(outside), tags=TAGS, metadata=METADATA)
    source_package("probe", "1.0", {"pyproject.toml": PYPROJECT, "backend.py": backend})
    bench = build("probe")
    found = json.loads(bench.run("import probe; print(probe.FOUND)"))
    assert found["read"] == "FileNotFoundError"
    assert found["processes"] < 8
    assert not outside.exists()
    assert "trying again in a sandbox" in bench.log()
    assert not cache_of(bench.places.prefix).exists()


def test_code_that_a_package_starts_with_python_is_confined_while_it_is_compiled(
    build, tmp_path, offline
):
    (tmp_path / "server").mkdir()
    info = "hook-1.0.dist-info"
    canary = tmp_path / "canary"
    with zipfile.ZipFile(tmp_path / "wheels/hook-1.0-py3-none-any.whl", "w") as file:
        file.writestr("hook.pth", f"import os; open({str(canary)!r}, 'w')\n")
        file.writestr("hook.py", "")
        file.writestr(f"{info}/METADATA", METADATA.replace("probe", "hook"))
        file.writestr(f"{info}/WHEEL", TAGS)
        file.writestr(
            f"{info}/RECORD", f"hook.pth,,\nhook.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n"
        )
    bench = build("hook")
    assert not canary.exists()
    assert list(bench.places.prefix.glob("lib/python*/site-packages/__pycache__/hook.*")), (
        bench.log()
    )
