"""What the doctor says of a machine."""

import json
import os
import socket
import time
from datetime import UTC, datetime, timedelta

import pytest

from lazulite.core.settings import Settings
from lazulite.doctor import machine, programs, trust
from lazulite.doctor.command import diagnose
from lazulite.doctor.finding import Status
from lazulite.executors.container_engine import find_engine
from lazulite.serving.certificates import ensure_certificates
from tests.engine_answers import answering

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def taken():
    """A port that another program listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_taken_port_is_missing_unless_it_is_this_servers(taken):
    settings = Settings(port=taken, http_port=0)
    https, http = machine.ports(settings, None)
    assert (https.status, https.is_needed, http.status) == (Status.MISSING, True, Status.OK)
    assert "is taken by another program" in https.found
    assert "--port" in https.remedy
    own = {"url": f"https://localhost:{taken}", "http_url": "http://localhost:1"}
    assert machine.ports(settings, own)[0].status is Status.OK


def test_a_host_that_is_not_this_machines_is_told():
    (https, _) = machine.ports(Settings(host="192.0.2.1", port=4443, http_port=0), None)
    assert https.status is Status.MISSING
    assert "192.0.2.1:4443" in https.found


def test_room_is_looked_for_where_the_folder_will_be(tmp_path):
    found = machine.disk(tmp_path / "not" / "yet")
    assert str(tmp_path / "not" / "yet") in found.found


def test_a_clock_behind_the_servers_files_is_missing(tmp_path):
    (tmp_path / "lock").touch()
    assert machine.clock(tmp_path).status is not Status.MISSING
    ahead = time.time() + 3600
    os.utime(tmp_path / "lock", (ahead, ahead))
    found = machine.clock(tmp_path)
    assert (found.status, found.is_needed) == (Status.MISSING, True)
    assert "behind the files" in found.found


def test_a_certificate_is_new_valid_ending_or_damaged(tmp_path):
    assert "makes one" in trust.certificate(tmp_path, NOW).found
    folder = tmp_path / "certificates"
    ensure_certificates(folder, names=(), public_authorities=b"", now=NOW)
    assert trust.certificate(tmp_path, NOW).status is Status.OK
    ending = trust.certificate(tmp_path, NOW + timedelta(days=100_000))
    assert (ending.status, "ends on" in ending.found) == (Status.WARNING, True)
    (folder / "ca.pem").write_text("no certificate")
    assert "is no certificate" in trust.certificate(tmp_path, NOW).found


def test_clients_that_do_not_know_the_authority_are_told_apart(tmp_path):
    authority, bundle = tmp_path / "ca.pem", tmp_path / "bundle.pem"
    authority.write_text("AUTHORITY\n")
    bundle.write_text("OTHERS\nAUTHORITY\n")
    server = {"ca_file": str(authority)}
    knows = dict.fromkeys(("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"), str(bundle))
    assert trust.trust(knows, server).status is Status.OK
    found = trust.trust({**knows, "SSL_CERT_FILE": "/no/such"}, server)
    assert (found.status, found.found.split()[0]) == (Status.WARNING, "SSL_CERT_FILE")
    assert trust.trust({}, None).status is Status.OK


def test_a_server_that_does_not_answer_is_missing(tmp_path):
    ensure_certificates(tmp_path, names=(), public_authorities=b"", now=NOW)
    # Nobody listens there.
    server = {"url": "https://localhost:1", "ca_file": str(tmp_path / "ca.pem")}
    found = trust.answer(server)
    assert (found.status, found.is_needed) == (Status.MISSING, True)


def test_an_engine_is_one_that_answers(tmp_path):
    path = tmp_path / "engine.sock"
    env = {"DOCKER_HOST": f"unix://{path}"}
    assert programs.containers(env).status is Status.MISSING
    assert not programs.containers(env).is_needed
    with answering(path) as answers:
        answers["GET", "/info"] = (500, {"message": "the daemon is starting"})
        assert "the daemon is starting" in programs.containers(env).found
        answers["GET", "/info"] = (200, {"SecurityOptions": []})
        assert programs.containers(env).status is Status.OK


def test_the_doctor_sees_no_other_engine_than_the_server(monkeypatch):
    elsewhere = {"DOCKER_HOST": "tcp://localhost:2375"}
    assert find_engine(elsewhere) is None
    assert programs.containers(elsewhere).status is Status.MISSING
    monkeypatch.setattr(programs, "find_engine", lambda env: env["ENGINE"])
    assert "at /found" in programs.containers({"ENGINE": "/found"}).found


def test_an_index_without_packages_is_a_warning_with_its_reason():
    found = programs.packages({"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": "/dev/null"})
    assert (found.status, found.is_needed) == (Status.WARNING, False)
    assert found.found.startswith("the package index does not answer: ")


def test_required_sandboxes_that_cannot_be_had_are_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert programs.sandboxes(Settings()).status is Status.WARNING
    found = programs.sandboxes(Settings(isolation="bubblewrap"))
    assert (found.status, found.is_needed) == (Status.MISSING, True)
    assert programs.limits().status is Status.WARNING


def test_all_of_it_is_json_and_names_every_part(tmp_path):
    env = {"PATH": os.environ["PATH"], "LAZULITE_PORT": "0", "LAZULITE_HTTP_PORT": "0"}
    env |= {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": "/dev/null"}
    found = diagnose(None, str(tmp_path), env)
    assert json.loads(json.dumps(found)) == found
    assert [each for each in found if each["is_needed"] and each["status"] == "missing"] == []
    checks = {each["check"] for each in found}
    assert checks == {
        *("server", "https port", "http port", "disk", "memory", "clock", "certificate"),
        *("ca trust", "pythons", "uv", "packages", "haproxy", "bubblewrap", "prlimit", "docker"),
        *("conda", "postgresql", "ray"),
    }
    for each in found:
        assert each["status"] == "ok" or each["remedy"], each
