"""Microsoft's azure-storage-blob does the same with this server as with Azurite, or we say why not.

The client lives in a venv of its own and Azurite beside it: `make test` installs both.
"""

import base64
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live import running, wait_for

CLIENTS = Path(sys.prefix) / "storage-clients"
PYTHON = CLIENTS / "bin" / "python"
AZURITE = CLIENTS / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
OPERATIONS = Path(__file__).with_name("storage_operations.py")
KEY = base64.b64encode(bytes(range(64))).decode()

NAMES = "names of metadata come in lower case: the front door and HTTP/2 spell headers so"
TIER_TIME = "Azure tells the time of a tier only where one was set; Azurite always"
MD5 = "Azure's code is Md5Mismatch; Azurite's is its own"
SEALED = "Azure tells sealed blobs only; Azurite says false of the others"
SIGNATURE = "Azure's code for a bad signature is AuthenticationFailed; Azurite's is its own"
NOT_IN_AZURITE = "served here and by Azure, not implemented in Azurite"
AIO_BATCH = "Azurite 3.35 does not read the batches of the asynchronous client"
PAGE = "page blobs are not served here"

DIFFERENCES = {
    "container_properties": ({"value"}, NAMES),
    "upload_of_nothing": (
        {"x-ms-blob-content-md5"},
        "the header is for ranges only, by the documentation of Get Blob",
    ),
    "blob_properties": ({"value", "x-ms-access-tier-change-time"}, f"{NAMES}; {TIER_TIME}"),
    "blob_exists": ({"x-ms-access-tier-change-time"}, TIER_TIME),
    "download_if_changed": ({"etag"}, "HTTP wants the ETag in a 304, and Azure has it"),
    "set_metadata": ({"x-ms-access-tier-change-time"}, TIER_TIME),
    "set_http_headers": ({"x-ms-access-tier-change-time"}, TIER_TIME),
    "stage_blocks": (
        {"etag", "last-modified", "x-ms-blob-content-length"},
        "a blob without committed blocks has no version, by the documentation of Get Block List",
    ),
    "stage_a_block_with_wrong_md5": ({"error", "x-ms-error-code"}, MD5),
    "upload_with_wrong_md5": ({"error", "x-ms-error-code"}, MD5),
    "snapshot": (
        {"x-ms-access-tier-change-time", "x-ms-lease-state", "x-ms-lease-status"},
        f"snapshots cannot be leased; {TIER_TIME}",
    ),
    "list_snapshots": ({"value"}, "Azure lists the snapshots of a blob before the blob"),
    "properties_of_a_leased_blob": ({"x-ms-access-tier-change-time"}, TIER_TIME),
    "append_block": ({"x-ms-blob-sealed"}, SEALED),
    "append_with_md5": ({"x-ms-blob-sealed"}, SEALED),
    "upload_as_append_blob": ({"x-ms-blob-sealed"}, SEALED),
    "set_tier": ({"x-ms-access-tier-inferred"}, "Azure tells inferred tiers only"),
    "set_a_bad_tier": ({"error", "x-ms-error-code"}, "Azure's code is InvalidHeaderValue"),
    "block_from_url": (None, NOT_IN_AZURITE),
    "upload_from_url": (None, NOT_IN_AZURITE),
    "expired_sas": ({"error", "kind", "x-ms-error-code"}, SIGNATURE),
    "sas_with_another_key": ({"error", "kind", "x-ms-error-code"}, SIGNATURE),
    "sas_of_no_stored_policy": ({"error", "kind", "x-ms-error-code"}, SIGNATURE),
    "wrong_shared_key": ({"error", "kind", "x-ms-error-code"}, SIGNATURE),
    "undelete_blob": ({"error", "x-ms-error-code"}, "each says in its own code: not implemented"),
    "create_page_blob": (None, PAGE),
}
"""By operation: the fields that may differ (None: any), and why."""

ONLY_ASYNCHRONOUS = {
    "delete_in_a_batch": ({"value"}, AIO_BATCH),
    "tier_in_a_batch": ({"value", "kind", "error"}, AIO_BATCH),
}


def account_of(server):
    """Name and key of the workspace's storage account."""
    account = server.call("GET", "").json()["properties"]["storageAccount"]
    answer = server.call("POST", f"{account}/listKeys", api="2023-01-01")
    return account.rpartition("/")[2], answer.json()["keys"][0]["value"]


@contextlib.contextmanager
def azurite(folder):
    """A foreign blob service on a free port; its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["node", AZURITE, "--silent", "--skipApiVersionCheck", f"--location={folder}"]
    process = subprocess.Popen(
        [*command, f"--blobPort={port}"],
        env={**os.environ, "AZURITE_ACCOUNTS": f"mlstore:{KEY}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: _listens(port) or process.poll() is not None)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def outcomes(endpoint, account, key, mode):
    command = [PYTHON, OPERATIONS, endpoint, account, key, mode]
    run = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def differing(ours, theirs):
    """The names of the fields that differ."""
    ours, theirs = ({**one, **one.get("headers", {})} for one in (ours, theirs))
    names = {*ours, *theirs} - {"headers"}
    return {name for name in names if ours.get(name) != theirs.get(name)}


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["sync", "aio"])
def test_client_does_the_same_here_as_with_azurite(server, tmp_path, mode):
    if not PYTHON.exists() or not AZURITE.exists() or not shutil.which("node"):
        pytest.skip("NO STORAGE CLIENTS: azure-storage-blob or Azurite is missing; use make test")
    compare(server, tmp_path, mode)


@pytest.mark.slow
def test_client_does_the_same_where_an_object_store_keeps_the_blobs(tmp_path, monkeypatch):
    if not PYTHON.exists() or not AZURITE.exists() or not shutil.which("node"):
        pytest.skip("NO STORAGE CLIENTS: azure-storage-blob or Azurite is missing; use make test")
    monkeypatch.setenv("LAZULITE_BLOBS", "memory://")
    with running(tmp_path) as server:
        compare(server, tmp_path, "sync")


def compare(server, tmp_path, mode):
    """Hold each operation against Azurite."""
    account, key = account_of(server)
    ours = outcomes(f"{server.base}/{account}", account, key, mode)
    with azurite(tmp_path / "azurite") as port:
        theirs = outcomes(f"http://127.0.0.1:{port}/mlstore", "mlstore", KEY, mode)
    assert len(ours) >= 100
    assert {name for name, one in ours.items() if one.get("status", 500) >= 500} == {
        "undelete_blob"
    }
    known = DIFFERENCES | (ONLY_ASYNCHRONOUS if mode == "aio" else {})
    found = {}
    for name, one in ours.items():
        fields, allowed = differing(one, theirs[name]), known.get(name, (set(),))[0]
        if allowed is not None and not fields <= allowed:
            found[name] = {f: (one.get(f), theirs[name].get(f)) for f in fields - allowed}
    assert found == {}


def test_every_difference_is_of_an_operation_and_has_a_reason():
    known = {**DIFFERENCES, **ONLY_ASYNCHRONOUS}
    text = OPERATIONS.read_text()
    assert [name for name in known if f"async def {name}(" not in text] == []
    assert all(reason for _, reason in known.values())
