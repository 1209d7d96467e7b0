"""Which Python is chosen, on machines made of folders."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lazulite.core.errors import SpecError
from lazulite.environments.conda_spec import parse_conda_spec, python_range
from lazulite.environments.interpreters import Interpreters, Search, probe_interpreter
from lazulite.environments.written import Written


def fake_python(path: Path, version: str, implementation: str = "CPython") -> Path:
    """A program that answers the probe as a Python of that version, and counts its starts."""
    answer = {
        "version": [int(part) for part in version.split(".")],
        "implementation": implementation,
        "bundled": [],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho x >> {path}.starts\necho '{json.dumps(answer)}'\n")
    path.chmod(0o755)
    return path


def starts(path: Path) -> int:
    counter = Path(f"{path}.starts")
    return len(counter.read_text().splitlines()) if counter.exists() else 0


def asked(text: str):
    return python_range(parse_conda_spec(Written(text)))


@pytest.fixture
def machine(tmp_path):
    """3.6.15, 3.7.16 and 3.13.0 in pyenv, 3.9.2 on PATH, 3.12.1 of uv; the server runs 3.11.7."""
    for version in ("3.6.15", "3.7.16", "3.13.0"):
        minor = version.rpartition(".")[0]
        fake_python(tmp_path / f"pyenv/{version}/bin/python{minor}", version)
    fake_python(tmp_path / "uv/cpython-3.12.1-linux-x86_64-gnu/bin/python3.12", "3.12.1")
    fake_python(tmp_path / "usr/python3.9", "3.9.2")
    fake_python(tmp_path / "shims/python3.8", "3.8.0")
    return Search(
        running=fake_python(tmp_path / "server/python", "3.11.7"),
        path=(tmp_path / "shims", tmp_path / "usr"),
        roots=(tmp_path / "pyenv", tmp_path / "uv"),
    )


@pytest.mark.parametrize(
    ("wish", "version"),
    [
        ("python=3.6.2", "3.6.15"),
        ("python=3.7", "3.7.16"),
        ("python=3.9", "3.9.2"),
        ("python=3.12.*", "3.12.1"),
        ("python>=3.8", "3.11.7"),
        ("python>=3.8,<3.11", "3.9.2"),
        ("python>=3.12", "3.13.0"),
        ("python", "3.11.7"),
    ],
)
def test_the_servers_own_version_is_taken_before_the_newest(machine, wish, version):
    assert Interpreters(machine).find(asked(wish)).number == version


def test_without_a_wish_the_servers_own_python_is_taken(machine):
    assert Interpreters(machine).find(None).path == machine.running


def test_an_exact_patch_version_is_taken_before_a_later_one(machine, tmp_path):
    exact = fake_python(tmp_path / "pyenv/3.7.3/bin/python3.7", "3.7.3")

    assert Interpreters(machine).find(asked("python=3.7.3")).path == exact


def test_a_python_that_does_not_start_is_passed_over(machine, tmp_path):
    broken = fake_python(tmp_path / "pyenv/3.9.18/bin/python3.9", "3.9.18")
    broken.write_text("#!/bin/sh\nexit 127\n")

    assert Interpreters(machine).find(asked("python=3.9")).number == "3.9.2"


def test_a_missing_python_is_an_error_that_lists_what_is_here(machine):
    with pytest.raises(SpecError) as missing:
        Interpreters(machine).find(asked("python=3.8"))

    assert missing.value.code == "PythonNotFound"
    assert "3.6.15, 3.7.16, 3.9.2, 3.11.7, 3.12.1, 3.13.0" in missing.value.message
    assert "`uv python install 3.8`" in missing.value.message
    assert "condaFile line 1, column 1" in missing.value.message


@pytest.mark.parametrize(
    ("wish", "remedy"),
    [("python=3.5", "3.6 is the oldest"), ("python=2.7", "3.6 is the oldest")],
)
def test_pythons_before_3_6_are_not_to_be_had(machine, wish, remedy):
    with pytest.raises(SpecError, match=remedy):
        Interpreters(machine).find(asked(wish))


def test_pyenv_is_named_for_versions_that_uv_does_not_carry(machine, tmp_path):
    (tmp_path / "pyenv/3.7.16/bin/python3.7").unlink()

    with pytest.raises(SpecError, match=r"pyenv install 3\.7"):
        Interpreters(machine).find(asked("python=3.7.1"))


def test_an_interpreter_is_started_once_and_others_not_at_all(machine, tmp_path):
    interpreters = Interpreters(machine)

    interpreters.find(asked("python=3.7"))
    interpreters.find(asked("python=3.7"))

    assert starts(tmp_path / "pyenv/3.7.16/bin/python3.7") == 1
    assert starts(tmp_path / "pyenv/3.6.15/bin/python3.6") == 0


def test_an_interpreter_that_was_replaced_is_asked_again(machine, tmp_path):
    path = tmp_path / "usr/python3.9"
    interpreters = Interpreters(machine)
    interpreters.find(asked("python=3.9"))

    fake_python(path, "3.9.18")

    assert interpreters.find(asked("python=3.9")).number == "3.9.18"


@pytest.mark.parametrize(("version", "kind"), [("3.9.1", "PyPy"), ("3.5.2", "CPython")])
def test_only_cpython_from_3_6_on_counts(tmp_path, version, kind):
    assert probe_interpreter(fake_python(tmp_path / "python", version, kind)) is None


def test_the_usual_places_come_from_the_environment():
    search = Search.of(
        {"HOME": "/home/me", "PATH": "/a:/b", "PYENV_ROOT": "/py"}, Path("/p"), Path("/own")
    )

    assert search.path[:2] == (Path("/a"), Path("/b"))
    assert search.roots == (
        Path("/py/versions"),
        Path("/home/me/.local/share/uv/python"),
        Path("/own"),
    )


def test_the_real_python_tells_its_version_and_its_wheels(interpreters):
    found = interpreters.find(None)

    assert found.version >= (3, 11)
    assert found.bundled is None or any(found.bundled.glob("pip-*.whl"))
