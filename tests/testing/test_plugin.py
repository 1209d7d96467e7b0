"""The pytest plugin, as people use it: their tests, in a process of their own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lazulite.testing.workspaces import name_for
from tests.live import processes_of

CLIENTS = Path(sys.prefix) / "ml-clients"
THEIRS = """
import json
import os
import subprocess
import sys

import pytest


@pytest.fixture(scope="session")
def lazulite_options():
    return ["--log-level=info"]


def lazulite_command(*words):
    command = [sys.executable, "-m", "lazulite", *words, "-o", "json", "--only-show-errors"]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout) if ran.stdout else None


@pytest.mark.parametrize("turn", [1, 2])
def test_names_can_be_used_again(lazulite, turn):
    assert lazulite_command("ml", "online-endpoint", "list") == []
    lazulite_command("ml", "online-endpoint", "create", "-n", "same")
    assert os.environ["LAZULITE_WORKSPACE"] == lazulite.workspace
    assert lazulite_command("ml", "workspace", "show")["id"] == lazulite.workspace_id


def test_others_see_nothing_of_it():
    assert "AZURE_CLIENT_SECRET" not in os.environ


def test_there_is_one_server(lazulite, lazulite_server):
    assert lazulite.url == lazulite_server.state["url"]
    print("data folder:", lazulite_server.data_dir)
"""
ML = """
from azure.ai.ml.entities import ManagedOnlineEndpoint
from azure.identity import DefaultAzureCredential


def test_the_client_reaches_the_workspace(lazulite):
    client = lazulite.ml_client()
    assert client.workspaces.get(lazulite.workspace).id == lazulite.workspace_id
    endpoint = ManagedOnlineEndpoint(name="by-client", auth_mode="key")
    client.online_endpoints.begin_create_or_update(endpoint).result()
    assert [each.name for each in client.online_endpoints.list()] == ["by-client"]
    token = DefaultAzureCredential().get_token(f"{lazulite.url}/.default")
    assert token.token
"""


def run(folder, text, *options, **environ):
    """pytest over one file; what it printed. Fails as it does."""
    (folder / "test_theirs.py").write_text(text)
    plain = ["-p", "no:cacheprovider", f"--basetemp={folder}/tmp", "-rP"]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *plain, *options, "test_theirs.py"],
        cwd=folder,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_each_test_has_a_clean_workspace_on_one_server(tmp_path):
    printed = run(tmp_path, THEIRS, f"--lazulite-data-dir={tmp_path}/kept")
    assert "4 passed" in printed
    (data_dir,) = re.findall(r"data folder: (.+)", printed)
    assert Path(data_dir).is_relative_to(tmp_path / "kept")
    assert not (Path(data_dir) / "server.json").exists(), "the server has stopped"
    assert processes_of(tmp_path) == []


@pytest.mark.slow
def test_the_clients_of_azure_reach_it(tmp_path):
    (packages,) = [*CLIENTS.glob("lib/python*/site-packages")] or [None]
    if packages is None:
        pytest.skip("NO CLIENTS: azure-ai-ml is missing; use make test")
    assert "1 passed" in run(tmp_path, ML, PYTHONPATH=str(packages))


def test_a_server_that_does_not_start_is_told_with_its_last_words(tmp_path):
    wrong = THEIRS.replace("--log-level=info", "--isolation=bogus")
    with pytest.raises(AssertionError, match=r"The server did not start: .*bogus"):
        run(tmp_path, wrong, "-k", "one_server")


@pytest.mark.parametrize("test", ["test_a", "test_[/x]é" * 9, "T", "test_"])
def test_names_of_workspaces_tell_the_test_and_are_allowed(test):
    name = name_for(test)
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{2,32}", name)
    assert name != name_for(test)
