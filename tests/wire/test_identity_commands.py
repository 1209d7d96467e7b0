"""`ad` and `role` against a real server, as their users type them."""

import contextlib
import json
import uuid

import pytest

from lazulite.cli.main import main

OTHERS = ("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "LAZULITE_URL")


@pytest.fixture
def lazulite(monkeypatch, capsys):
    """Runs a command on a server, as the administrator or another client: code, result, stderr."""

    def run(server, line, *more, client=None):
        for name in OTHERS:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("LAZULITE_DATA_DIR", str(server.data_dir))
        if client is not None:
            monkeypatch.setenv("AZURE_CLIENT_ID", client["appId"])
            monkeypatch.setenv("AZURE_CLIENT_SECRET", client["password"])
        code = 2
        with contextlib.suppress(SystemExit):
            code = main([*line.split(), *more])
        printed = capsys.readouterr()
        return code, json.loads(printed.out) if printed.out.strip() else None, printed.err

    return run


def made(lazulite, server, role="Reader", scope=None):
    """A new principal with a role at the workspace."""
    name = f"p-{uuid.uuid4()}"
    scopes = ("--scopes", scope or server.workspace, "--role", role)
    code, result, said = lazulite(server, "ad sp create-for-rbac -n", name, *scopes)
    assert (code, result["displayName"]) == (0, name), said
    return result


def test_create_for_rbac_gives_a_client_with_the_role(lazulite, server):
    client = made(lazulite, server, "AzureML Data Scientist")

    assert client.keys() == {"appId", "displayName", "password", "tenant"}
    assert lazulite(server, "ml online-endpoint list", client=client)[0] == 0
    for line in ("ad sp list", "ad key rotate", "ad sp create-for-rbac"):
        code, _, said = lazulite(server, line, client=client)
        assert (code, "Authorization_RequestDenied" in said) == (1, True), line
    _, given, _ = lazulite(server, "role assignment list --all --assignee", client["appId"])
    assert [(each["roleDefinitionName"], each["scope"]) for each in given] == [
        ("AzureML Data Scientist", server.workspace)
    ]
    assert given[0]["principalName"] == client["appId"]


def test_create_for_rbac_again_reuses_the_application_and_adds_a_secret(lazulite, server):
    first = made(lazulite, server)
    code, second, said = lazulite(server, "ad sp create-for-rbac -n", first["displayName"])
    assert (code, second["appId"]) == (0, first["appId"])
    assert "existing application" in said
    assert second["password"] != first["password"]
    for client in (first, second):
        assert lazulite(server, "ml model list", client=client)[0] == 0


def test_role_without_scopes_is_refused_before_anything_is_made(lazulite, server):
    name = f"p-{uuid.uuid4()}"
    code, _, said = lazulite(server, "ad sp create-for-rbac --role Reader -n", name)
    assert (code, "--scopes" in said) == (1, True)
    assert lazulite(server, "ad sp list --display-name", name)[1] == []


def test_a_role_is_given_listed_and_taken_back(lazulite, server):
    client = made(lazulite, server)
    group = server.workspace.partition("/providers/")[0]
    who = ("--assignee", client["appId"], "--scope", group)
    line = "role assignment create --role Contributor"

    first, again = lazulite(server, line, *who)[1], lazulite(server, line, *who)[1]

    assert first == again
    listing = "role assignment list --include-inherited --assignee"
    inherited = lazulite(server, listing, client["appId"], "--scope", server.workspace)[1]
    assert sorted(each["roleDefinitionName"] for each in inherited) == ["Contributor", "Reader"]
    assert lazulite(server, "role assignment delete --role Contributor", *who)[0] == 0
    assert lazulite(server, "role assignment delete --role Contributor", *who)[0] == 3
    reader = lazulite(server, "role assignment list --all --assignee", client["appId"])[1]
    assert lazulite(server, "role assignment delete --ids", reader[0]["id"])[0] == 0
    assert lazulite(server, "ml model list", client=client)[0] == 1


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("role assignment create --role Reader --scope /", 1, "--assignee"),
        ("role assignment create --role Reader --scope / --assignee nobody", 3, "nobody"),
        ("role assignment create --role King --scope / --assignee-object-id x", 3, "King"),
        ("role assignment delete --scope /", 1, "--assignee"),
        ("ad sp show --id nobody", 3, "nobody"),
        ("ad sp create --id nobody", 1, "nobody"),
    ],
)
def test_faults_say_what_to_do(lazulite, server, line, code, said):
    answered = lazulite(server, line)
    assert (answered[0], said in answered[2]) == (code, True), answered


def test_an_owner_of_a_group_gives_roles_by_object_id(lazulite, server):
    group = server.workspace.partition("/providers/")[0]
    owner, friend = made(lazulite, server, "Owner", group), made(lazulite, server)
    principal = lazulite(server, "ad sp show --id", friend["appId"])[1]
    line = "role assignment create --role Contributor --scope"

    refused = lazulite(server, line, group, "--assignee", friend["appId"], client=owner)
    given = lazulite(server, line, group, "--assignee-object-id", principal["id"], client=owner)

    assert (refused[0], "--assignee-object-id" in refused[2]) == (1, True)
    assert (given[0], given[1]["principalId"]) == (0, principal["id"])
    above = group.rpartition("/resourceGroups/")[0]
    beyond = lazulite(server, line, above, "--assignee-object-id", principal["id"], client=owner)
    assert (beyond[0], "AuthorizationFailed" in beyond[2]) == (1, True)


def test_reset_voids_the_other_secrets_unless_they_are_kept(lazulite, server):
    client = made(lazulite, server)
    reset = "ad sp credential reset --id"
    _, kept, _ = lazulite(server, reset, client["appId"], "--append", "--display-name", "second")
    for each in (client, kept):
        assert lazulite(server, "ml model list", client=each)[0] == 0
    _, listed, _ = lazulite(server, "ad sp credential list --id", client["appId"])
    assert {each["displayName"] for each in listed} == {"rbac", "second"}
    assert all("secretText" not in each for each in listed)

    _, only, _ = lazulite(server, reset, client["appId"])

    assert lazulite(server, "ml model list", client=only)[0] == 0
    for each in (client, kept):
        assert lazulite(server, "ml model list", client=each)[0] == 1
    (left,) = lazulite(server, "ad sp credential list --id", client["appId"])[1]
    line = "ad sp credential delete --id"
    assert lazulite(server, line, client["appId"], "--key-id", left["keyId"])[0] == 0
    assert lazulite(server, "ml model list", client=only)[0] == 1


def test_a_deleted_principal_is_gone_with_its_application(lazulite, server):
    client = made(lazulite, server)
    assert lazulite(server, "ad sp delete --id", client["appId"])[0] == 0
    assert lazulite(server, "ad sp show --id", client["appId"])[0] == 3
    assert lazulite(server, "ml model list", client=client)[0] == 1


@pytest.mark.slow
def test_administrator_secret_and_signing_key_are_replaced_while_the_server_runs(
    lazulite, own_server, tmp_path
):
    server = own_server
    before = json.loads((server.data_dir / "credentials.json").read_text())
    old = server.token()
    canary = made(lazulite, server)

    code, keys, _ = lazulite(server, "ad key rotate")
    assert (code, [each["signs"] for each in keys]) == (0, [True, False])
    assert server.call("GET", "").status_code == 200  # with the token of the old key
    code, reset, _ = lazulite(server, "ad sp credential reset --id", before["client_id"])
    assert code == 0
    after = json.loads((server.data_dir / "credentials.json").read_text())
    assert after == before | {"client_secret": reset["password"]}
    assert (server.data_dir / "credentials.json").stat().st_mode & 0o777 == 0o600
    assert server.call("GET", "").status_code == 401  # its secret is gone
    assert lazulite(server, "ad key list")[1] == keys

    assert server.down() == 0
    server.up()
    assert server.call("GET", "").status_code == 200
    assert lazulite(server, "ad key list")[1] == keys
    assert lazulite(server, "ml model list", client=canary)[0] == 0
    log = (tmp_path / "server.log").read_bytes()
    for secret in (before["client_secret"], reset["password"], canary["password"], old):
        assert secret.encode() not in log
        for path in server.data_dir.glob("lazulite.db*"):
            assert secret.encode() not in path.read_bytes()
