"""Endpoints of --local in the words of version 2: no server runs, and what is started stays."""

import json
import os
import signal
import urllib.request

import pytest

from lazulite.cli.arguments import Arguments
from lazulite.cli.errors import CommandError
from lazulite.cli.report import Report
from lazulite.local.command import run
from lazulite.local.records import Records
from tests.live import wait_for

CREATE = "az ml online-deployment create --local -e ep -f deployment.yml"
SHOW = "az ml online-deployment show --local -e ep -n blue"


@pytest.fixture
def endpoint(shell):
    """With one deployment, blue."""
    shell.az("az ml online-endpoint create --local -n ep")
    shell.az(f"{CREATE} -n blue")
    return shell


def test_a_deployment_answers_at_an_address_without_a_key(endpoint):
    shown = endpoint.json("az ml online-endpoint show --local -n ep")
    request = urllib.request.Request(shown["scoring_uri"], data=b'{"data": [2]}')
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer) == [6]
    with urllib.request.urlopen(shown["openapi_uri"]) as answer:
        assert "paths" in json.load(answer)
    assert endpoint.scored("ep") == [3, 6]
    logs = endpoint.az("az ml online-deployment get-logs --local -e ep -n blue")
    assert "Init complete" in logs
    assert "scoring" in logs
    build = "az ml online-deployment get-logs --local -e ep -n blue -c storage-initializer"
    assert "ready after" in endpoint.az(build)


def test_deployments_stand_side_by_side_and_one_is_chosen(endpoint):
    endpoint.az(f"{CREATE} -n green --set environment_variables.GREETING=hello")
    listed = endpoint.json("az ml online-deployment list --local -e ep")
    assert [each["provisioning_state"] for each in listed] == ["Succeeded", "Succeeded"]
    assert len({each["scoring_uri"] for each in listed}) == 2
    refused = endpoint.refused("az ml online-endpoint invoke --local -n ep -r request.json")
    assert (
        "no traffic split without a server. Give --deployment with one of: blue, green" in refused
    )
    answer = endpoint.scored("ep", "--deployment", "green", file="empty.json")
    assert answer["GREETING"] == "hello"
    endpoint.az("az ml online-deployment delete --local -e ep -n green --yes")
    assert endpoint.scored("ep") == [3, 6]


def test_an_update_takes_the_new_script_and_keeps_the_address(endpoint):
    before = endpoint.json(SHOW)["scoring_uri"]
    text = (endpoint.folder / "code/score.py").read_text()
    endpoint.write("code/score.py", text.replace("weight * value", "weight + value"))
    endpoint.az("az ml online-deployment update --local -e ep -n blue")
    assert endpoint.scored("ep") == [4, 5]
    assert endpoint.json(SHOW)["scoring_uri"] == before


def test_a_fault_in_a_file_leaves_everything_as_it_was(endpoint):
    text = (endpoint.folder / "deployment.yml").read_text()
    endpoint.write("deployment.yml", text.replace("score.py", "other.py"))
    said = endpoint.refused(
        "az ml online-deployment update --local -e ep -n blue -f deployment.yml"
    )
    assert "deployment.yml:6:3: code_configuration.scoring_script: there is no other.py" in said
    endpoint.write("deployment.yml", text)
    endpoint.write("conda.yml", "dependencies:\n  - pip:\n    - ==nonsense\n")
    line = "az ml online-deployment update --local -e ep -n blue -f deployment.yml"
    assert "conda" in endpoint.refused(line)
    assert endpoint.scored("ep") == [3, 6]


def test_a_script_that_does_not_start_is_told_with_its_traceback(endpoint):
    endpoint.write(
        "code/score.py",
        "def init():\n    raise OSError('no such weights')\n\ndef run(body):\n    pass\n",
    )
    said = endpoint.refused("az ml online-deployment update --local -e ep -n blue")
    assert "OSError: no such weights" in said
    assert "get-logs --local -n blue -e ep" in said
    shown = endpoint.json(SHOW)
    assert shown["provisioning_state"] == "Failed"
    assert "no such weights" in shown["error"]["message"]
    logs = endpoint.az("az ml online-deployment get-logs --local -e ep -n blue")
    assert "no such weights" in logs


def test_what_a_script_fails_at_fails_the_command(endpoint):
    endpoint.write("request.json", "no json")
    said = endpoint.refused("az ml online-endpoint invoke --local -n ep -r request.json")
    assert "was answered 500" in said


def test_a_killed_deployment_is_told_and_started_again(endpoint, local_data):
    (made,) = Records(local_data / "local" / "endpoints").get("ep").deployments
    _, group = (local_data / "local" / "tasks" / made.task / "pid").read_text().split()
    os.killpg(int(group), signal.SIGKILL)
    wait_for(lambda: endpoint.json(SHOW)["provisioning_state"] == "Failed")
    said = endpoint.refused("az ml online-endpoint invoke --local -n ep -r request.json")
    assert "online-deployment update --local" in said
    endpoint.az("az ml online-deployment update --local -e ep -n blue")
    assert endpoint.scored("ep") == [3, 6]


def test_a_debugger_gets_one_process_and_a_port(shell):
    shell.az("az ml online-endpoint create --local -n ep")
    line = f"{CREATE} -n blue --vscode-debug --set environment_variables.WORKER_COUNT=2"
    code, _, said = shell.run(line)
    # Without debugpy in the environment a worker may refuse to start: told either way.
    assert code == 0 or "debugpy" in said
    assert '"port": 5678' in said
    assert shell.json(SHOW)["debug_port"] == 5678


def test_the_names_of_fields_without_effect_are_told_once(shell):
    shell.az("az ml online-endpoint create --local -n ep --auth-mode aml_token")
    _, _, said = shell.run(f"{CREATE} -n blue")
    assert "Without effect on a local endpoint: auth_mode, instance_count." in said
    _, _, said = shell.run("az ml online-deployment update --local -e ep -n blue --no-wait")
    assert "blue answers at" in said


def test_what_is_interrupted_goes_on(shell, local_data):
    class Impatient(Report):
        """Ctrl-C at the first moment of waiting for the replicas."""

        def begin(self, text):
            self.what = text

        def tick(self):
            if self.what.startswith("Starting"):
                raise KeyboardInterrupt

    shell.az("az ml online-endpoint create --local -n ep")
    file = shell.folder / "deployment.yml"
    asked = Arguments(name="blue", endpoint_name="ep", file=str(file), data_dir=str(local_data))
    with pytest.raises(CommandError) as told:
        run("online-deployment create", asked, os.environ, Impatient(quiet=True))
    assert (told.value.code, told.value.exit_code) == ("Interrupted", 130)
    assert shell.json(SHOW)["provisioning_state"] in {"Updating", "Succeeded", "Failed"}
    shell.az("az ml online-deployment update --local -e ep -n blue")
    assert shell.scored("ep") == [3, 6]


def test_two_commands_do_not_change_one_endpoint_at_once(shell, local_data):
    shell.az("az ml online-endpoint create --local -n ep")
    with Records(local_data / "local" / "endpoints").changing("ep"):
        said = shell.refused("az ml online-endpoint delete --local -n ep --yes")
    assert "Another command changes the local endpoint 'ep'" in said


@pytest.mark.parametrize(
    ("line", "exit_code", "said"),
    [
        ("online-endpoint show --local -n none", 3, "There is no local endpoint 'none'"),
        ("online-endpoint create --local -n ../x", 1, "is no name of a local endpoint"),
        ("online-endpoint update --local -n ep --traffic blue=100", 1, "no traffic split"),
        ("online-deployment show --local -e ep -n none", 3, "it has: none"),
        ("online-deployment create --local -e no -n b -f deployment.yml", 1, "create it with"),
        ("online-deployment create --local -e ep -n 1 -f deployment.yml", 1, "is no name of a"),
        (
            "online-deployment create -e ep -n b -f deployment.yml --debug-port 5678",
            1,
            "for --local",
        ),
        ("online-deployment create --local -e ep -n b -f deployment.yml --debug-port 1", 1, "1024"),
        ("online-endpoint invoke --local -n ep -r request.json", 1, "no deployments"),
        ("endpoint create --local --type batch -n b", 1, "Batch endpoints do not run with --local"),
        ("online-endpoint get-credentials --local -n ep", 2, "--local"),
    ],
)
def test_what_is_refused_says_why(shell, line, exit_code, said):
    shell.az("az ml online-endpoint create --local -n ep")
    code, _, err = shell.run(f"az ml {line}")
    assert (code, said in err) == (exit_code, True), err


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  path: model/weights.json", "  path: https://host/m", "takes files of this machine"),
        ("model:\n  path: model/weights.json", "model: azureml:m:1", "takes files of this machine"),
        ("  path: model/weights.json", "  path: none.json", "there is no file or folder"),
        ("  path: model/weights.json", "  path: code\n  type: triton_model", "Triton is not here"),
        ("  code: code", "  code: azureml:c:1", "takes files of this machine"),
        ("instance_count: 3", "request_settings: {request_timeout_ms: x}", "a whole number"),
        ("instance_count: 3", "environment_variables: {WORKER_COUNT: 0}", "WORKER_COUNT is '0'"),
        ("instance_count: 3", "instance_cuont: 3", "did you mean 'instance_count'?"),
    ],
)
def test_what_a_file_may_not_say_is_refused(shell, old, new, said):
    shell.az("az ml online-endpoint create --local -n ep")
    text = (shell.folder / "deployment.yml").read_text()
    assert old in text
    shell.write("deployment.yml", text.replace(old, new))
    assert said in shell.refused(f"{CREATE} -n blue")
    assert shell.json("az ml online-deployment list --local -e ep") == []
