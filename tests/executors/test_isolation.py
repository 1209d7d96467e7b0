"""Which sandbox a server chooses, and what it refuses."""

from pathlib import Path

import pytest

from lazulite.core.settings import SettingError, Settings
from lazulite.executors import bubblewrap, isolation, limits
from lazulite.executors.launch import Mount
from tests.executors.sandboxes import needs_bubblewrap


@pytest.fixture
def without_bubblewrap(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def broken_bubblewrap(monkeypatch, tmp_path):
    program = tmp_path / "bwrap"
    refusal = "bwrap: No permissions to create new namespace"
    program.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && echo bwrap 0.8.0 && exit\n'
        f'echo "{refusal}" >&2; exit 1\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


def chosen(**fields):
    return isolation.isolation(Settings(**fields), (Path("/srv/lazulite"),))


@needs_bubblewrap
def test_sandboxes_are_used_where_they_work():
    found = chosen(isolation_network="none", isolation_tmp_mib=5)
    assert (found.level, found.is_on, found.sandbox.network) == ("bubblewrap", True, False)
    assert found.sandbox.details[bubblewrap.HIDDEN] == "/srv/lazulite"
    assert found.sandbox.details[bubblewrap.TMP_MIB] == "5"


@needs_bubblewrap
def test_more_can_be_shown_if_it_is_there(tmp_path):
    found = chosen(isolation_show=f"{tmp_path}, {tmp_path.parent}:rw")
    assert found.sandbox.mounts == (
        Mount(path=str(tmp_path)),
        Mount(path=str(tmp_path.parent), writable=True),
    )
    with pytest.raises(SettingError, match="names '/no/such', which is not there"):
        chosen(isolation_show="/no/such")


def test_without_bubblewrap_there_are_limits_alone_and_a_reason(without_bubblewrap):
    found = chosen(isolation_memory_mib=9)
    assert (found.level, found.is_on) == ("none", False)
    assert "install the package `bubblewrap`" in found.reason
    assert found.sandbox.details[limits.MEMORY_MIB] == "9"


def test_what_bubblewrap_says_is_the_reason(broken_bubblewrap):
    assert "No permissions to create new namespace" in chosen().reason


def test_what_is_required_and_missing_refuses_the_start(without_bubblewrap):
    with pytest.raises(SettingError, match=r"ISOLATION=bubblewrap cannot be had: .*instal"):
        chosen(isolation="bubblewrap")
    with pytest.raises(SettingError, match="LAZULITE_ISOLATION_NETWORK=none cannot be had"):
        chosen(isolation_network="none")


def test_a_network_cannot_be_closed_without_a_sandbox():
    assert chosen(isolation="none").reason == "LAZULITE_ISOLATION is none"
    with pytest.raises(SettingError, match="LAZULITE_ISOLATION is none"):
        chosen(isolation="none", isolation_network="none")


@pytest.mark.parametrize("name", ["isolation", "isolation_network"])
def test_a_word_that_is_no_choice_is_refused_with_those_there_are(name):
    with pytest.raises(SettingError, match=rf"LAZULITE_{name.upper()} is 'docker': .* none"):
        chosen(**{name: "docker"})
