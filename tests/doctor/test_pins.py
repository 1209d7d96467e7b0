"""Resolving the packages of an environment against a folder of packages."""

import pytest

from lazulite.doctor.pins import UnresolvedError, resolve
from lazulite.environments.definition import from_requirements
from lazulite.environments.plan import plan_venv
from lazulite.environments.requirements import requirements_of
from tests.environments.conftest import (  # noqa: F401 - fixtures
    PYPROJECT,
    interpreters,
    offline,
    source_package,
    wheel,
)


@pytest.fixture
def resolved(interpreters, offline):  # noqa: F811
    """resolved(lines): why they cannot be had together."""

    def ask(lines):
        asked = requirements_of(from_requirements(lines))
        return resolve(plan_venv(asked, interpreters.find(None), "linux"), offline)

    return ask


def test_packages_that_fit_are_well(resolved, wheel):  # noqa: F811
    wheel("tiny", "1.0")
    wheel("user", "2.0", ("tiny>=1",))
    assert resolved("user\ntiny==1.0\n") is None
    assert resolved("") is None


def test_lines_that_exclude_each_other_are_named(resolved, wheel):  # noqa: F811
    wheel("tiny", "1.0")
    wheel("user", "2.0", ("tiny>=2",))
    failure = resolved("user==2.0\ntiny==1.0\n")
    assert set(failure.culprits) == {"user==2.0", "tiny==1.0"}


def test_what_would_be_built_is_told_and_not_built(resolved, source_package, tmp_path):  # noqa: F811
    backend = f"open({str(tmp_path / 'canary')!r}, 'w')\n"
    source_package("legacy", "1.0", {"pyproject.toml": PYPROJECT, "backend.py": backend})
    with pytest.raises(UnresolvedError, match="legacy would be built from source"):
        resolved("legacy\n")
    assert not (tmp_path / "canary").exists()
