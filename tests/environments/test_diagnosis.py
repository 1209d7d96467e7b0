"""What installers print, in the user's terms. The outputs are real ones, shortened."""

from __future__ import annotations

from pathlib import Path

import pytest

from lazulite.environments.definition import from_requirements
from lazulite.environments.diagnosis import (
    BUILD_FAILED,
    DISK_FULL,
    OTHER,
    UNREACHABLE,
    UNSOLVABLE,
    diagnose,
    pinned_version,
    versions_remedy,
)
from lazulite.environments.interpreters import Interpreter
from lazulite.environments.plan import plan_venv
from lazulite.environments.requirements import requirements_of

UV_NO_VERSION = """\
error: No solution found when resolving dependencies
  cause: Because there is no version of numpy==99.1 and you require numpy==99.1, we can conclude \
that your requirements are unsatisfiable."""
UV_OLD_NO_VERSION = """\
  x No solution found when resolving dependencies:
  ╰─▶ Because there is no version of numpy==99.1 and you require
      numpy==99.1, we can conclude that your requirements are unsatisfiable."""
UV_WHEELS = """\
error: No solution found when resolving dependencies
  cause: Because torch<=1.0.1 has no wheels with a matching Python ABI tag (e.g., `cp38`) and only \
the following versions of torch are available:
             torch<=1.0.1
             torch>1.1.dev0
         we can conclude that torch<1.1.dev0 cannot be used.
         And because you require torch<1.1.dev0, we can conclude that your requirements are \
unsatisfiable.

hint: You require CPython 3.8 (`cp38`), but we only found wheels for `torch` (v1.0.1) with the \
following Python ABI tags: `cp27m`, `cp27mu`, `cp35m`, `cp36m`, `cp37m`"""
UV_CONFLICT = """\
error: No solution found when resolving dependencies
  cause: Because pandas==2.0.0 depends on numpy>=1.20.3 and you require pandas==2.0.0, we can \
conclude that you require numpy>=1.20.3.
         And because you require numpy==1.19.0, we can conclude that your requirements are \
unsatisfiable."""
UV_BUILD = """\
error: Failed to download and build `pandas==1.0.0`
  cause: Failed to install requirements from `build-system.requires`
  cause: Failed to build `numpy==1.14.5`
  cause: Call to `setuptools.build_meta:__legacy__.build_wheel` failed (exit status: 1)

         [stderr]
         Traceback (most recent call last):
         ModuleNotFoundError: No module named 'distutils.msvccompiler'"""
UV_NETWORK = """\
error: Request failed after 3 retries in 5.6s
  cause: Failed to fetch: https://mirror.example/simple/numpy/
  cause: error sending request for url (https://mirror.example/simple/numpy/)
  cause: tcp connect error
  cause: Connection refused (os error 111)"""
PIP_18 = """\
Collecting numpy==99.1 (from -r r.txt (line 2))
  Could not find a version that satisfies the requirement numpy==99.1 (from -r r.txt (line 2)) \
(from versions: 1.18.5, 1.19.0, 1.19.5)
No matching distribution found for numpy==99.1 (from -r r.txt (line 2))"""
PIP_24 = """\
ERROR: Could not find a version that satisfies the requirement numpy==1.19.1 \
(from versions: 1.18.5, 1.19.0, 1.19.5, 1.21.6, 1.22.0rc1)
ERROR: No matching distribution found for numpy==1.19.1"""
PIP_NOTHING = """\
ERROR: Could not find a version that satisfies the requirement torch (from versions: none)
ERROR: No matching distribution found for torch"""
PIP_CONFLICT = """\
ERROR: Cannot install -r r.txt (line 1) and numpy==1.11.0 because these package versions have \
conflicting dependencies.

The conflict is caused by:
    The user requested numpy==1.11.0
    pandas 1.0.0 depends on numpy>=1.13.3

To fix this you could try to:
1. loosen the range of package versions you've specified"""
PIP_BUILD = """\
  ERROR: Failed building wheel for torch
    fatal error: Python.h: No such file or directory
    src/x.c:1:10: error: unknown type name 'PyObject'
ERROR: Could not build wheels for torch"""
PIP_METADATA = """\
  error: subprocess-exited-with-error
  │ exit code: 1
        File "/tmp/pip-install-7h2dz0o0/torch_73ecc057178d4cf291e6dfba658b2878/setup.py", line 1
          raise ValueError('unknown type name')
      ValueError: unknown type name
error: metadata-generation-failed"""
DISK = "error: failed to write: No space left on device (os error 28)"


def plan(*lines: str, version: tuple[int, int, int] = (3, 8, 18)):
    requirements = requirements_of(from_requirements("\n".join(lines)))
    return plan_venv(requirements, Interpreter(Path("/p"), version), "linux")


@pytest.mark.parametrize("output", [UV_NO_VERSION, UV_OLD_NO_VERSION])
def test_a_version_that_does_not_exist(output):
    found = diagnose(output.splitlines(), plan("six", "numpy==99.1"))

    assert found.code == UNSOLVABLE
    assert found.reason == "there is no version of numpy==99.1"
    assert found.culprits == ("numpy==99.1",)


def test_wheels_for_other_pythons_are_named():
    found = diagnose(UV_WHEELS.splitlines(), plan("torch==1.0.*"))

    assert found.culprits == ("torch==1.0.*",)
    assert found.remedy == "There are wheels for Python 3.6, 3.7."
    assert "no wheels with a matching Python ABI tag" in found.reason


@pytest.mark.parametrize(
    ("output", "lines"),
    [
        (UV_CONFLICT, ("pandas==2.0.0", "numpy==1.19.0")),
        (PIP_CONFLICT, ("pandas==1.0.0", "numpy==1.11.0")),
    ],
)
def test_both_lines_of_a_conflict_are_to_blame(output, lines):
    found = diagnose(output.splitlines(), plan("six", *lines))

    assert (found.code, found.culprits) == (UNSOLVABLE, lines)
    assert "depends on numpy>=" in found.reason


def test_a_package_that_does_not_build_is_blamed_and_not_what_it_needs():
    found = diagnose(UV_BUILD.splitlines(), plan("numpy", "pandas==1.0.0"))

    assert (found.code, found.culprits) == (BUILD_FAILED, ("pandas==1.0.0",))
    assert "No module named 'distutils.msvccompiler'" in found.reason


@pytest.mark.parametrize("output", [PIP_BUILD, PIP_METADATA])
def test_a_package_that_pip_does_not_build(output):
    found = diagnose(output.splitlines(), plan("six", "torch"))

    assert (found.code, found.culprits) == (BUILD_FAILED, ("torch",))
    assert "unknown type name" in found.reason


def test_pip_lists_versions_of_which_the_newest_is_named():
    found = diagnose(PIP_18.splitlines(), plan("six", "numpy==99.1", version=(3, 6, 15)))

    assert found.reason == "no version for Python 3.6 meets numpy==99.1"
    assert found.culprits == ("numpy==99.1",)
    assert found.remedy == "The newest numpy that fits Python 3.6 is 1.19.5."


def test_of_the_versions_that_pip_lists_the_next_one_is_named_too():
    found = diagnose(PIP_24.splitlines(), plan("numpy==1.19.1", version=(3, 7, 16)))

    assert "next numpy that has a wheel is 1.19.5" in found.remedy
    assert "newest is 1.21.6" in found.remedy


def test_a_name_that_no_index_has():
    found = diagnose(PIP_NOTHING.splitlines(), plan("torch", version=(3, 6, 15)))

    assert found.remedy.startswith(
        "The server's indexes have no torch for Python 3.6: check the name."
    )


def test_an_index_that_cannot_be_reached_is_nobodys_line():
    found = diagnose(UV_NETWORK.splitlines(), plan("numpy"))

    assert (found.code, found.culprits) == (UNREACHABLE, ())
    assert "(mirror.example)" in found.reason


def test_a_full_disk_is_called_that():
    assert diagnose(DISK.splitlines(), plan("numpy")).code == DISK_FULL


@pytest.mark.parametrize("output", ["", "something new\nerror: strange numpy\n"])
def test_what_is_not_understood_is_reported_in_the_installers_words(output):
    found = diagnose(output.splitlines(), plan("numpy"))

    assert found.code == OTHER
    assert found.reason == ("error: strange numpy" if output else "the installer gave no reason")


def test_the_last_lines_are_kept():
    lines = [f"line {number}" for number in range(100)]

    assert diagnose(lines, plan("numpy")).tail[-1] == "line 99"


@pytest.mark.parametrize(
    ("text", "version"),
    [("a==1.2", "1.2"), ("a==1.2.*", "1.2"), ("a>=1,==1.5", "1.5"), ("a>=1", None), ("a", None)],
)
def test_a_pin_is_told_from_a_range(text, version):
    assert pinned_version(text) == version


def test_without_a_next_version_the_newest_is_named():
    package = plan("numpy==1.2").packages[0]

    assert versions_remedy(package, None, "2.0", "3.8.1").endswith("Python 3.8 is 2.0.")
