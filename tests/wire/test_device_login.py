"""A sign-in by device code, from both ends, on a server."""

import json
import re
from pathlib import Path

import pytest

from lazulite.cli import device_login
from lazulite.cli.errors import CommandError
from lazulite.cli.http import Http
from lazulite.cli.report import Report
from lazulite.cli.sign_in import BY_DEVICE, keep_sign_in
from tests.wire.shell import Shell


@pytest.fixture
def shell(server, tmp_path):
    return Shell(server, tmp_path)


@pytest.fixture
def signed_in(shell, server):
    """Signs a device in; meanwhile: what is done while it waits, given its code."""
    http = Http(Path(server.state["ca_file"]))

    def run(meanwhile):
        said = []
        report = Report(quiet=True)
        report.note = said.append

        def rest(seconds):
            assert seconds > 0
            meanwhile(re.search(r"--approve ([A-Z]+)", said[0])[1])

        return device_login.sign_in(http, server.state["url"], report, rest)

    yield run
    http.close()


def test_a_device_signs_in_as_whom_the_administrator_says(shell, signed_in):
    made = json.loads(shell.az("az ad sp create-for-rbac -n device"))

    def approve(code):
        line = f"az login --approve {code[:4]}-{code[4:]}"
        assert "--approve needs --username APP_ID" in shell.refused(line)
        line += f" --username {made['appId']}"
        said = shell.refused(line)
        assert "The client 'lazulite'" in said
        assert "from the address '127.0.0.1'" in said
        assert "Use --yes" in said
        assert shell.run(f"{line} --yes")[0] == 0

    given = signed_in(approve)
    assert (given["client_id"], given["tenant_id"]) == (made["appId"], made["tenant"])
    line = f"az ad sp credential list --id {made['appId']} --query [].displayName"
    assert "device code" in json.loads(shell.az(line))
    shell.az(
        f"az login --service-principal -u {given['client_id']} -p {given['client_secret']}"
        f" --tenant {given['tenant_id']}"
    )
    shell.az("az login")
    shell.az(f"az ad sp delete --id {made['appId']}")


def test_a_code_that_nobody_knows_is_refused(shell):
    said = shell.refused("az login --approve BCDFGHJK -u anybody")
    assert "There is no such device code, or no more: they last 15 minutes." in said


def test_a_device_that_is_told_no_says_why(shell, signed_in):
    def delete(code):
        shell.az(f"az login --approve {code} -u {made['appId']} --yes")
        shell.az(f"az ad sp delete --id {made['appId']}")

    made = json.loads(shell.az("az ad sp create-for-rbac -n gone"))
    with pytest.raises(CommandError, match="The sign-in failed: "):
        signed_in(delete)


@pytest.mark.parametrize(("role", "stays"), [("--role Owner --scopes /", False), ("", True)])
def test_a_device_that_signs_out_gives_its_secret_back_if_it_may(
    shell, server, signed_in, role, stays
):
    made = json.loads(shell.az(f"az ad sp create-for-rbac -n leaves{stays} {role}"))
    approve = f"az login --yes -u {made['appId']} --approve "
    given = signed_in(lambda code: shell.az(approve + code))
    keep_sign_in(server.data_dir, server.state["url"], {**given, BY_DEVICE: "yes"})
    code, _, said = shell.run("az logout")
    assert code == 0
    assert ("is still good on the server" in said) == stays
    assert "signed out" in shell.refused("az group list")
    shell.az("az login")
    line = f"az ad sp credential list --id {made['appId']} --query [].displayName"
    assert ("device code" in json.loads(shell.az(line))) == stays
    shell.az(f"az ad sp delete --id {made['appId']}")
