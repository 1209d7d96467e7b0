"""Options as az has them: switches with a word, short flags of one command, --subscription."""

import json

import pytest

from tests.cli.test_ml_commands import ENDPOINT

SUBSCRIPTIONS = {
    "value": [{"subscriptionId": "s2", "displayName": "Two", "state": "Enabled", "tenantId": "t1"}]
}


@pytest.fixture
def endpoint(server):
    server.keep("onlineEndpoints/e1", ENDPOINT)
    return server


@pytest.mark.parametrize("given", [(), ("--local", "false")])
def test_a_switch_may_say_true_or_false(endpoint, lazulite, given):
    code, _, err = lazulite("ml", "online-endpoint", "show", "-n", "e1", *given)
    assert code == 0, err


def test_a_switch_says_nothing_else(lazulite):
    assert lazulite("ml", "online-endpoint", "show", "-n", "e1", "--local", "perhaps")[0] == 2


@pytest.mark.parametrize("noun", ["online-endpoint", "batch-endpoint"])
def test_an_update_takes_the_name_of_its_file(server, lazulite, tmp_path, noun):
    collection = noun.replace("-e", "E") + "s"
    server.keep(f"{collection}/e1", ENDPOINT)
    (tmp_path / "e.yml").write_text("name: e1\ndescription: from the file\n")
    code, _, err = lazulite(
        "ml", noun, "update", "-f", str(tmp_path / "e.yml"),
        "--set", "tags.a=1", "--set", "tags.b=2", "--remove", "tags.a",
        "--add", "tags.c", "x",
    )  # fmt: skip
    assert (code, "tags" in err) == (1, True)  # a tag is no list
    code, _, err = lazulite(
        "ml", noun, "update", "-f", str(tmp_path / "e.yml"),
        "--set", "tags.a=1", "tags.b=2", "--remove", "tags.a",
    )  # fmt: skip
    assert code == 0, err
    put = server.sent("PUT", f"{collection}/e1")[-1].json
    assert (put["tags"], put["properties"]["description"]) == ({"b": "2"}, "from the file")
    code, _, err = lazulite("ml", noun, "update", "--set", "tags.a=1")
    assert (code, "give --name or the field `name`" in err) == (1, True)


def test_short_flags_of_2021_belong_to_their_command(server, lazulite, tmp_path):
    server.keep("batchEndpoints/b", {"properties": {"scoringUri": f"{server.url}/jobs"}})
    server.answer("POST", "/jobs", 200, {"id": "/j", "name": "j", "properties": {}})
    code, _, err = lazulite(
        "ml", "endpoint", "invoke", "-n", "b", "-t", "batch", "-u", "store", "-p", "in/put",
        "-s", "azureml:other", "-x", "out", "-c", "2", "-m", "5",
    )  # fmt: skip
    assert code == 0, err
    [sent] = server.sent("POST", "/jobs")
    text = json.dumps(sent.json)
    assert all(part in text for part in ("store", "in/put", "other", "out"))
    assert sent.json["properties"]["miniBatchSize"] == 5


def test_a_subscription_may_be_named(server, lazulite):
    server.answer("GET", "/subscriptions", 200, SUBSCRIPTIONS)
    lazulite("ml", "compute", "list", "--subscription", "two")
    code, _, err = lazulite("ml", "compute", "list", "--subscription", "three")
    assert (code, "three" in err) == (3, True)
    guid = "00000000-0000-0000-0000-000000000003"
    lazulite("ml", "compute", "list", "--subscription", guid)
    asked = [each.path for each in server.requests if each.path.endswith("/computes")]
    assert [path.split("/")[2] for path in asked] == ["s2", guid]


def test_a_key_is_replaced_without_a_question(endpoint, lazulite):
    endpoint.answer("POST", "onlineEndpoints/e1/regenerateKeys", 200, {})
    endpoint.answer("POST", "onlineEndpoints/e1/listKeys", 200, {"primaryKey": "k"})
    for words in ("online-endpoint regenerate-keys", "endpoint regenerate-keys"):
        for more in ((), ("--yes",)):
            code, out, err = lazulite("ml", *words.split(), "-n", "e1", *more)
            assert (code, json.loads(out)["primaryKey"]) == (0, "k"), err


def test_a_request_may_have_no_body(endpoint, lazulite):
    kept = {**ENDPOINT["properties"], "scoringUri": f"{endpoint.url}/score"}
    endpoint.keep("onlineEndpoints/e1", {**ENDPOINT, "properties": kept})
    endpoint.answer("POST", "onlineEndpoints/e1/listKeys", 200, {"primaryKey": "k"})
    endpoint.answer("POST", "/score", 200, [1])
    code, out, err = lazulite("ml", "online-endpoint", "invoke", "-n", "e1")
    assert (code, json.loads(out)) == (0, "[1]"), err
    assert endpoint.sent("POST", "/score")[0].body == b""
