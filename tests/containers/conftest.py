"""One engine for all tests of containers, and a server that knows it."""

import contextlib
import tempfile
import zipfile
from pathlib import Path

import pytest

from tests.engine import docker, engine, make_image
from tests.live import running


@pytest.fixture(scope="session")
def engine_socket():
    """The socket of an engine that has the image lazulite-test:1."""
    place = tempfile.TemporaryDirectory(prefix="lz-docker-", ignore_cleanup_errors=True)
    with place as folder, engine(Path(folder)) as socket:
        make_image(socket, Path(folder))
        yield socket


@pytest.fixture
def containers(engine_socket):
    """Says which containers there are, running or not, that were not there before the test."""

    def listed():
        return docker(engine_socket, "ps", "--all", "--quiet").split()

    before = set(listed())
    return lambda: [container for container in listed() if container not in before]


@pytest.fixture(scope="session")
def docker_server(tmp_path_factory, engine_socket):
    """A server beside the engine, for tests that leave it as it was."""
    with _beside(engine_socket, tmp_path_factory.mktemp("docker")) as live:
        yield live


@pytest.fixture
def own_docker_server(tmp_path, engine_socket):
    """One that a test may hurt."""
    with _beside(engine_socket, tmp_path) as live:
        yield live


@contextlib.contextmanager
def _beside(engine_socket, folder):
    """A server that knows the engine; packages come from a folder that has tiny 1.0."""
    (folder / "wheels").mkdir()
    make_wheel(folder / "wheels")
    env = {"DOCKER_HOST": f"unix://{engine_socket}", "PIP_CONFIG_FILE": "/dev/null"}
    env |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder / "wheels")}
    with running(folder, **env) as live:
        yield live
    label = f"label=lazulite.data-dir={live.data_dir}"
    left = docker(engine_socket, "ps", "--all", "--quiet", "--filter", label)
    assert left == "", "a server that is stopped has no containers"


def make_wheel(folder):
    info = "tiny-1.0.dist-info"
    with zipfile.ZipFile(folder / "tiny-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny.py", "VERSION = '1.0'\n")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        tags = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        wheel.writestr(f"{info}/WHEEL", tags)
        wheel.writestr(f"{info}/RECORD", "")
