"""What is asked of an engine for an image with its own server, by recorded answers of one.

The engine of the tests in tests/containers has no bridge network; that of most machines has.
"""

import socket

import pytest

from lazulite.executors.container import OWNER, Image
from lazulite.executors.container_engine import Engine
from lazulite.serving.own_container import OwnContainerError, Replica, _refuse_taken, configuration
from lazulite.serving.own_server import OwnServer, Probe, Route
from tests.engine_answers import answering

SERVER = OwnServer(
    sandbox=Image(engine="", image="sha256:1", owner="/data").sandbox().showing("/model"),
    scoring=Route(path="/score", port=5001),
    readiness=Route(path="/ready", port=5002),
    liveness=None,
    readiness_probe=Probe(),
    liveness_probe=Probe(),
    env={"A": "b"},
)
PUBLISHED = {
    "5001/tcp": [{"HostIp": "127.0.0.1", "HostPort": "32768"}],
    "5002/tcp": [{"HostIp": "127.0.0.1", "HostPort": "32769"}],
}


class Guard:
    """Remembers what it is to remove."""

    def __init__(self):
        self.added = []

    def add(self, container):
        self.added.append(container)


@pytest.fixture
def engine(tmp_path):
    """One with a bridge, whose container c1 runs."""
    with answering(tmp_path / "engine.sock") as answers:
        answers["GET", "/networks"] = (200, [{"Name": "bridge"}, {"Name": "host"}])
        answers["POST", "/containers/create"] = (201, {"Id": "c1"})
        answers["POST", "/containers/c1/attach"] = (200, None)
        answers["POST", "/containers/c1/start"] = (204, None)
        answers["GET", "/containers/c1/json"] = (200, {"NetworkSettings": {"Ports": PUBLISHED}})
        answers["DELETE", "/containers/c1"] = (204, None)
        yield answers


@pytest.fixture
def taken():
    """A port that another program listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def running(engine):
    return Replica(SERVER, Engine(engine.socket), Guard(), None)._running()


def created(engine):
    (asked,) = [body for _, path, body in engine.asked if path == "/containers/create"]
    return asked


def test_with_a_bridge_a_container_gets_ports_of_its_own_on_loopback(engine):
    with running(engine) as ports:
        assert ports == {5001: 32768, 5002: 32769}
    host = created(engine)["HostConfig"]
    assert host["NetworkMode"] == "bridge"
    loopback = [{"HostIp": "127.0.0.1", "HostPort": ""}]
    assert host["PortBindings"] == {"5001/tcp": loopback, "5002/tcp": loopback}
    assert ("DELETE", "/containers/c1", None) in engine.asked


@pytest.mark.parametrize("found", [{}, {"5001/tcp": None}, {"5001/tcp": []}])
def test_a_container_that_has_no_ports_any_more_has_ended(engine, found):
    engine["GET", "/containers/c1/json"] = (200, {"NetworkSettings": {"Ports": found}})
    with pytest.raises(OwnContainerError, match="ended at once"), running(engine):
        pass
    assert ("DELETE", "/containers/c1", None) in engine.asked


def test_without_a_bridge_a_container_has_the_machines_ports(engine, monkeypatch):
    engine["GET", "/networks"] = (200, [{"Name": "host"}])
    monkeypatch.setattr("lazulite.serving.own_container._refuse_taken", lambda _: None)
    with running(engine) as ports:
        assert ports == {5001: 5001, 5002: 5002}
    host = created(engine)["HostConfig"]
    assert (host["NetworkMode"], host["PortBindings"]) == ("host", {})


def test_without_a_bridge_a_port_that_is_taken_is_told(taken):
    with pytest.raises(OwnContainerError, match=f"Port {taken} of this machine is taken"):
        _refuse_taken(frozenset({taken}))


def test_the_image_runs_as_it_is_with_what_it_is_shown():
    asked = configuration(SERVER, is_bridged=True)
    assert (asked["Image"], asked["Env"]) == ("sha256:1", ["A=b"])
    assert asked["Labels"][OWNER] == "/data"
    (mount,) = asked["HostConfig"]["Mounts"]
    assert (mount["Target"], mount["ReadOnly"]) == ("/model", True)
