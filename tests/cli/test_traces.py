"""--debug and --verbose: what was asked of whom, and no secret."""

import pytest

from lazulite.cli.traces import flags_last, redacted, shown_url


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("login -u me -p hush --tenant t", "login -u me -p *** --tenant t"),
        ("storage blob list --account-key hush -c b", "storage blob list --account-key *** -c b"),
        ("ml job create --set a.b=hush c=hush", "ml job create --set a.b=*** c=***"),
        ("rest --headers A hush --url u", "rest --headers *** *** --url u"),
        ("x --connection-string=hush", "x --connection-string=***"),
        ("login --pass hush --tenant t", "login --pass *** --tenant t"),
        ("login --pass=hush", "login --pass=***"),
        ("login -phush -u me", "login -p*** -u me"),
        ("login -p=hush", "login -p***"),
        ("login -iphush", "login -i***"),
        ("login -ip hush", "login -i*** ***"),
        ("login -p -123", "login -p ***"),
        ("storage blob list --account-k hush", "storage blob list --account-k ***"),
        ("x --account-name a --sas hush", "x --account-name a --sas ***"),
        ("rest --body={https://hush}", "rest --body=***"),
        ("x --set a=https://hush", "x --set a=***"),
        ("x -- y", "x -- y"),
        ("x --source-uri https://a/b?sig=hush&api-version=1", "x --source-uri https://a/b?api-version=1"),
    ],
)  # fmt: skip
def test_a_command_line_is_told_without_secrets(line, shown):
    assert " ".join(redacted(line.split())) == shown


def test_a_url_is_told_without_its_signature():
    assert shown_url("https://a/b?sig=hush&comp=list&sv=1") == "https://a/b?comp=list"
    assert shown_url("https://a/b") == "https://a/b"


def test_global_flags_may_come_first(server, lazulite):
    assert flags_last(["--debug", "ml", "-o", "x"]) == ["ml", "-o", "x", "--debug"]
    assert flags_last(["--debug"]) == ["--debug"]
    server.keep("computes/c", {"properties": {}})
    assert lazulite("--only-show-errors", "ml", "compute", "show", "-n", "c")[0] == 0


@pytest.fixture
def said(server, lazulite, caplog, tmp_path):
    """What --debug logs of a deployment's creation, with secrets at every place."""
    server.answer("PUT", "datastores/d", 201, {"properties": {}}, {"x-ms-request-id": "r-17"})
    file = tmp_path / "d.yml"
    file.write_text(
        "name: d\ntype: azure_blob\naccount_name: a\ncontainer_name: c\n"
        "credentials: {account_key: aHVzaA==}\n"
    )
    line = ["ml", "datastore", "create", "-f", str(file), "--set", "description=hush", "--debug"]
    with caplog.at_level("DEBUG", "cli"):
        code = lazulite(*line)[0]
    assert code == 0
    return caplog.text


def test_debug_tells_requests_with_status_time_and_id(said, server):
    place = f"PUT {server.url}/subscriptions/s1/resourceGroups/g1"
    (line,) = [each for each in said.splitlines() if place in each]
    assert "201, request id r-17, " in line
    assert line.endswith(" ms")
    assert f"{server.url} as client c1" in said


def test_debug_tells_no_secret(said):
    """Neither the client's, nor a token, nor what was typed or stood in the file."""
    assert "description=***" in said
    for secret in ("hush", "for http", "aHVzaA", "Bearer", "sig="):
        assert secret not in said


def test_a_request_without_an_answer_is_told_too(server, lazulite, caplog, monkeypatch):
    monkeypatch.setenv("LAZULITE_URL", "http://127.0.0.1:1")
    with caplog.at_level("INFO", "cli"):
        lazulite("ml", "compute", "list")
    assert "http://127.0.0.1:1/t1/oauth2/v2.0/token: no answer, " in caplog.text
