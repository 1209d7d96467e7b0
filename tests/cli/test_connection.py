"""Where commands go, as whom, and what is said when that fails."""

import json
import os
import subprocess
import sys
from importlib import import_module

import pytest

from lazulite.cli.arguments import arguments_of
from lazulite.cli.commands import ML
from lazulite.cli.connection import connect, data_directory
from lazulite.cli.errors import CommandError
from lazulite.cli.http import Http, Request
from lazulite.cli.tokens import Tokens

SERVER = {
    "url": "https://localhost:8443",
    "tenant_id": "t",
    "subscription_id": "s",
    "resource_group": "g",
    "workspace": "w",
    "ca_file": "/ca.pem",
}
PRINCIPAL = {"tenant_id": "t", "client_id": "c", "client_secret": "hush"}


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
    environ = {"LAZULITE_WORKSPACE": "w2", "LAZULITE_RESOURCE_GROUP": "g2", "AZURE_CLIENT_ID": "c2"}
    found = connect(started(tmp_path), environ, workspace="w3")
    assert (found.workspace, found.resource_group, found.client_id) == ("w3", "g2", "c2")


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
