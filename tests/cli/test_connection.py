"""Where commands go, as whom, and what is said when that fails."""

import io
import json
import os
import subprocess
import sys
from importlib import import_module

import pytest

from lazulite.cli.arguments import arguments_of
from lazulite.cli.connection import connect, data_directory
from lazulite.cli.errors import CommandError
from lazulite.cli.http import Http, Request
from lazulite.cli.ml_commands import ML
from lazulite.cli.tokens import Tokens

SERVER = {
    "url": "https://localhost:8443",
    "http_url": "http://localhost:8080",
    "tenant_id": "t",
    "subscription_id": "s",
    "resource_group": "g",
    "workspace": "w",
    "ca_file": "/ca.pem",
}
PRINCIPAL = {"tenant_id": "t", "client_id": "c", "client_secret": "hush"}
OTHER = {"AZURE_CLIENT_ID": "c2", "AZURE_CLIENT_SECRET": "quiet"}


def started(tmp_path):
    (tmp_path / "server.json").write_text(json.dumps(SERVER))
    (tmp_path / "credentials.json").write_text(json.dumps(PRINCIPAL))
    return tmp_path


def test_the_data_directory_is_chosen_by_option_then_variable_then_home():
    assert str(data_directory("/a", {"LAZULITE_DATA_DIR": "/b"})) == "/a"
    assert str(data_directory("", {"LAZULITE_DATA_DIR": "/b"})) == "/b"
    assert data_directory("", {}).name == ".lazulite"


def test_a_running_server_is_found_by_what_it_wrote(tmp_path):
    found = connect(started(tmp_path), {})
    assert (found.url, found.workspace, found.client_secret) == (SERVER["url"], "w", "hush")
    assert str(found.ca_file) == "/ca.pem"


def test_options_win_over_variables_and_those_over_files(tmp_path):
    environ = {"LAZULITE_WORKSPACE": "w2", "LAZULITE_RESOURCE_GROUP": "g2", **OTHER}
    found = connect(started(tmp_path), environ, workspace="w3")
    assert (found.workspace, found.resource_group, found.client_id) == ("w3", "g2", "c2")


ELSEWHERE = {
    "LAZULITE_RESOURCE_GROUP": "g",
    "LAZULITE_WORKSPACE": "w",
    "AZURE_SUBSCRIPTION_ID": "s",
    "AZURE_TENANT_ID": "adfs",
}


@pytest.mark.parametrize("url", ["https://elsewhere:1", "http://localhost:8443"])
def test_the_administrators_secret_goes_to_no_other_server(tmp_path, url):
    """Neither to another one's URL nor in clear to the port of this one's TLS."""
    environ = {"LAZULITE_URL": url, **ELSEWHERE}
    with pytest.raises(CommandError, match="needs AZURE_CLIENT_ID, AZURE_CLIENT_SECRET"):
        connect(started(tmp_path), environ)
    found = connect(started(tmp_path), {**environ, **OTHER})
    assert (found.client_id, found.client_secret) == ("c2", "quiet")


@pytest.mark.parametrize("url", ["https://localhost:8443/", "http://localhost:8080"])
def test_this_server_is_known_by_both_of_its_urls(tmp_path, url):
    found = connect(started(tmp_path), {"LAZULITE_URL": url})
    assert (found.client_secret, found.workspace) == ("hush", "w")


def test_a_principal_comes_from_one_source_alone(tmp_path):
    folder = started(tmp_path)
    with pytest.raises(CommandError, match="needs AZURE_CLIENT_SECRET:"):
        connect(folder, {"AZURE_CLIENT_ID": "c2"})
    found = connect(folder, {"AZURE_CLIENT_SECRET": "quiet"})
    assert (found.client_id, found.client_secret) == ("c", "hush")
    signed_in = {"tenant_id": "t3", "client_id": "c3", "client_secret": "calm"}
    found = connect(folder, {"AZURE_TENANT_ID": "t2"}, signed_in=signed_in)
    assert (found.tenant_id, found.client_id, found.client_secret) == ("t3", "c3", "calm")
    found = connect(folder, OTHER, signed_in=signed_in)
    assert (found.tenant_id, found.client_id, found.client_secret) == ("t", "c2", "quiet")


def test_another_servers_url_does_not_borrow_this_ones_workspace(tmp_path):
    with pytest.raises(CommandError, match="LAZULITE_WORKSPACE"):
        connect(started(tmp_path), {"LAZULITE_URL": "https://elsewhere:1"})


def test_no_server_is_told_with_the_remedy(tmp_path):
    with pytest.raises(CommandError, match="lazulite up"):
        connect(tmp_path, {})


def test_a_secret_is_in_no_representation(tmp_path):
    assert "hush" not in repr(connect(started(tmp_path), {}))


@pytest.fixture
def tokens_at(server, tmp_path):
    """Tokens as they are at a time in unix seconds, all with the same folder."""
    environ = {
        "LAZULITE_URL": server.url,
        "AZURE_TENANT_ID": "t",
        "AZURE_SUBSCRIPTION_ID": "s",
        "AZURE_CLIENT_ID": "c",
        "AZURE_CLIENT_SECRET": "hush",
        "LAZULITE_RESOURCE_GROUP": "g",
        "LAZULITE_WORKSPACE": "w",
    }
    http = Http(None)
    yield lambda now: Tokens(connect(tmp_path, environ), http, lambda: now)
    http.close()


def test_a_token_is_kept_until_shortly_before_it_expires(server, tokens_at):
    assert tokens_at(0).get("a/.default") == "for a/.default"
    tokens_at(3000).get("a/.default")
    assert len(server.sent("POST", "/t/oauth2/v2.0/token")) == 1
    tokens_at(3400).get("a/.default")
    assert len(server.sent("POST", "/t/oauth2/v2.0/token")) == 2


def test_kept_tokens_are_private_and_hold_no_secret(tokens_at, tmp_path):
    tokens_at(0).get("a/.default")
    kept = tmp_path / "cli" / "tokens.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert "hush" not in kept.read_text()


def test_a_refused_client_is_told_in_the_servers_words(server, tokens_at):
    body = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret"}
    server.answer("POST", "/t/oauth2/v2.0/token", 401, body)
    with pytest.raises(CommandError, match="AADSTS7000215") as caught:
        tokens_at(0).get("a/.default")
    assert "AZURE_CLIENT_ID" in caught.value.message


def test_a_token_the_server_no_longer_takes_is_renewed_once(server, lazulite):
    server.answer("GET", "computes/c", 401, {"error": {"code": "InvalidAuthenticationToken"}})
    server.answer("GET", "computes/c", 200, {"name": "c", "properties": {}})
    assert lazulite("ml", "compute", "show", "-n", "c")[0] == 0
    assert len(server.sent("POST", "/t1/oauth2/v2.0/token")) == 2


def test_an_unreachable_server_is_told_with_the_remedy(lazulite, server, monkeypatch):
    monkeypatch.setenv("LAZULITE_URL", "http://127.0.0.1:1")
    code, _, err = lazulite("ml", "compute", "list")
    assert code == 1
    assert "(ServerNotReachable)" in err
    assert "lazulite up" in err


def test_a_connection_closed_by_the_server_is_opened_again(server):
    http = Http(None)
    url = f"{server.url}/x"
    server.answer("GET", "/x", 200, {"a": 1})
    assert http.send(Request(method="GET", url=url)).status == 200
    [kept] = http._idle[server.url]
    kept.sock.shutdown(2)
    assert http.send(Request(method="GET", url=url)).status == 200
    http.close()


SERVERS = ["httpx2", "pydantic", "sqlalchemy", "starlette", "cryptography"]
HEAVY = ["ruamel", "yaml", "asyncio", "jmespath", *SERVERS]
MODULES = 320


@pytest.mark.parametrize(
    ("line", "heavy"),
    [
        ("ml job show -n x", HEAVY),
        ("login", HEAVY),
        ("cloud list", HEAVY),
        ("ml online-endpoint show --local -n x", SERVERS),
        ("ml endpoint show --local -n x", SERVERS),
    ],
)
def test_nothing_but_what_is_needed_is_imported(tmp_path, line, heavy):
    """A command must start in a moment: the budget is the list of what it may load."""
    code = (
        f"import sys\nfrom lazulite.cli.main import main\nmain({line.split()})\n"
        f"found = set({heavy}) & set(sys.modules)\n"
        "print(found, file=sys.stderr)\nsys.exit(bool(found))\n"
    )
    environ = {**os.environ, "LAZULITE_DATA_DIR": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("line", ["version", "ml online-endpoint list", "ml job show -n x", "-h"])
def test_few_modules_are_imported(tmp_path, line):
    """As many as a command loads in 0.2 s on a laptop; each takes its half millisecond."""
    code = (
        "import sys\nfrom lazulite.cli.main import main\n"
        f"try: main({line.split()})\nexcept SystemExit: pass\n"
        "print(len(sys.modules), file=sys.stderr)\n"
    )
    environ = {**os.environ, "LAZULITE_DATA_DIR": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True)
    assert int(ran.stderr.split()[-1]) < MODULES, ran.stderr


def test_an_unknown_option_has_exit_code_2(lazulite):
    assert lazulite("ml", "compute", "show")[0] == 2


def test_every_command_has_its_function_and_its_options():
    for command in ML:
        module, function = command.operation.split("#")
        assert callable(getattr(import_module(f"lazulite.cli.{module}"), function)), command.name
        flags = [flag for _, item in arguments_of(command.options) for flag in item.options_list]
        assert len(flags) == len(set(flags)), f"{command.name}: {sorted(flags)}"


def test_help_lists_every_group(lazulite):
    _, out, _ = lazulite("ml", "-h")
    for noun in ("online-endpoint", "batch-deployment", "compute", "datastore", "environment"):
        assert noun in out


def test_an_answer_that_breaks_off_is_no_whole_one(server, tmp_path):
    """Neither over a new connection nor over a kept one, which is not asked a second time."""
    http = Http(None)
    http.send(Request(method="GET", url=f"{server.url}/first"))  # the connection that is kept
    short = {"Content-Length": "10", "Connection": "close"}
    server.answer("GET", "/x", 200, b"four", short)
    for _ in range(2):
        content = io.BytesIO()
        with pytest.raises(CommandError, match="ncomplete"):
            http.send(Request(method="GET", url=f"{server.url}/x"), content)
        assert content.getvalue() == b"four"
    assert len(server.sent("GET", "/x")) == 2
    http.close()


def test_a_full_disk_is_not_taken_for_a_server_that_is_gone(server):
    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(28, "No space left on device")

    http = Http(None)
    server.answer("GET", "/x", 200, b"four")
    with pytest.raises(CommandError, match="No space left on device") as caught:
        http.send(Request(method="GET", url=f"{server.url}/x"), Full())
    assert caught.value.code == "FileNotWritable"
    http.close()


def test_requests_are_told_with_their_ids_and_without_signatures(server, caplog):
    http = Http(None)
    server.answer("GET", "/x", 200, {"a": 1}, {"x-ms-request-id": "r-1"})
    with caplog.at_level("DEBUG", "cli.lazulite.http"):
        http.send(Request(method="GET", url=f"{server.url}/x?sig=secret"))
    http.close()
    assert "request id r-1" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize("words", [["schema", "model"], ["completion", "bash"]])
def test_a_reader_that_leaves_early_is_no_fault(tmp_path, words):
    """What `lazulite ... | head -1` does, with the reader gone before anything is written."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    command = [sys.executable, "-m", "lazulite", *words]
    environ = {**os.environ, "LAZULITE_DATA_DIR": str(tmp_path)}
    ran = subprocess.run(command, env=environ, stdout=write_end, stderr=subprocess.PIPE)
    os.close(write_end)
    assert (ran.returncode, ran.stderr) == (0, b"")


def test_the_only_tenant_is_known_by_its_id_where_its_server_has_told_it(tmp_path):
    folder = started(tmp_path)
    assert connect(folder, {"AZURE_TENANT_ID": "adfs", **OTHER}).tenant_id == "t"
    elsewhere = {"LAZULITE_URL": "https://elsewhere:1", **ELSEWHERE, **OTHER}
    assert connect(folder, elsewhere).tenant_id == "adfs"
