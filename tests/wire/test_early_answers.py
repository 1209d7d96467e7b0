"""Refused requests with a body, over HTTP/2 by curl: the next one on their connection is whole."""

import shutil
import subprocess

import pytest

ROUNDS = 12


@pytest.mark.skipif(shutil.which("curl") is None, reason="it takes curl's way of sending")
def test_a_refused_request_leaves_nothing_for_the_next_one(server, tmp_path):
    body = tmp_path / "body"
    body.write_bytes(b"a" * 300_000)
    url = f"{server.state['url']}{server.workspace}/batchEndpoints/x?api-version=2021-10-01"
    command = ["curl", "-sS", "--http2", "--cacert", server.state["ca_bundle"], "-X", "PUT"]
    command += ["-H", "Authorization: Bearer other", "--data-binary", f"@{body}"]
    command += ["-o", str(tmp_path / "answer"), "-w", "%{http_code}", "-m", "30", url]
    said = [
        subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stdout
        for _ in range(ROUNDS)
    ]
    assert said == ["401"] * ROUNDS
