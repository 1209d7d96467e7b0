"""What `az-register` has the Azure CLI do, and what it prints; the program is a double."""

import json
import sys

import pytest

from lazulite.cli.az_cloud import register
from lazulite.cli.client_commands import ClientArguments
from lazulite.cli.errors import CommandError
from lazulite.cli.report import Report

URL = "https://localhost:8443"
SERVER = {
    "url": URL,
    "tenant_id": "t",
    "subscription_id": "s",
    "resource_group": "g",
    "workspace": "w",
    "ca_file": "/ca.pem",
    "ca_bundle": "/the bundle.pem",
}
PRINCIPAL = {"tenant_id": "t", "client_id": "c", "client_secret": "hush"}
AZ = """#!{python}
import json, os, pathlib, sys
here = pathlib.Path(__file__).parent
clouds = json.loads((here / "clouds").read_text())
said = [sys.argv[1:], sys.stdin.read(), dict(os.environ)]
with (here / "said").open("a") as file:
    print(json.dumps(said), file=file)
if sys.argv[1:3] == ["cloud", "list"]:
    print(json.dumps([{{"name": name}} for name in clouds]))
if sys.argv[1:3] == ["cloud", "register"]:
    (here / "clouds").write_text(json.dumps([*clouds, sys.argv[4]]))
if sys.argv[1] == "login" and (here / "refuse").exists():
    sys.exit("AADSTS7000215: no")
"""


@pytest.fixture
def az(tmp_path):
    """A folder for PATH, with an az that notes what it is told."""
    (tmp_path / "server.json").write_text(json.dumps(SERVER))
    (tmp_path / "credentials.json").write_text(json.dumps(PRINCIPAL))
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "az").write_text(AZ.format(python=sys.executable))
    (folder / "az").chmod(0o755)
    (folder / "clouds").write_text('["AzureCloud"]')
    return folder


def registered(az, **given):
    arguments = ClientArguments(data_dir=str(az.parent), **given)
    environ = {"PATH": str(az), "ARM_CLOUD_METADATA_URL": "https://elsewhere/metadata"}
    register(arguments, environ, Report(quiet=True))
    lines = (az / "said").read_text().splitlines()
    (az / "said").unlink()
    return [json.loads(line) for line in lines]


def test_az_gets_a_cloud_and_a_principal_in_a_folder_of_its_own(az, capsys):
    said = registered(az)
    assert [words[:2] for words, _, _ in said] == [
        ["cloud", "list"],
        ["cloud", "register"],
        ["cloud", "set"],
        ["config", "set"],
        ["login", "--service-principal"],
    ]
    words = said[1][0]
    assert words[words.index("--endpoint-resource-manager") + 1] == URL
    assert words[words.index("--suffix-storage-endpoint") + 1] == "core.localhost:8443"
    for _, _, environ in said:
        assert environ["AZURE_CONFIG_DIR"] == str(az.parent / "az")
        assert environ["REQUESTS_CA_BUNDLE"] == "/the bundle.pem"
        assert "ARM_CLOUD_METADATA_URL" not in environ, "it would name the cloud before we do"
    assert capsys.readouterr().out.splitlines() == [
        f"export AZURE_CONFIG_DIR={az.parent}/az",
        "export REQUESTS_CA_BUNDLE='/the bundle.pem'",
        "export SSL_CERT_FILE='/the bundle.pem'",
    ]


def test_the_secret_is_on_no_command_line(az):
    said = registered(az)
    assert [text for _, text, _ in said] == ["", "", "", "", "hush"]
    assert not any("hush" in words for words, _, _ in said)


def test_a_second_call_brings_the_cloud_up_to_date(az):
    registered(az)
    assert registered(az)[1][0][:4] == ["cloud", "update", "-n", "Lazulite"]


def test_a_folder_and_a_shell_can_be_chosen(az, tmp_path, capsys):
    registered(az, folder=str(tmp_path / "own"), shell="fish")
    assert f"set -gx AZURE_CONFIG_DIR '{tmp_path}/own'" in capsys.readouterr().out
    assert (tmp_path / "own").stat().st_mode & 0o777 == 0o700


def test_what_az_says_is_told_and_nothing_is_printed(az, capsys):
    (az / "refuse").touch()
    with pytest.raises(CommandError, match=r"`az login .* failed: AADSTS7000215: no") as failure:
        registered(az)
    assert "hush" not in failure.value.message
    assert capsys.readouterr().out == ""


def test_without_az_it_is_said_how_to_get_it(az):
    (az / "az").unlink()
    with pytest.raises(CommandError, match="pip install azure-cli"):
        registered(az)
