"""`lazulite storage` as a user types it, against a real gateway and a recorded ARM."""

import base64
import hashlib
import json
import os
import sys

import pytest

from lazulite.cli.arguments import arguments_of
from lazulite.cli.errors import CommandError
from lazulite.cli.storage_arguments import ACCESS, StorageArguments
from lazulite.cli.storage_commands import ACCOUNTS, CONTENTS
from lazulite.cli.storage_downloads import places_of
from tests.blobs.conftest import KEY, served  # noqa: F401 - a fixture

GROUP = "/subscriptions/s1/resourceGroups/g1/providers/Microsoft.Storage/storageAccounts"
BOX = "azureml-blobstore"


@pytest.fixture
def storage(served, lazulite, monkeypatch, tmp_path):  # noqa: F811
    """Runs `storage` commands on the gateway; returns what they printed, as JSON."""
    key = base64.b64encode(KEY).decode()
    text = f"AccountName=mlstore;AccountKey={key};BlobEndpoint={served.origin}/mlstore/"
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", text)
    monkeypatch.setenv("LAZULITE_DATA_DIR", str(tmp_path / "none"))

    def run(*arguments, code=0):
        found, out, err = lazulite("storage", *map(str, arguments))
        assert found == code, err
        return err if code else json.loads(out or "null")

    return run


@pytest.fixture
def project(tmp_path):
    """A folder with what an upload meets."""
    folder = tmp_path / "project"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.json").write_text("{}")
    (folder / "sub" / "b c+é.csv").write_text("1,2\n")
    (folder / "sub" / "empty").touch()
    return folder


def test_containers_are_made_listed_and_deleted(storage):
    assert storage("container", "create", "-n", "box", "--metadata", "a=1") == {"created": True}
    assert storage("container", "create", "-n", "box") == {"created": False}
    assert "already exists" in storage(
        "container", "create", "-n", "box", "--fail-on-exist", code=1
    )
    assert storage("container", "show", "-n", "box")["metadata"] == {"a": "1"}
    assert [one["name"] for one in storage("container", "list")] == [BOX, "box"]
    assert storage("container", "exists", "-n", "box") == {"exists": True}
    assert storage("container", "delete", "-n", "box") == {"deleted": True}
    assert storage("container", "delete", "-n", "box") == {"deleted": False}
    assert storage("container", "exists", "-n", "box") == {"exists": False}
    storage("container", "show", "-n", "box", code=3)


def test_a_file_goes_up_with_its_type_and_comes_back_the_same(storage, project):
    up = ("blob", "upload", "-c", BOX, "-f", project / "sub" / "b c+é.csv")
    told = storage(*up, "-n", "d/b c+é.csv", "--metadata", "k=v")
    md5 = base64.b64encode(hashlib.md5(b"1,2\n").digest()).decode()
    assert told["content_md5"] == md5
    shown = storage("blob", "show", "-c", BOX, "-n", "d/b c+é.csv")
    assert shown["properties"]["contentSettings"]["contentMd5"] == md5
    assert shown["properties"]["contentSettings"]["contentType"] == "text/csv"
    assert shown["metadata"] == {"k": "v"}
    assert shown["properties"]["etag"] == told["etag"]
    storage("blob", "download", "-c", BOX, "-n", "d/b c+é.csv", "-f", project / "back")
    assert (project / "back").read_bytes() == b"1,2\n"
    assert "BlobAlreadyExists" in storage(*up, "-n", "d/b c+é.csv", code=1)
    assert storage(*up, "-n", "d/b c+é.csv", "--overwrite")["etag"] != told["etag"]
    storage(*up, "-n", "d/b c+é.csv", "--overwrite", "false", code=1)


def test_a_large_file_goes_in_checked_blocks_and_ranges(storage, tmp_path):
    data = os.urandom((20 << 20) + 7)
    (tmp_path / "large").write_bytes(data)
    storage("blob", "upload", "-c", BOX, "-f", tmp_path / "large", "--max-connections", 3)
    shown = storage("blob", "show", "-c", BOX, "-n", "large")
    md5 = base64.b64encode(hashlib.md5(data).digest()).decode()
    assert shown["size"] == len(data)
    assert shown["properties"]["contentSettings"]["contentMd5"] == md5
    storage("blob", "download", "-c", BOX, "-n", "large", "-f", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == data


def test_a_damaged_download_is_refused_and_leaves_the_old_file(storage, served, tmp_path):  # noqa: F811
    (tmp_path / "f").write_text("right")
    storage("blob", "upload", "-c", BOX, "-f", tmp_path / "f")
    path = served.folder / "mlstore" / BOX / "f"
    status = path.stat()
    path.write_text("wrong")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    (tmp_path / "old").write_text("old")
    told = storage("blob", "download", "-c", BOX, "-n", "f", "-f", tmp_path / "old", code=1)
    assert "Md5Mismatch" in told
    assert (tmp_path / "old").read_text() == "old"
    assert not list(tmp_path.glob(".download.*"))


def test_a_folder_goes_up_and_comes_down_without_links_and_devices(storage, project, tmp_path):
    (project / "link").symlink_to("/etc/passwd")
    (project / "loop").symlink_to(project)
    os.mkfifo(project / "pipe")
    names = ["up/a.json", "up/sub/b c+é.csv", "up/sub/empty"]
    up = ("blob", "upload-batch", "-s", project, "-d", BOX, "--destination-path", "up")
    assert len(storage(*up, "--dryrun")) == 3
    assert storage("blob", "list", "-c", BOX) == []
    told = storage(*up)
    assert [one["Type"] for one in told] == [
        "application/json", "text/csv", "application/octet-stream",
    ]  # fmt: skip
    assert [one["name"] for one in storage("blob", "list", "-c", BOX)] == names
    (tmp_path / "in").mkdir()
    down = ("blob", "download-batch", "-s", BOX, "-d", tmp_path / "in")
    assert storage(*down, "--pattern", "*.csv") == names[1:2]
    assert "--overwrite" in storage(*down, code=1)
    assert storage(*down, "--overwrite") == names
    assert (tmp_path / "in" / names[1]).read_text() == "1,2\n"
    assert (tmp_path / "in" / names[2]).read_text() == ""


def test_what_is_left_out_of_a_batch_is_named(storage, lazulite, project):
    (project / "link").symlink_to("/etc/passwd")
    given = ("storage", "blob", "upload-batch", "-s", str(project), "-d", BOX)
    _, _, err = lazulite(*given)
    assert f"{project / 'link'} is neither a file nor a folder" in err


def test_lists_are_filtered_grouped_and_cut(storage, project):
    storage("blob", "upload-batch", "-s", project, "-d", BOX)
    names = lambda *more: [one["name"] for one in storage("blob", "list", "-c", BOX, *more)]  # noqa: E731
    assert names("--prefix", "sub/") == ["sub/b c+é.csv", "sub/empty"]
    assert names("--delimiter", "/") == ["a.json", "sub/"]
    assert names("--num-results", "1") == ["a.json"]
    assert len(names("--num-results", "*")) == 3
    storage("blob", "list", "-c", BOX, "--num-results", "some", code=1)
    storage("blob", "delete-batch", "-s", BOX, "--pattern", "sub/*")
    assert names() == ["a.json"]


def test_metadata_and_conditions(storage, project):
    storage("blob", "upload", "-c", BOX, "-f", project / "a.json", "-n", "a")
    one = ("-c", BOX, "-n", "a")
    etag = storage("blob", "show", *one)["properties"]["etag"]
    told = storage("blob", "metadata", "update", *one, "--metadata", "x=1", "--if-match", etag)
    assert storage("blob", "metadata", "show", *one) == {"x": "1"}
    assert "ConditionNotMet" in storage("blob", "delete", *one, "--if-match", etag, code=1)
    storage("blob", "delete", *one, "--if-match", told["etag"])
    assert storage("blob", "exists", *one) == {"exists": False}
    storage("blob", "delete", *one, code=3)
    storage("blob", "metadata", "update", *one, "--metadata", "novalue", code=1)


def test_a_sas_made_here_opens_what_it_is_for_and_nothing_else(storage, project, monkeypatch):
    storage("blob", "upload", "-c", BOX, "-f", project / "a.json", "-n", "a b")
    ends = ("--expiry", "2099-01-01T00:00Z")
    one = storage("blob", "generate-sas", "-c", BOX, "-n", "a b", "--permissions", "r", *ends)
    all_of = storage("container", "generate-sas", "-n", BOX, "--permissions", "lr", *ends)
    url = storage("blob", "url", "-c", BOX, "-n", "a b")
    endpoint = url.partition(f"/{BOX}/")[0]
    monkeypatch.delenv("AZURE_STORAGE_CONNECTION_STRING")
    monkeypatch.setenv("AZURE_STORAGE_SAS_TOKEN", f"?{all_of}")
    given = ("--blob-endpoint", endpoint)
    assert [item["name"] for item in storage("blob", "list", "-c", BOX, *given)] == ["a b"]
    assert storage("blob", "show", "-c", BOX, "-n", "a b", *given, "--sas-token", one)["size"] == 2
    storage("blob", "list", "-c", BOX, *given, "--sas-token", one, code=1)
    storage("blob", "delete", "-c", BOX, "-n", "a b", *given, code=1)


@pytest.mark.parametrize("more", [["--permissions", "zz"], ["--expiry", "soon"], []])
def test_a_sas_without_rights_or_end_is_refused(storage, more):
    code, given = 1, ("blob", "generate-sas", "-c", BOX, "-n", "x")
    storage(*given, *more, code=code)


def test_accounts_come_from_the_server_and_so_does_the_key(server, lazulite, served):  # noqa: F811
    endpoint = f"{served.origin}/mlstore/"
    account = {
        "id": f"{GROUP}/mlstore",
        "name": "mlstore",
        "properties": {"primaryEndpoints": {"blob": endpoint}},
    }
    key = base64.b64encode(KEY).decode()
    server.answer("GET", GROUP, 200, {"value": [account]})
    server.answer("POST", f"{GROUP}/mlstore/listKeys", 200, {"keys": [{"value": key}]})
    code, out, err = lazulite("az", "storage", "account", "show", "-n", "mlstore")
    assert (code, json.loads(out)["primaryEndpoints"]) == (0, {"blob": endpoint}), err
    _, out, _ = lazulite("storage", "account", "show-connection-string")
    text = json.loads(out)["connectionString"]
    assert text == (
        f"DefaultEndpointsProtocol=http;AccountName=mlstore;AccountKey={key};BlobEndpoint={endpoint}"
    )
    code, out, err = lazulite("storage", "container", "list", "--query", "[].name")
    assert (code, json.loads(out)) == (0, [BOX]), err
    shown_by_a_datastore = "localhost:8443/mlstore"
    named = lazulite("storage", "account", "show-connection-string", "-n", shown_by_a_datastore)
    assert json.loads(named[1])["connectionString"] == text, named[2]
    code, _, err = lazulite("storage", "account", "show", "-n", "other")
    assert code == 3
    assert "mlstore" in err


def test_login_signs_in_with_a_token_for_storage(server, lazulite):
    url = f"{server.url}/acct/"
    account = {"id": GROUP, "name": "acct", "properties": {"primaryEndpoints": {"blob": url}}}
    server.answer("GET", GROUP, 200, {"value": [account]})
    server.answer("HEAD", "/acct/c/b", 200, None, {"Last-Modified": ""})
    lazulite("storage", "blob", "show", "-c", "c", "-n", "b", "--auth-mode", "login")
    asked = server.sent("GET", GROUP)[0]
    assert asked.query == {"api-version": "2022-09-01"}
    tokens = [one for one in server.requests if one.path.endswith("/token")]
    assert any(b"storage.azure.com" in one.body for one in tokens)


BAD_NAMES = ("../x", "a/../../x", "/abs", "a//b", "./x", "a\\..\\x", "C:\\x", "a/.", "..", "nul\0")


@pytest.mark.parametrize("name", BAD_NAMES)
def test_no_name_of_a_blob_leads_out_of_the_folder(name, tmp_path):
    with pytest.raises(CommandError, match="has no place below"):
        places_of(["good", name], tmp_path)


def test_no_link_in_the_folder_leads_out_of_it(storage, project, tmp_path):
    storage("blob", "upload-batch", "-s", project, "-d", BOX)
    (tmp_path / "in").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "in" / "sub").symlink_to(tmp_path / "outside")
    down = ("blob", "download-batch", "-s", BOX, "-d", tmp_path / "in", "--overwrite")
    assert "UnsafePath" in storage(*down, code=1)
    assert list((tmp_path / "outside").iterdir()) == []
    assert not (tmp_path / "in" / "a.json").exists()


def test_a_link_in_place_of_a_file_is_replaced_and_not_written_through(storage, project, tmp_path):
    storage("blob", "upload-batch", "-s", project, "-d", BOX)
    (tmp_path / "in").mkdir()
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "in" / "a.json").symlink_to(tmp_path / "secret")
    down = ("blob", "download-batch", "-s", BOX, "-d", tmp_path / "in")
    storage(*down, code=1)
    storage(*down, "--overwrite")
    assert (tmp_path / "secret").read_text() == "secret"
    assert (tmp_path / "in" / "a.json").read_text() == "{}"


def test_a_blob_and_a_folder_of_one_name_are_refused(tmp_path):
    with pytest.raises(CommandError, match="is a folder"):
        places_of(["a", "a/b"], tmp_path)


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("AccountName", "no name=value"),
        ("AccountName=a;AccountKey=?;BlobEndpoint=http://127.0.0.1:1/a", "not base64"),
    ],
)
def test_a_wrong_connection_string_is_told(lazulite, monkeypatch, variable, said):
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", variable)
    code, _, err = lazulite("storage", "container", "list")
    assert code == 1
    assert said in err


def test_every_storage_command_has_its_function_and_its_options():
    for command in [*ACCOUNTS, *CONTENTS]:
        module, function = command.operation.split("#")
        __import__(f"lazulite.cli.{module}")
        assert callable(getattr(sys.modules[f"lazulite.cli.{module}"], function)), command.name
        found = arguments_of(command.options, ACCESS, declared=StorageArguments)
        flags = [flag for _, item in found for flag in item.options_list]
        assert len(flags) == len(set(flags)), f"{command.name}: {sorted(flags)}"
