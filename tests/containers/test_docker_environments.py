"""Deployments and jobs whose environment is an image, on a real engine."""

import os
import signal
from pathlib import Path

import pytest

from lazulite.environments.providers import EnvironmentProviders
from lazulite.executors.container_engine import Engine
from tests.engine import IMAGE
from tests.live import processes_of, wait_for

pytestmark = [pytest.mark.docker, pytest.mark.slow]

DOCKERFILE = f"""FROM {IMAGE}
ENV PYTHONPATH=/opt/baked
COPY answer.py /opt/baked/answer.py
"""
CONDA = """
dependencies:
  - python=3
  - pip:
    - tiny==1.0
"""
COMMAND = 'python -c "import answer, sys, tiny; print(answer.VALUE, tiny.VERSION, sys.prefix)"'
ONLINE = """
import os

def init():
    pass

def run(text):
    return os.path.exists("/.dockerenv")
"""
BATCH = """
import os

def init():
    pass

def run(files):
    return [open(file).read() + str(os.path.exists("/.dockerenv")) for file in files]
"""


def put(live, path, properties):
    answer = live.call("PUT", path, {"properties": properties}, api="2023-10-01")
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()


def image_environment(live, name="boxed", **properties):
    made = live.put(f"/environments/{name}/versions/1", {"image": IMAGE, **properties})
    return made.json()["id"]


def keeper_of(live):
    """The pid of the one keeper."""
    (keeper,) = [
        pid
        for pid, line in processes_of(live.data_dir)
        if "-m lazulite.serving.keeper" in line and "sh -c" not in line
    ]
    return keeper


def test_a_script_serves_from_an_image_and_nothing_is_left_whatever_is_killed(
    own_docker_server, containers
):
    live = own_docker_server
    live.deploy("boxed", ONLINE, instances=2, environmentId=image_environment(live))
    assert live.score("boxed").text == "true"
    assert len(containers()) == 2
    log = live.call(
        "POST",
        "/onlineEndpoints/boxed/deployments/blue/getLogs",
        {"containerType": "StorageInitializer"},
    )
    assert "made with docker: the image lazulite-test:1 is on this machine" in log.text

    first = set(containers())
    keeper = keeper_of(live)
    os.kill(keeper, signal.SIGKILL)
    wait_for(lambda: len(containers()) == 2 and not first & set(containers()))
    wait_for(lambda: live.score("boxed").status_code == 200)

    live.kill()
    assert live.score_with({"authorization": "Bearer none"}, "boxed").status_code == 401
    keeper = keeper_of(live)
    os.kill(keeper, signal.SIGKILL)
    wait_for(lambda: containers() == [])
    live.up()
    wait_for(lambda: live.score("boxed").status_code == 200)


def test_a_batch_job_runs_in_an_image(docker_server, containers):
    live = docker_server
    live.files("numbers", 20)
    live.batch("boxed", BATCH, environmentId=image_environment(live), miniBatchSize=4)
    answer = live.invoke("boxed", "numbers")
    assert answer.status_code == 201, answer.text
    job = answer.json()["name"]
    assert live.ended(job)["status"] == "Completed", live.job(job)
    assert live.rows(job) == [f"{number}True" for number in range(20)]
    wait_for(lambda: containers() == [])


def test_a_command_runs_in_an_image_built_of_a_context_with_packages_beside_it(
    docker_server, engine_socket, containers
):
    live = docker_server
    folder = live.blobs / "context"
    folder.mkdir()
    (folder / "answer.py").write_text("VALUE = 42")
    (folder / "Dockerfile").write_text(DOCKERFILE)
    uri = "azureml://datastores/workspaceblobstore/paths/context"
    properties = {"build": {"contextUri": uri}, "condaFile": CONDA}
    environment = put(live, "/environments/built/versions/1", properties)["id"]
    job = {"jobType": "Command", "command": COMMAND, "environmentId": environment}
    put(live, "/jobs/boxed", {**job, "computeId": live.cluster()})
    assert live.ended("boxed")["status"] == "Completed", live.job("boxed")
    log = live.blobs.parent / "azureml/ExperimentRun/dcid.boxed/user_logs/std_log.txt"
    value, version, prefix = log.read_text().split()
    assert (value, version) == ("42", "1.0")
    assert prefix.startswith(str(live.data_dir / "environments"))
    wait_for(lambda: containers() == [])

    hash_ = Path(prefix).parent.name
    engine = Engine(str(engine_socket))
    assert engine.image(f"lazulite/environment:{hash_}") is not None
    (live.data_dir / "environments" / f"{hash_}.log").unlink()  # as when it is pruned
    providers = EnvironmentProviders(engine=engine.path, owner=str(live.data_dir))
    providers.sweep(live.data_dir / "environments")
    assert engine.image(f"lazulite/environment:{hash_}") is None


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({"image": IMAGE, "condaFile": "dependencies: [python=3.6]"}, "the image has Python 3.1"),
        ({"image": "localhost:1/none:1", "tags": {"lazulite.provider": "docker"}},
         "The image cannot be had"),
        ({"image": IMAGE, "tags": {"lazulite.provider": "moon"}}, "'moon': it must be one of"),
    ],
)  # fmt: skip
def test_what_an_image_cannot_do_is_said_to_whom_deploys(docker_server, properties, said):
    live = docker_server
    name = f"wrong{abs(hash(said))}"
    environment = put(live, f"/environments/{name}/versions/1", properties)["id"]
    made = live.deploy(name[:20], ONLINE, environmentId=environment, wait=False)
    failure = live.outcome(made)
    assert failure["status"] == "Failed"
    assert said in failure["error"]["message"]
