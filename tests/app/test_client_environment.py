"""What `lazulite env` prints."""

import contextlib
import http.server
import threading

import pytest

from lazulite.app.client_environment import client_variables

STATE = {
    "url": "https://localhost:1",
    "http_url": "http://127.0.0.1:1",
    "subscription_id": "s",
    "resource_group": "g",
    "workspace": "w",
    "workspace_id": "/subscriptions/s",
    "ca_bundle": "/b.pem",
}
CREDENTIALS = {"tenant_id": "t", "client_id": "c", "client_secret": "hush"}


def test_libraries_are_told_a_tenant_that_they_do_not_look_up():
    found = client_variables(STATE, CREDENTIALS, "/data")
    assert found["AZURE_TENANT_ID"] == "adfs"
    assert found["AZUREML_CURRENT_CLOUD"] == "Lazulite"
    assert found["ARM_CLOUD_METADATA_URL"].startswith(STATE["url"])


@pytest.mark.parametrize(("status", "is_named"), [(401, True), (200, True), (404, False)])
def test_a_tracking_server_is_named_where_one_answers(status, is_named):
    with answering(status) as url:
        found = client_variables({**STATE, "http_url": url}, CREDENTIALS, "/data")
    tracking = "https://localhost:1/mlflow/v1.0/subscriptions/s"
    assert found.get("MLFLOW_TRACKING_URI") == (tracking if is_named else None)


def test_no_tracking_server_is_named_where_nothing_answers():
    assert "MLFLOW_TRACKING_URI" not in client_variables(STATE, CREDENTIALS, "/data")


@contextlib.contextmanager
def answering(status):
    """The address of a server that has one answer."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
