"""What scripts of az say before and besides `az ml`, as it is typed, on a server."""

import json
import os
import subprocess

import pytest

from tests.wire.shell import Shell


@pytest.fixture
def shell(server, tmp_path):
    """Signed in as the administrator, now and afterwards."""
    found = Shell(server, tmp_path)
    yield found
    found.az("az login")


def test_an_old_script_begins_as_it_always_has(shell):
    assert json.loads(shell.az("az version --query '\"azure-cli\"'")) >= "2.15.0"
    for line in (
        "az extension add -n ml -y",
        "az extension add --source https://host/ml-0.0.66-py3-none-any.whl --yes --upgrade",
        "az extension update -n ml",
        "az extension remove --name ml",
        "az upgrade --yes",
        "az cloud register -n Own --endpoint-resource-manager https://localhost:8443",
        "az cloud set -n Own",
        "az cloud unregister -n Own",
    ):
        code, out, err = shell.run(line)
        assert (code, out) == (0, ""), err
        assert "Nothing is" in err
    (known,) = json.loads(shell.az("az extension list"))
    assert (known["name"], known["preview"]) == ("ml", False)
    assert "no extension 'other'" in shell.refused("az extension add -n other")
    assert json.loads(shell.az("az cloud show --query name")) == "AzureCloud"
    assert json.loads(shell.az("az cloud list --query [].isActive")) == [True]
    assert json.loads(shell.az("az cloud list-profiles")) == ["latest"]
    assert shell.run("az cloud show -n Other")[0] == 3


def test_groups_have_the_fields_of_azure(shell):
    made = json.loads(shell.az("az group create -n words -l local --tags a=1"))
    assert {"id", "location", "managedBy", "name", "properties", "tags", "type"} == set(made)
    assert (made["tags"], made["type"]) == ({"a": "1"}, "Microsoft.Resources/resourceGroups")
    assert made in json.loads(shell.az("az group list"))
    assert json.loads(shell.az("az group show --name words")) == made
    assert json.loads(shell.az("az group show --query name")) == "local"
    assert json.loads(shell.az("az group exists -n words")) is True
    shell.az("az group delete -n words --yes")
    assert json.loads(shell.az("az group exists -n words")) is False
    assert shell.run("az group show -n words")[0] == 3


def test_the_account_is_told_as_azure_tells_it(shell):
    shown = json.loads(shell.az("az account show"))
    assert {"environmentName", "homeTenantId", "id", "isDefault", "managedByTenants"} < set(shown)
    (listed,) = json.loads(shell.az("az account list"))
    assert listed["cloudName"] == "AzureCloud"
    assert json.loads(shell.az(f"az account show -s {shown['id']}")) == shown
    (region,) = json.loads(shell.az("az account list-locations"))
    assert region["name"] == "local"
    (tenant,) = json.loads(shell.az("az account tenant list"))
    assert tenant["tenantId"] == shown["tenantId"]
    for option in ("--resource https://ml.azure.com", "--resource-type aml"):
        line = f"az account get-access-token {option} --query tokenType"
        assert json.loads(shell.az(line)) == "Bearer"
    assert "not one of" in shell.refused("az account get-access-token --resource-type none")
    shell.az("az configure --defaults location=local")
    (kept,) = json.loads(shell.az("az configure -l"))
    assert (kept["name"], kept["value"]) == ("location", "local")
    assert kept["source"].endswith("defaults.json")
    shell.az("az configure --defaults location=''")


def test_any_request_is_sent_with_a_token_to_this_server_only(shell):
    query = "--uri-parameters api-version=2022-12-01 --query value[].displayName"
    assert json.loads(shell.az(f"az rest --url https://management.azure.com/subscriptions {query}"))
    assert json.loads(shell.az(f"az rest -m get -u /subscriptions {query}")) == ["Lazulite"]
    group = "/subscriptions/{subscriptionId}/resourcegroups/rested?api-version=2021-04-01"
    shell.write("group.json", '{"location": "local"}')
    made = json.loads(shell.az(f"az rest --method put --url {group} --body @group.json"))
    assert made["name"] == "rested"
    shell.az(f"az rest --method delete --url {group} --headers x-ms-client-request-id=1")
    shell.az(f"az rest --url {shell.server.base}/healthz --output-file out")
    assert (shell.folder / "out").read_bytes()
    bare = "az rest --url /subscriptions?api-version=2022-12-01 --skip-authorization-header"
    assert "AuthenticationFailed" in shell.refused(bare)
    for line, said in (
        ("az rest --url nonsense", "must be a URL, or a path"),
        ("az rest --url / --method dance", "is not one of get, put"),
        ("az rest --url / --body @none", "cannot be read"),
        ("az rest --url / --headers {a", "is not JSON"),
    ):
        assert said in shell.refused(line)


def test_who_has_signed_out_has_to_sign_in_again(shell):
    shell.az("az logout")
    said = shell.refused("az ml model list")
    assert "az login" in said
    assert [each["name"] for each in json.loads(shell.az("az login"))] == ["Lazulite"]
    shell.az("az ml model list")


def test_a_service_principal_signs_in_and_has_its_own_roles(shell):
    subscription = json.loads(shell.az("az account show --query id"))
    scope = f"--role Reader --scopes /subscriptions/{subscription}"
    made = json.loads(shell.az(f"az ad sp create-for-rbac -n words {scope}"))
    who = f"-u {made['appId']} -p {made['password']} --tenant {made['tenant']}"
    (found,) = json.loads(shell.az(f"az login --service-principal {who}"))
    assert found["user"] == {"name": made["appId"], "type": "servicePrincipal"}
    shell.az("az ml model list")
    assert "AuthorizationFailed" in shell.refused("az group create -n none")
    kept = shell.server.data_dir / "cli" / "sign-in.json"
    assert kept.stat().st_mode & 0o077 == 0
    wrong = who.replace(made["password"], "wrong")
    assert "AuthenticationFailed" in shell.refused(f"az login --service-principal {wrong}")
    assert json.loads(shell.az("az account show --query user.name")) == made["appId"]
    shell.az("az login")
    shell.az(f"az ad sp delete --id {made['appId']}")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("az login --identity", "--identity is not there"),
        ("az login -u me@example.org -p secret", "There are no users here"),
        ("az login --service-principal -u app", "needs --password, --tenant as well"),
    ],
)
def test_ways_of_signing_in_that_are_not_there_say_so(shell, line, said):
    assert said in shell.refused(line)


def test_the_shim_is_az_and_passes_on_what_it_does_not_know(shell, tmp_path):
    shell.az("az az-shim bin")
    real = tmp_path / "real" / "az"
    real.parent.mkdir()
    real.write_text('#!/bin/sh\necho real "$@"\n')
    real.chmod(0o755)

    def typed(*words, path):
        env = {**os.environ, "LAZULITE_DATA_DIR": str(shell.server.data_dir), "PATH": path}
        shim = str(tmp_path / "bin" / "az")
        return subprocess.run([shim, *words], env=env, capture_output=True, text=True, check=False)

    alone = f"{tmp_path / 'bin'}:/usr/bin:/bin"
    assert "ml" in typed("extension", "list", path=alone).stdout
    unknown = typed("keyvault", "list", path=alone)
    assert (unknown.returncode, "'keyvault' is not in" in unknown.stderr) == (2, True)
    both = f"{tmp_path / 'bin'}:{tmp_path / 'real'}:/usr/bin:/bin"
    assert typed("keyvault", "list", path=both).stdout == "real keyvault list\n"
    assert "ml" in typed("extension", "list", path=both).stdout
    assert "is no shim" in shell.refused("az az-shim real")
    assert real.read_text().startswith("#!/bin/sh\necho real")
    shell.az("az az-shim bin")
