"""What is asked of an engine for a container, and what is read of its output: without an engine."""

import io
import socket
from types import SimpleNamespace

import pytest

from lazulite.environments import image_probe
from lazulite.executors import limits
from lazulite.executors.container import Image, configuration, mounts
from lazulite.executors.container_engine import MOST_READ, Output
from lazulite.executors.launch import Mount, Sandbox

IMAGE = Image(engine="/e.sock", image="x", owner="/data").sandbox()


@pytest.mark.parametrize(("processes", "limit"), [("77", 77), ("0", None)])
def test_the_servers_limit_of_processes_holds_in_containers(processes, limit, tmp_path):
    base = Sandbox(kind="bubblewrap", details={limits.PROCESSES: processes, "image": "not this"})
    sandbox = IMAGE.under(base)
    asked = configuration(sandbox, tmp_path, {})
    assert (asked["Image"], asked["HostConfig"].get("PidsLimit")) == ("x", limit)


def test_an_image_is_looked_into_without_rights():
    asked = image_probe.configuration("x", "/data")["HostConfig"]
    assert (asked["CapDrop"], asked["SecurityOpt"]) == (["ALL"], ["no-new-privileges"])
    assert asked["NetworkMode"] == "none"
    assert asked["PidsLimit"] > 0


def test_output_without_end_is_not_read_to_its_end():
    piece = b"x" * 1000
    frame = b"\1\0\0\0" + len(piece).to_bytes(4, "big") + piece
    ours, theirs = socket.socketpair()
    with ours, theirs, io.BytesIO(frame * 100) as response:
        said = Output(SimpleNamespace(stream=ours), response).read()
        assert len(said) == MOST_READ
        assert response.read(1)


def test_a_link_made_since_the_check_is_not_mounted(tmp_path):
    place = tmp_path / "input"
    place.symlink_to("/etc")
    with pytest.raises(OSError, match="A link has been made"):
        mounts((Mount(path=str(place), without_links=True),))
    (mounted,) = mounts((Mount(path=str(place)),))
    assert mounted["Source"] == "/etc"
