"""A store, and places for what is observed."""

import pytest

from lazulite.serving.access_log import Access
from lazulite.telemetry.places import Landscape, Place
from lazulite.telemetry.store import TelemetryStore

WORKSPACE = (
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
)
ENDPOINT = f"{WORKSPACE}/onlineEndpoints/Ep"
DEPLOYMENT = f"{ENDPOINT}/deployments/blue"
MINUTE = 60_000
NOON = 1_795_262_400_000  # milliseconds; the beginning of a minute


@pytest.fixture
def store(tmp_path):
    store = TelemetryStore(tmp_path / "telemetry.db")
    yield store
    store.close()


@pytest.fixture
def places():
    endpoint = Place(ENDPOINT, "Ep", "", "s", "w", "uid", "local")
    blue = endpoint._replace(id=DEPLOYMENT, deployment="blue")
    return Landscape({"ep": endpoint}, {("ep", "blue"): blue}, [])


def request(**changes):
    """A request that went well."""
    values = {
        "at": NOON + 1000,
        "endpoint": "ep",
        "deployment": "blue",
        "status": 200,
        "model_status": 200,
        "header_ms": 0,
        "queue_ms": 2,
        "connect_ms": 0,
        "model_ms": 5,
        "total_ms": 10,
        "bytes_in": 600,
        "bytes_out": 1200,
        "termination": "----",
        "is_first": True,
        "auth": "key",
        "method": "POST",
        "protocol": "HTTP/1.1",
        "request_id": "r",
        "client_request_id": "",
        "user_agent": "curl",
        "path": "/inference/Ep/score",
    }
    return Access(**{**values, **changes})
