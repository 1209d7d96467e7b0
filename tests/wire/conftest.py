"""A server in a closed network, with a mirror of the data that documents publish."""

import pytest

from tests.live import running
from tests.web import container, serving

MNIST = {f"mnist/{number}.png": b"%d" % number for number in range(12)}


@pytest.fixture(scope="session")
def mirrored(tmp_path_factory):
    """A server that reaches the published folder and file of the documents by their URLs."""
    with serving() as web:
        container(web, "/mirror/sampledata", {**MNIST, "nytaxi/taxi-tip-data.csv": b"1"})
        host = "https://pipelinedata.blob.core.windows.net"
        aliases = {"LAZULITE_URL_ALIASES": f"{host}={web.url}/mirror"}
        with running(tmp_path_factory.mktemp("mirrored"), **aliases) as live:
            yield live
