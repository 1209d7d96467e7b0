"""References to data, each form that users and clients write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazulite.blobs.references import (
    AssetId,
    AssetName,
    BlobPath,
    DatastorePath,
    ForeignBlobPath,
    JobOutputPath,
    Shape,
    Site,
    WebAddress,
    Workspace,
)
from lazulite.blobs.uris import parse_data_uri
from lazulite.core.errors import ArmError

SITE = Site(
    origins=frozenset({"https://localhost:8443", "http://localhost:8080"}),
    suffix="core.local",
    accounts=frozenset({"mlstore"}),
    lost_containers={"azureml-blobstore": "mlstore"},
    alias=lambda url: url.replace(
        "https://alias.blob.core.windows.net", "https://localhost:8443/mlstore"
    ),
)
LONG = "subscriptions/s1/resourcegroups/rg/workspaces/ws"
ARM = (
    "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/ws"
)
WS = Workspace("s1", "rg", "ws")


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("azureml://datastores/d/paths/a/b.csv", DatastorePath("d", "a/b.csv")),
        ("AzureML://DataStores/d/Paths/A/", DatastorePath("d", "A")),
        ("azureml://datastores/d/paths//a//b", DatastorePath("d", "a/b")),
        ("azureml://datastores/d/paths/", DatastorePath("d", "")),
        ("azureml://datastores/d", DatastorePath("d", "")),
        ("azureml://datastores/d/paths/50%25 off.csv", DatastorePath("d", "50%25 off.csv")),
        (f"azureml://{LONG}/datastores/d/paths/p", DatastorePath("d", "p", WS)),
        (
            "azureml://subscriptions/s1/resourceGroups/rg/workspaces/ws/datastores/d/paths/p",
            DatastorePath("d", "p", WS),
        ),
        (f"{ARM}/datastores/d/paths/a/b.csv", DatastorePath("d", "a/b.csv", WS)),
        (f"azureml:{ARM}/datastores/d/paths/a/", DatastorePath("d", "a", WS)),
        ("azureml:mnist:1", AssetName("mnist", version="1")),
        ("azureml:mnist@latest", AssetName("mnist", label="latest")),
        (f"{ARM}/models/m/versions/3", AssetId(WS, "models", AssetName("m", version="3"))),
        (f"azureml:{ARM}/data/d/versions/1", AssetId(WS, "data", AssetName("d", version="1"))),
        (
            f"azureml:{ARM}/Data/d/labels/latest",
            AssetId(WS, "data", AssetName("d", label="latest")),
        ),
        (
            "azureml://locations/local/workspaces/ws/data/d/versions/labels/latest",
            AssetId(Workspace("", "", "ws"), "data", AssetName("d", label="latest")),
        ),
        (
            f"{ARM}/data/d/versions/labels/latest",
            AssetId(WS, "data", AssetName("d", label="latest")),
        ),
        (
            "azureml://jobs/j/outputs/artifacts/paths/model/",
            JobOutputPath("j", "artifacts", "model"),
        ),
        ("runs:/j/model", JobOutputPath("j", "artifacts", "model")),
        ("https://localhost:8443/mlstore/c/a/b.csv", BlobPath("mlstore", "c", "a/b.csv")),
        ("https://LOCALHOST:8443/mlstore.blob.core.local/c/a", BlobPath("mlstore", "c", "a")),
        ("http://localhost:8080/mlstore/c?sv=1", BlobPath("mlstore", "c", "")),
        ("http://localhost:8080/mlstore/c?sv=1&sig=x", BlobPath("mlstore", "c", "", "sv=1&sig=x")),
        ("https://mlstore.blob.core.localhost:8443/c/a", BlobPath("mlstore", "c", "a")),
        ("https://mlstore.blob.localhost:8443/c/a", BlobPath("mlstore", "c", "a")),
        ("https://mlstore.blob.core.local/c/a?sig=x", BlobPath("mlstore", "c", "a", "sig=x")),
        ("https://mlstore.blob.core.local/c/a%20b", BlobPath("mlstore", "c", "a b")),
        (
            "https://localhost:8443/azureml-blobstore/LocalUpload/h/ctx/",
            BlobPath("mlstore", "azureml-blobstore", "LocalUpload/h/ctx"),
        ),
        ("wasbs://c@mlstore.blob.core.local/a/b", BlobPath("mlstore", "c", "a/b")),
        ("abfss://c@mlstore.dfs.core.local/a", BlobPath("mlstore", "c", "a")),
        (
            "wasbs://c@pub.blob.core.windows.net/x",
            ForeignBlobPath("https://pub.blob.core.windows.net/c", "x"),
        ),
        (
            "https://Pub.blob.core.windows.net/c/a%20b/?sp=r&sig=x",
            ForeignBlobPath("https://pub.blob.core.windows.net/c", "a b", "sp=r&sig=x"),
        ),
        (
            "https://alias.blob.core.windows.net/c/x",
            BlobPath("mlstore", "c", "x"),
        ),
        ("https://example.org/a/b?x=1", WebAddress("https://example.org/a/b?x=1")),
        ("https://example.org/a/*.csv", WebAddress("https://example.org/a/*.csv")),
    ],
)
def test_every_form_is_parsed_into_its_value(text, reference):
    assert parse_data_uri(text, SITE).reference == reference


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("folder:azureml://datastores/d/paths/p", Shape.FOLDER),
        ("File:azureml://datastores/d/paths/p", Shape.FILE),
        ("azureml://datastores/d/paths/p", None),
    ],
)
def test_shape_in_front_is_kept_apart(text, shape):
    uri = parse_data_uri(text, SITE)
    assert (uri.reference, uri.shape) == (DatastorePath("d", "p"), shape)


@pytest.mark.parametrize(
    ("text", "path", "pattern"),
    [
        ("azureml://datastores/d/paths/a/*.csv", "a", "*.csv"),
        ("azureml://datastores/d/paths/a/**", "a", "**"),
        ("azureml://datastores/d/paths/*/b/*.png", "", "*/b/*.png"),
        ("file:https://localhost:8443/mlstore/c/a/x-*.csv", "a", "x-*.csv"),
        ("https://pub.blob.core.windows.net/c/a/**/*.csv", "a", "**/*.csv"),
        ("azureml://jobs/j/outputs/o/paths/a/*", "a", "*"),
        ("azureml://datastores/d/paths/a/b", "a/b", ""),
    ],
)
def test_a_star_begins_a_pattern(text, path, pattern):
    uri = parse_data_uri(text, SITE)
    assert (uri.reference.path, uri.pattern) == (path, pattern)
    assert not pattern or uri.shape is Shape.FOLDER


@pytest.mark.parametrize(
    "text",
    [
        "",
        "./images",
        "\\\\server\\share\\x",
        "//server/share/x",
        "file://server/share/x",
        "file:/etc/passwd",
        "~/.ssh/id_rsa",
        "$HOME/.ssh/id_rsa",
        "https://example.org/a/../b",
        "https://example.org/a/%2e%2e/b",
        "https://example.org/a/..%2fb",
        "https://pub.blob.core.windows.net/c/../d/x",
        "https://pub.blob.core.windows.net/%2e%2e/x",
        "azureml://datastores/d/paths/*/../x",
        "azureml://registries/azureml/data/d/versions/1",
        "http://good.example@127.0.0.1/",
        "/home/me/images",
        "C:\\data",
        "file:///etc/passwd",
        "file:///etc/passwd?x#y",
        "folder:file:azureml://datastores/d/paths/p",
        "http:///#/../../../etc/",
        "https://user:secret@example.org/x",
        "https://example.org/x#fragment",
        "https://example.org:port/x",
        "https://[::1/x",
        "wasbs://c@[::1/x",
        "wasbs://mlstore.blob.core.local/c/x",
        "azureml://datastores/d/paths/a/../../etc/passwd",
        "azureml://datastores/d/paths/..\\..\\x",
        "azureml://datastores/d/paths/p#/../..",
        "azureml://datastores/../paths/p",
        "azureml://registries/r/models/m/versions/1",
        "azureml://nonsense",
        "azureml:name",
        "azureml:name:1:2",
        "azureml:../x:1",
        "runs:/",
        "https://localhost:8443/mlstore/c/%2e%2e/x",
        "https://localhost:8443/mlstore/c%2f../x",
        "https://localhost:8443/mlstore/c/a%2f..%2f..%2fx",
        "https://localhost:8443/mlstore/c/%ff",
        "https://localhost:8443/mlstore",
        "https://localhost:8443/",
        "https://localhost:8443/otheraccount/c/x",
        "https://localhost:8443/mlstore.blob.core.windows.net/c/x",
        "azureml://datastores/d/paths/a\x00b",
        "azureml://datastores/d/paths/a\nb",
        "ftp://example.org/x",
    ],
)
def test_what_cannot_be_used_is_refused_with_400(text):
    with pytest.raises(ArmError) as refused:
        parse_data_uri(text, SITE)
    assert refused.value.status == 400
    assert refused.value.code == "InvalidDataUri"


@given(st.text(max_size=60) | st.from_regex(r"(azureml|https?|wasbs|folder|runs):/{0,2}.{0,40}"))
def test_no_text_does_anything_but_parse_or_be_refused(text):
    try:
        reference = parse_data_uri(text, SITE).reference
    except ArmError:
        return
    path = getattr(reference, "path", "")
    assert not {"", ".", ".."} & set(path.split("/")) or path == ""
