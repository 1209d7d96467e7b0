"""How a machine is told to trust a server's authority: by its own programs, which are doubles."""

import datetime
import json
import ssl

import pytest

from lazulite.cli import trust_store
from lazulite.cli.client_commands import ClientArguments
from lazulite.cli.errors import CommandError
from lazulite.cli.report import Report
from lazulite.cli.trust_store import export, install, installation_of
from lazulite.serving.certificates import ensure_certificates

DEBIAN = 'PRETTY_NAME="Ubuntu 24.04"\nID=ubuntu\nID_LIKE=debian\n'


@pytest.fixture
def data_dir(tmp_path):
    now = datetime.datetime.now(datetime.UTC)
    folder = tmp_path / "data" / "certificates"
    ensure_certificates(folder, names=(), public_authorities=b"", now=now)
    return folder.parent


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A Debian whose root we are; its programs note what they are told."""
    (tmp_path / "release").write_text(DEBIAN)
    (tmp_path / "bin").mkdir()
    for name in ("install", "update-ca-certificates"):
        program = tmp_path / "bin" / name
        program.write_text(f'#!/bin/sh\necho {name} "$@" >>{tmp_path}/ran\n')
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(trust_store, "RELEASE", tmp_path / "release")
    monkeypatch.setattr(trust_store.sys, "platform", "linux")
    monkeypatch.setattr(trust_store.os, "geteuid", lambda: 0)
    return tmp_path


def run(command, data_dir, **given):
    command(ClientArguments(data_dir=str(data_dir), **given), {}, Report())


def ran(machine):
    found = machine / "ran"
    return found.read_text().splitlines() if found.exists() else []


@pytest.mark.parametrize("form", ["pem", "der"])
def test_the_certificate_is_written_in_both_forms(data_dir, tmp_path, form):
    pem = (data_dir / "certificates" / "ca.pem").read_text()
    for _ in range(2):
        run(export, data_dir, file=str(tmp_path / "out"), form=form)
    written = (tmp_path / "out").read_bytes()
    assert written == (pem.encode() if form == "pem" else ssl.PEM_cert_to_DER_cert(pem))


def test_the_certificate_is_printed_without_a_file(data_dir, capfd):
    run(export, data_dir)
    assert capfd.readouterr().out == (data_dir / "certificates" / "ca.pem").read_text()


def test_what_cannot_be_exported_is_said(data_dir, tmp_path):
    for given, reason in (({"form": "p7"}, "'p7'"), ({"file": f"{tmp_path}/no/x"}, "No such file")):
        with pytest.raises(CommandError, match=reason):
            run(export, data_dir, **given)
    with pytest.raises(CommandError, match="lazulite up"):
        run(export, tmp_path / "nowhere")


def test_the_commands_are_shown_and_then_run(data_dir, machine, capfd):
    run(install, data_dir, is_agreed=True)
    copied, updated = ran(machine)
    assert copied.startswith(f"install -m 0644 {data_dir}/certificates/ca.pem /usr/local/share/")
    assert updated == "update-ca-certificates"
    said = capfd.readouterr().err
    assert f"  {copied}\n  {updated}\n" in said
    assert "To undo: sudo rm" in said


def test_nothing_is_run_unasked(data_dir, machine, monkeypatch):
    with pytest.raises(CommandError, match="--yes"):
        run(install, data_dir)
    monkeypatch.setattr(trust_store, "prompt_y_n", lambda *_, **__: False)
    with pytest.raises(CommandError, match="Nothing is changed"):
        run(install, data_dir)
    assert ran(machine) == []


def test_the_risk_is_told_and_taken_knowingly_where_code_is_not_isolated(data_dir, machine, capfd):
    state = {"isolation": {"level": "none", "reason": "no bwrap"}}
    (data_dir / "server.json").write_text(json.dumps(state))
    with pytest.raises(CommandError, match=r"without isolation.*--yes"):
        run(install, data_dir)
    assert "for ANY host" in capfd.readouterr().err
    assert ran(machine) == []
    run(install, data_dir, is_agreed=True)
    assert len(ran(machine)) == 2


def test_without_rights_the_commands_are_named(data_dir, machine, monkeypatch):
    monkeypatch.setattr(trust_store.os, "geteuid", lambda: 1000)
    with pytest.raises(CommandError, match=r"sudo install -m 0644 .*\n *sudo update-ca-cert"):
        run(install, data_dir, is_agreed=True)
    assert ran(machine) == []


def test_a_failure_of_the_system_is_told(data_dir, machine):
    (machine / "bin" / "update-ca-certificates").write_text("#!/bin/sh\nexit 3\n")
    with pytest.raises(CommandError, match="`update-ca-certificates` failed"):
        run(install, data_dir, is_agreed=True)


def test_what_failed_half_way_is_not_taken_for_trust(data_dir, machine, monkeypatch, capfd):
    """The copy is there when the update fails; the next call does all of it, and then succeeds."""
    certificate, place = data_dir / "certificates" / "ca.pem", machine / "trusted.crt"
    commands = (("cp", str(certificate), str(place)), ("update-ca-certificates",))
    there = trust_store.Installation(commands, "undo", place)
    monkeypatch.setattr(trust_store, "installation_of", lambda *_: there)
    monkeypatch.setenv("PATH", f"{machine}/bin:/bin:/usr/bin")
    update = machine / "bin" / "update-ca-certificates"
    works = update.read_text()
    update.write_text("#!/bin/sh\nexit 3\n")
    with pytest.raises(CommandError, match="`update-ca-certificates` failed"):
        run(install, data_dir, is_agreed=True)
    assert not place.exists()
    update.write_text(works)
    run(install, data_dir, is_agreed=True)
    assert ran(machine) == ["update-ca-certificates"]
    assert place.read_bytes() == certificate.read_bytes()
    assert "already" not in capfd.readouterr().err
    run(install, data_dir, is_agreed=True)
    assert "already" in capfd.readouterr().err


def test_what_is_trusted_already_stays(data_dir, machine, capfd, monkeypatch):
    certificate = data_dir / "certificates" / "ca.pem"
    there = trust_store.Installation((("install",),), "undo", certificate)
    monkeypatch.setattr(trust_store, "installation_of", lambda *_: there)
    run(install, data_dir, is_agreed=True)
    assert "already" in capfd.readouterr().err
    assert ran(machine) == []


@pytest.mark.parametrize(
    ("platform", "release", "last"),
    [
        ("linux", {"ID": "debian"}, ("update-ca-certificates",)),
        ("linux", {"ID": "fedora"}, ("update-ca-trust", "extract")),
        ("linux", {"ID": "rocky", "ID_LIKE": "rhel centos fedora"}, ("update-ca-trust", "extract")),
    ],
)
def test_systems_are_told_in_their_own_way(data_dir, platform, release, last):
    found = installation_of(data_dir / "certificates" / "ca.pem", platform, release)
    assert found.commands[-1] == last
    assert found.commands[0][-1] == str(found.place)


def test_a_mac_has_a_keychain_and_other_systems_are_refused_by_name(data_dir):
    certificate = data_dir / "certificates" / "ca.pem"
    (command,) = installation_of(certificate, "darwin", {}).commands
    assert command[:2] == ("security", "add-trusted-cert")
    with pytest.raises(CommandError, match="Plan 9"):
        installation_of(certificate, "linux", {"ID": "plan9", "PRETTY_NAME": "Plan 9"})
