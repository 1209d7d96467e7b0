"""The article of 2020, call for call: a zip and a definition become a run that prints hello."""

import json
import subprocess
import zipfile

import pytest

from tests.live import wait_for

HELLO = '# hello.py\n# Entry file for run\nprint("Hello, REST!")\n'
VERSION = {"api-version": "2019-11-01"}
CONDA = {"name": "project_environment", "dependencies": ["python"]}


def definition(**changes):
    """definition.json of the article, with packages that need no index."""
    python = {"InterpreterPath": "python", "UserManagedDependencies": False}
    environment = {
        "Python": {**python, "CondaDependencies": CONDA},
        "Docker": {"BaseImage": "mcr.microsoft.com/azureml/base:intelmpi2018.3-ubuntu16.04"},
    }
    configuration = {
        "Script": "hello.py",
        "Arguments": ["234"],
        "SourceDirectoryDataStore": None,
        "Framework": "Python",
        "Communicator": "None",
        "Target": "cpu-compute",
        "MaxRunDurationSeconds": 1200,
        "NodeCount": 1,
        "Environment": environment,
        "History": {"OutputCollection": True},
        **changes,
    }
    return {"Configuration": configuration}


class Regional:
    """The regional host, asked as the article does."""

    def __init__(self, live, folder):
        self.live, self.folder = live, folder
        properties = {
            "computeType": "AmlCompute",
            "properties": {
                "vmSize": "Standard_D1",
                "vmPriority": "Dedicated",
                "scaleSettings": {
                    "maxNodeCount": 1,
                    "minNodeCount": 0,
                    "nodeIdleTimeBeforeScaleDown": "PT30M",
                },
            },
        }
        body = {"location": "local", "properties": properties}
        made = live.call("PUT", "/computes/cpu-compute", body, api="2019-11-01")
        assert made.status_code in {200, 201}

    @property
    def header(self):
        return f"Authorization:Bearer {self.live.token()}"

    def url(self, service):
        return f"{self.live.base}/{service}/v1.0{self.live.workspace}"

    def start(self, script=HELLO, experiment="my-first-experiment", **changes):
        """curl of startrun with its very options; the run's id."""
        with zipfile.ZipFile(self.folder / "train.zip", "w") as found:
            found.writestr("hello.py", script)
        (self.folder / "runDefinition.json").write_text(json.dumps(definition(**changes)))
        url = f"{self.url('execution')}/experiments/{experiment}/startrun?api-version=2019-11-01"
        command = ["curl", "-sS", "--fail-with-body", url, "-X", "POST"]
        command += ["-H", "Content-Type: multipart/form-data", "-H", self.header]
        command += ["-F", f"projectZipFile=@{self.folder}/train.zip"]
        command += ["-F", f"runDefinitionFile=@{self.folder}/runDefinition.json"]
        answer = subprocess.run(command, capture_output=True, check=True, timeout=60)
        return json.loads(answer.stdout)["runId"]

    def history(self, path, method="GET"):
        name, _, value = self.header.partition(":")
        return self.live.http.request(
            method, f"{self.url('history')}/{path}", params=VERSION, headers={name: value}
        ).json()

    def run(self, run_id, experiment="my-first-experiment"):
        return self.history(f"experiments/{experiment}/runs/{run_id}")

    def ended(self, run_id):
        wait_for(lambda: self.run(run_id)["status"] in {"Completed", "Failed", "Canceled"})
        return self.run(run_id)

    def log(self, run_id, name="azureml-logs/70_driver_log.txt"):
        """A log by the URL that clients fetch it from, without a token."""
        url = self.history(f"runs/{run_id}/details")["logFiles"][name]
        return self.live.http.get(url).text


@pytest.fixture
def regional(server, tmp_path):
    return Regional(server, tmp_path)


def test_hello_is_run_and_followed_until_it_is_completed(regional):
    run_id = regional.start()
    assert run_id.startswith("my-first-experiment_")
    run = regional.ended(run_id)
    assert (run["status"], run["target"], run["error"]) == ("Completed", "cpu-compute", None)
    assert run["startTimeUtc"] <= run["endTimeUtc"]
    assert regional.log(run_id) == regional.log(run_id, "user_logs/std_log.txt") == "Hello, REST!\n"
    experiments = regional.history("experiments")["value"]
    named = {one["name"]: one["latestCreatedRunId"] for one in experiments}
    assert named["my-first-experiment"] == run_id


def test_arguments_outputs_and_the_runs_own_id_reach_the_script(regional):
    script = (
        "import os, sys\n"
        "open('outputs/model.txt', 'w').write(sys.argv[1] + ' ' + os.environ['AZUREML_RUN_ID'])\n"
        "assert 'credentials' not in str(os.environ).lower()\n"
    )
    run_id = regional.start(script)
    assert regional.ended(run_id)["status"] == "Completed", regional.log(run_id)
    path = f"experiments/my-first-experiment/runs/{run_id}/artifacts/contentinfo/outputs/model.txt"
    url = regional.history(path)["contentUri"]
    assert regional.live.http.get(url).text == f"234 {run_id}"


def test_a_script_that_fails_says_its_exit_code_traceback_and_log(regional):
    run = regional.ended(regional.start("def f():\n    raise ValueError('bad rows')\nf()\n"))
    error = run["error"]["error"]
    assert (run["status"], error["code"]) == ("Failed", "UserError")
    for told in ("exit code 1", "ValueError: bad rows", "in f", "user_logs/std_log.txt"):
        assert told in error["message"]


def test_a_run_is_cancelled_with_all_that_it_started(regional):
    script = (
        "import subprocess, sys, time\n"
        "print('up', flush=True)\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(991)'])\n"
        "time.sleep(990)\n"
    )
    run_id = regional.start(script)
    wait_for(lambda: regional.run(run_id)["status"] == "Running")
    cancel = f"{regional.url('execution')}/experiments/my-first-experiment/runId/{run_id}/cancel"
    name, _, value = regional.header.partition(":")
    answer = regional.live.http.post(cancel, headers={name: value})
    assert answer.json() == {"runId": run_id}
    assert regional.ended(run_id)["status"] == "Canceled"
    assert "canceled" in regional.log(run_id)
    listing = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert "time.sleep(991)" not in listing.stdout


def test_a_run_over_its_time_is_canceled_with_the_reason(regional):
    run = regional.ended(regional.start("import time; time.sleep(99)", MaxRunDurationSeconds=1))
    assert run["status"] == "Canceled"
    assert "limit of 1 s" in run["error"]["error"]["message"]


def test_packages_that_cannot_be_had_fail_the_run_with_their_line(regional):
    python = {"CondaDependencies": {"dependencies": ["python=2.4"]}}
    run = regional.ended(regional.start(Environment={"Python": python}))
    assert run["status"] == "Failed"
    assert "python=2.4" in run["error"]["error"]["message"]
