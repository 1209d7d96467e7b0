"""azure-storage-blob, unchanged, against the gateway on a loopback port."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob import (
    BlobServiceClient,
    ContainerClient,
    ContentSettings,
    generate_account_sas,
    generate_blob_sas,
    generate_container_sas,
)

from lazulite.blobs.signatures import Grant, sign_blob, sign_container, sign_directory

SOON = datetime.now(UTC) + timedelta(hours=1)


def text_key(served) -> str:
    return base64.b64encode(served.key).decode()


def service(served, first_segment: str = "mlstore", **options) -> BlobServiceClient:
    return BlobServiceClient(
        f"{served.origin}/{first_segment}", credential=text_key(served), retry_total=0, **options
    )


@pytest.fixture
def container(served):
    with service(served) as client:
        yield client.get_container_client("azureml-blobstore")


@pytest.mark.parametrize("first_segment", ["mlstore", "mlstore.blob.core.local"])
def test_folder_with_a_large_file_goes_up_and_comes_down_the_same(served, tmp_path, first_segment):
    source = tmp_path / "source"
    (source / "sub dir").mkdir(parents=True)
    (source / "a.txt").write_bytes(b"small")
    (source / "empty").write_bytes(b"")
    (source / "sub dir" / "ünï+code %41.csv").write_bytes(b"1,2\n")
    (source / "large.bin").write_bytes(os.urandom(70 << 20))
    with service(served, first_segment, max_single_put_size=64 << 20) as client:
        container = client.get_container_client("azureml-blobstore")
        files = sorted(path for path in source.rglob("*") if path.is_file())
        for path in files:
            with path.open("rb") as data:
                container.upload_blob(f"up/{path.relative_to(source)}", data, max_concurrency=3)
        names = [blob.name for blob in container.list_blobs(name_starts_with="up/")]
        assert names == [f"up/{path.relative_to(source)}" for path in files]
        for path in files:
            name = f"up/{path.relative_to(source)}"
            loaded = container.download_blob(name, max_concurrency=2).readall()
            assert hashlib.sha256(loaded).digest() == hashlib.sha256(path.read_bytes()).digest()
            in_place = served.folder / "mlstore" / "azureml-blobstore" / name
            assert in_place.stat().st_size == path.stat().st_size


def test_service_sas_of_the_client_opens_its_container_only(served):
    with service(served) as client:
        client.create_container("other")
    sas = generate_container_sas(
        "mlstore", "azureml-blobstore", account_key=text_key(served), permission="rcwl", expiry=SOON
    )
    with ContainerClient.from_container_url(
        f"{served.origin}/mlstore/azureml-blobstore?{sas}", retry_total=0
    ) as container:
        container.upload_blob("x/y.txt", b"hello")
        assert container.download_blob("x/y.txt").readall() == b"hello"
        assert [blob.name for blob in container.list_blobs()] == ["x/y.txt"]
        with pytest.raises(HttpResponseError) as refused:
            container.delete_blob("x/y.txt")
        assert refused.value.error_code == "AuthorizationPermissionMismatch"
    with (
        ContainerClient.from_container_url(f"{served.origin}/mlstore/other?{sas}") as other,
        pytest.raises(ClientAuthenticationError),
    ):
        list(other.list_blobs())


@pytest.mark.parametrize("blob_name", ["a.txt", "deep/er/ü +%2f.txt"])
def test_blob_sas_opens_one_blob_and_sets_response_headers(served, container, blob_name):
    container.upload_blob(blob_name, b"one")
    container.upload_blob("two.txt", b"two")
    sas = generate_blob_sas(
        "mlstore",
        "azureml-blobstore",
        blob_name,
        account_key=text_key(served),
        permission="r",
        expiry=SOON,
        content_disposition="attachment; filename=x.txt",
        ip="127.0.0.1",
        protocol="https,http",
    )
    address = f"{served.origin}/mlstore"
    with BlobServiceClient(address, credential=sas, retry_total=0) as client:
        found = client.get_blob_client("azureml-blobstore", blob_name)
        assert found.download_blob().readall() == b"one"
        shown = found.get_blob_properties().content_settings.content_disposition
        assert shown == "attachment; filename=x.txt"
        with pytest.raises(ClientAuthenticationError):
            client.get_blob_client("azureml-blobstore", "two.txt").download_blob()


def test_account_sas_of_the_client_lists_and_creates_containers(served):
    sas = generate_account_sas(
        "mlstore", text_key(served), resource_types="sco", permission="rwdlc", expiry=SOON
    )
    with BlobServiceClient(f"{served.origin}/mlstore", credential=sas, retry_total=0) as client:
        made = client.create_container("made-here", metadata={"owner": "me"})
        assert made.get_container_properties().metadata == {"owner": "me"}
        names = [one.name for one in client.list_containers()]
        assert names == ["azureml-blobstore", "made-here"]
        client.delete_container("made-here")
        assert not made.exists()
        assert client.get_account_information()["is_hns_enabled"] is False


def test_signatures_that_we_mint_are_used_by_the_client(served, container):
    container.upload_blob("d/one.txt", b"1")
    grant = Grant("rl", SOON)
    by_blob = sign_blob("mlstore", served.key, grant, "azureml-blobstore/d/one.txt")
    by_folder = sign_directory("mlstore", served.key, grant, "azureml-blobstore/d")
    by_container = sign_container("mlstore", served.key, grant, "azureml-blobstore")
    for sas in (by_blob, by_folder, by_container):
        address = f"{served.origin}/mlstore/azureml-blobstore?{sas}"
        with ContainerClient.from_container_url(address, retry_total=0) as client:
            assert client.download_blob("d/one.txt").readall() == b"1"
    with (
        ContainerClient.from_container_url(
            f"{served.origin}/mlstore/azureml-blobstore?{by_folder}"
        ) as client,
        pytest.raises(ClientAuthenticationError),
    ):
        client.download_blob("e/one.txt")


def test_sas_with_create_only_does_not_overwrite(served, container):
    sas = sign_container("mlstore", served.key, Grant("c", SOON), "azureml-blobstore")
    address = f"{served.origin}/mlstore/azureml-blobstore?{sas}"
    with ContainerClient.from_container_url(address, retry_total=0) as client:
        client.upload_blob("once.txt", b"1")
        with pytest.raises(HttpResponseError) as refused:
            client.upload_blob("once.txt", b"2", overwrite=True)
    assert refused.value.error_code == "UnauthorizedBlobOverwrite"
    assert container.download_blob("once.txt").readall() == b"1"


def test_upload_sequence_of_azure_ai_ml_marks_a_finished_upload(container):
    indicator = container.get_blob_client("LocalUpload/abc/model/a.txt")
    assert not indicator.exists()
    indicator.upload_blob(b"weights")
    with pytest.raises(ResourceExistsError):
        indicator.upload_blob(b"again")
    settings = indicator.get_blob_properties().content_settings
    assert bytes(settings.content_md5) == hashlib.md5(b"weights").digest()
    before = indicator.get_blob_properties().etag
    indicator.set_blob_metadata({"upload_status": "completed", "name": "m", "version": "None"})
    seen = indicator.get_blob_properties()
    assert seen.metadata == {"upload_status": "completed", "name": "m", "version": "None"}
    assert seen.etag != before
    assert not container.get_blob_client("LocalUpload/abc/model/").exists()


def test_properties_conditions_and_listing_levels(container):
    blob = container.get_blob_client("a/b/c.json")
    blob.upload_blob(
        b"{}",
        content_settings=ContentSettings(content_type="application/json", cache_control="no-cache"),
        metadata={"k": "v"},
    )
    container.upload_blob("a/z", b"")
    container.upload_blob("a-b", b"")
    seen = blob.get_blob_properties()
    assert seen.content_settings.content_type == "application/json"
    assert seen.content_settings.cache_control == "no-cache"
    old = seen.etag
    blob.upload_blob(b"[]", overwrite=True)
    with pytest.raises(ResourceModifiedError):
        blob.upload_blob(
            b"late", overwrite=True, etag=old, match_condition=MatchConditions.IfNotModified
        )
    names = [one.name for one in container.walk_blobs(name_starts_with="a", delimiter="/")]
    assert sorted(names) == ["a-b", "a/"]
    pages = container.list_blobs(results_per_page=1).by_page()
    assert [[one.name for one in page] for page in pages] == [["a-b"], ["a/b/c.json"], ["a/z"]]
    blob.delete_blob()
    with pytest.raises(ResourceNotFoundError):
        blob.download_blob()


def test_blocks_are_committed_in_the_order_of_the_list(container):
    blob = container.get_blob_client("blocks.bin")
    for name, data in (("bb", b"B" * 10), ("aa", b"A" * 10), ("cc", b"C" * 10)):
        blob.stage_block(name, data, validate_content="md5")
    blob.commit_block_list(["aa", "bb"])
    assert blob.download_blob(validate_content="md5").readall() == b"A" * 10 + b"B" * 10
    committed, waiting = blob.get_block_list("all")
    assert [(one.id, one.size) for one in committed] == [("aa", 10), ("bb", 10)]
    assert waiting == []
    with pytest.raises(HttpResponseError) as refused:
        blob.commit_block_list(["aa", "zz"])
    assert refused.value.error_code == "InvalidBlockList"


def test_wrong_key_is_refused_with_the_code_of_azure(served):
    key = base64.b64encode(b"wrong" * 12).decode()
    with (
        BlobServiceClient(f"{served.origin}/mlstore", credential=key, retry_total=0) as client,
        pytest.raises(ClientAuthenticationError) as refused,
    ):
        list(client.list_containers())
    assert refused.value.error_code == "AuthenticationFailed"


def test_file_that_a_job_wrote_is_a_blob(served, container):
    written = Path(served.folder) / "mlstore" / "azureml-blobstore" / "out" / "rows.csv"
    written.parent.mkdir(parents=True)
    written.write_bytes(b"x\n")
    assert [one.name for one in container.list_blobs()] == ["out/rows.csv"]
    assert container.download_blob("out/rows.csv").readall() == b"x\n"
    container.delete_blob("out/rows.csv")
    assert not written.parent.exists()


@pytest.mark.parametrize("operation", ["", "?comp=block&blockid=AAAA"])
def test_connection_cut_in_the_middle_of_an_upload_leaves_nothing(served, container, operation):
    blob = container.get_blob_client("cut")
    grant = sign_container("mlstore", served.key, Grant("rw", SOON), "azureml-blobstore")
    path = f"/mlstore/azureml-blobstore/cut{operation}{'&' if operation else '?'}{grant}"
    staging = served.folder / ".staging"
    with socket.create_connection(("127.0.0.1", served.port)) as connection:
        head = f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n"
        connection.sendall(head.encode() + b"x-ms-blob-type: BlockBlob\r\n\r\n" + b"x" * 5_000_000)
        wait_until(lambda: any(file.stat().st_size for file in staging.iterdir()))
    wait_until(lambda: not list(staging.iterdir()))
    assert not blob.exists()
    with pytest.raises(ResourceNotFoundError):
        blob.get_block_list("all")


def wait_until(condition) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
