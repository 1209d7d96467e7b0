"""How a device waits for its code to be approved, and what it keeps."""

import base64
import json

import pytest

from lazulite.cli import device_login, signing_in
from lazulite.cli.arguments import Arguments
from lazulite.cli.errors import CommandError
from lazulite.cli.http import Http
from lazulite.cli.report import Report
from lazulite.cli.sign_in import read_sign_in

TOKEN = "/common/oauth2/v2.0/token"
CLAIMS = base64.urlsafe_b64encode(json.dumps({"tid": "t1"}).encode()).decode().rstrip("=")
ACCESS = f"h.{CLAIMS}.s"


def test_a_device_waits_as_long_as_it_is_told(server):
    begun = {"message": "say ABCD", "interval": 5, "device_code": "d"}
    granted = {"access_token": ACCESS, "refresh_token": "app.secret.with.dots"}
    server.answer("POST", "/common/oauth2/v2.0/devicecode", 200, begun)
    server.answer("POST", TOKEN, 400, {"error": "authorization_pending"})
    server.answer("POST", TOKEN, 400, {"error": "slow_down"})
    server.answer("POST", TOKEN, 200, granted)
    waits, said, http, report = [], [], Http(None), Report(quiet=True)
    report.note = said.append
    given = device_login.sign_in(http, server.url, report, waits.append)
    http.close()
    assert given == {"tenant_id": "t1", "client_id": "app", "client_secret": "secret.with.dots"}
    assert (waits, said) == ([5, 5, 10], ["say ABCD"])
    assert all(b"device_code=d" in each.body for each in server.sent("POST", TOKEN))


@pytest.fixture
def login(server, tmp_path):
    """`login --use-device-code` with AZURE_CLIENT_ID set; what it notes."""
    begun = {"message": "say ABCD", "interval": 0, "device_code": "d"}
    server.answer("POST", "/common/oauth2/v2.0/devicecode", 200, begun)
    server.answer("POST", TOKEN, 200, {"access_token": ACCESS, "refresh_token": "app.secret"})

    def run():
        said, report = [], Report(quiet=True)
        report.note = said.append
        environ = {"LAZULITE_URL": server.url, "AZURE_CLIENT_ID": "other"}
        given = Arguments(device_code=True, data_dir=str(tmp_path))
        signing_in.login(given, environ, report)
        return said

    return run


def test_a_sign_in_that_is_refused_is_not_kept(server, tmp_path, login):
    server.answer("POST", "/t1/oauth2/v2.0/token", 401, {"error_description": "no more"})
    with pytest.raises(CommandError, match="no more"):
        login()
    assert read_sign_in(tmp_path, server.url) == {}


def test_a_sign_in_that_does_not_count_is_told(server, tmp_path, login):
    token = {"access_token": "t", "expires_in": 3600}
    server.answer("POST", "/t1/oauth2/v2.0/token", 200, token)
    server.answer("GET", "/subscriptions", 200, {"value": []})
    told = login()
    assert told[0] == "say ABCD"
    assert told[-1].startswith("AZURE_CLIENT_ID is set, and comes before the login")
    assert read_sign_in(tmp_path, server.url)["client_id"] == "app"
