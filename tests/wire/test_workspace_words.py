"""`ml workspace` and `ml connection`, as they are typed, on a server."""

import json

import pytest

from tests.wire.shell import Shell


@pytest.fixture
def shell(server, tmp_path):
    return Shell(server, tmp_path)


def test_a_workspace_is_made_changed_and_deleted(shell):
    shell.write("ws.yml", "name: words\ndisplay_name: Words\nhbi_workspace: true\ntags: {a: b}\n")
    made = json.loads(shell.az("az ml workspace create -f ws.yml --location local"))
    assert (made["name"], made["display_name"], made["hbi_workspace"]) == ("words", "Words", True)
    assert made["discovery_url"].startswith("https://")
    line = "az ml workspace update -n words --description mine --set tags.c=d"
    changed = json.loads(shell.az(line))
    assert (changed["description"], changed["display_name"]) == ("mine", "Words")
    assert changed["tags"] == {"a": "b", "c": "d"}
    assert "words" in json.loads(shell.az("az ml workspace list --query [].name"))
    keys = json.loads(shell.az("az ml workspace list-keys -n words"))
    assert keys["userStorageKey"]
    shell.az("az ml workspace sync-keys -n words")
    assert "value" in json.loads(shell.az("az ml workspace diagnose -n words"))
    assert json.loads(shell.az("az ml datastore list -w words --query [].name"))
    _, _, said = shell.run("az ml workspace delete -n words --yes --all-resources")
    assert "Deleting workspace" in said
    assert shell.run("az ml workspace show -n words")[0] == 3


def test_the_usual_workspace_is_shown_without_a_name(shell):
    shown = json.loads(shell.az("az ml workspace show"))
    assert shown["id"].lower() == shell.server.workspace.lower()
    assert shown["name"] in shell.az("az ml workspace list -o table")
    refused = shell.refused("az ml workspace create -n x --set resource_group=other")
    assert "give --resource-group other" in refused


def test_a_connection_keeps_its_secret_to_itself(shell):
    text = "name: words\ntype: azure_open_ai\ntarget: https://host/\n"
    shell.write("c.yml", f"{text}credentials: {{type: api_key, key: hush}}\n")
    made = json.loads(shell.az("az ml connection create -f c.yml"))
    assert (made["type"], made["credentials"]) == ("azure_open_ai", {"type": "api_key"})
    assert "hush" not in json.dumps(made)
    assert "words" in shell.az("az ml connection list -o table")
    assert json.loads(shell.az("az ml connection show -n words")) == made
    shell.write("c.yml", f"{text}credentials: {{type: pat, key: hush}}\n")
    said = shell.refused("az ml connection create -f c.yml")
    assert "c.yml:4:26: credentials.key: credentials of type pat have pat" in said
    shell.az("az ml connection delete -n words --yes")
    assert shell.run("az ml connection show -n words")[0] == 3


def test_a_connection_is_changed_and_keeps_its_secret(shell):
    text = "name: kept\ntype: azure_open_ai\ntarget: https://host/\n"
    shell.write("c.yml", f"{text}credentials: {{type: api_key, key: hush}}\n")
    shell.az("az ml connection create -f c.yml")
    shell.az("az ml connection update -n kept --set target=https://other/")
    shown = json.loads(shell.az("az ml connection show -n kept --populate-secrets"))
    assert (shown["target"], shown["credentials"]["key"]) == ("https://other/", "hush")
    assert "kept" in json.loads(shell.az("az ml connection list -t azure_open_ai --query [].name"))
    assert json.loads(shell.az("az ml connection list --type git --max-results 3")) == []
    shell.az("az ml connection delete -n kept --yes")
