"""A batch endpoint: deployments, jobs of every kind of input, and their results."""

import csv
import time
from pathlib import Path

from azure.ai.ml import Input, Output
from azure.ai.ml.constants import AssetTypes, BatchDeploymentOutputAction
from azure.ai.ml.entities import (
    AmlCompute,
    BatchEndpoint,
    BatchRetrySettings,
    CodeConfiguration,
    Data,
    Environment,
    Model,
    ModelBatchDeployment,
    ModelBatchDeploymentSettings,
)
from azure.ai.ml.exceptions import JobException
from azure.core.exceptions import ResourceNotFoundError
from session import CONDA, ml_client, refusal, written

ml = ml_client()
SCRIPT = """\
import os
import time
from pathlib import Path

def init():
    print("begun")

def run(mini_batch):
    while os.environ.get("FOREVER"):
        time.sleep(0.1)
    return [f"{Path(name).name} {len(Path(name).read_text())}" for name in mini_batch]
"""


def deployment(name, **variables):
    written("model/weights.txt", "1 2 3")
    return ModelBatchDeployment(
        name=name,
        endpoint_name="nightly",
        model=Model(path="model"),
        environment=Environment(
            image="mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04:latest",
            conda_file=written("conda.yml", CONDA),
        ),
        code_configuration=CodeConfiguration(
            code=str(written("src/score.py", SCRIPT).parent), scoring_script="score.py"
        ),
        compute="cluster",
        settings=ModelBatchDeploymentSettings(
            instance_count=1,
            max_concurrency_per_instance=1,
            mini_batch_size=2,
            output_action=BatchDeploymentOutputAction.APPEND_ROW,
            output_file_name="predictions.csv",
            retry_settings=BatchRetrySettings(max_retries=1, timeout=30),
            logging_level="info",
            environment_variables=variables,
        ),
    )


def deploy():
    ml.compute.begin_create_or_update(AmlCompute(name="cluster", max_instances=2)).result()
    endpoint = BatchEndpoint(name="nightly", description="d", tags={"a": "b"})
    made = ml.batch_endpoints.begin_create_or_update(endpoint).result()
    assert (made.provisioning_state, made.tags) == ("Succeeded", {"a": "b"})
    one = ml.batch_deployments.begin_create_or_update(deployment("one")).result()
    assert one.mini_batch_size == 2
    made.defaults.deployment_name = "one"
    ml.batch_endpoints.begin_create_or_update(made).result()
    assert ml.batch_endpoints.get("nightly").defaults.deployment_name == "one"
    assert [d.name for d in ml.batch_deployments.list("nightly")] == ["one"]
    assert [e.name for e in ml.batch_endpoints.list()] == ["nightly"]


def ended(name):
    while (status := ml.jobs.get(name).status) not in {"Completed", "Failed", "Canceled"}:
        time.sleep(0.2)
    return status


def rows(job, folder):
    ml.jobs.download(name=job.name, download_path=folder, output_name="score")
    (found,) = Path(folder).rglob("predictions.csv")
    with found.open(newline="") as lines:
        return sorted(row[0] for row in csv.reader(lines, delimiter=" "))


def local_folder():
    for number in range(3):
        written(f"inputs/{number}.txt", "x" * number)
    data = Input(type=AssetTypes.URI_FOLDER, path="inputs")
    job = ml.batch_endpoints.invoke(endpoint_name="nightly", input=data)
    ml.jobs.stream(job.name)
    assert ended(job.name) == "Completed"
    assert rows(job, "of-local") == ["0.txt", "1.txt", "2.txt"]
    ml.jobs.download(name=job.name, download_path="everything", all=True)
    assert any(Path("everything").rglob("predictions.csv"))


def registered():
    asset = ml.data.create_or_update(Data(name="inputs", path="inputs", type="uri_folder"))
    data = Input(type=AssetTypes.URI_FOLDER, path=asset.id)
    job = ml.batch_endpoints.invoke(
        endpoint_name="nightly",
        deployment_name="one",
        inputs={"texts": data},
        outputs={
            "score": Output(
                type=AssetTypes.URI_FILE,
                path="azureml://datastores/workspaceblobstore/paths/chosen/mine.csv",
            )
        },
        params_override=[{"mini_batch_size": "1"}, {"compute.instance_count": "2"}],
        experiment_name="exp",
    )
    assert ended(job.name) == "Completed"
    shown = ml.jobs.get(job.name)
    assert shown.experiment_name == "exp"
    listed = {each.name for each in ml.batch_endpoints.list_jobs(endpoint_name="nightly")}
    assert job.name in listed
    assert len(listed) == 2
    of_one = ml.batch_deployments.list_jobs(endpoint_name="nightly", name="one")
    assert {each.name for each in of_one} == listed
    (step,) = ml.jobs.list(parent_job_name=job.name)
    assert (step.display_name, step.status) == ("batchscoring", "Completed")
    ml.jobs.download(name=step.name, download_path="chosen", output_name="score")
    assert any(Path("chosen").rglob("mine.csv"))


def single_file():
    data = Input(type=AssetTypes.URI_FILE, path=str(written("alone.txt", "abc")))
    job = ml.batch_endpoints.invoke(endpoint_name="nightly", input=data)
    assert ended(job.name) == "Completed"
    assert rows(job, "of-file") == ["alone.txt"]


def cancel():
    forever = deployment("forever", FOREVER="yes")
    ml.batch_deployments.begin_create_or_update(forever).result()
    data = Input(type=AssetTypes.URI_FOLDER, path="inputs")
    job = ml.batch_endpoints.invoke(endpoint_name="nightly", deployment_name="forever", input=data)
    ml.jobs.begin_cancel(job.name).result()
    assert ended(job.name) == "Canceled"


def refusals():
    data = Input(type=AssetTypes.URI_FOLDER, path="azureml:none:1")
    job = ml.batch_endpoints.invoke(endpoint_name="nightly", input=data)
    assert ended(job.name) == "Failed"
    refusal(JobException, lambda: ml.jobs.stream(job.name), "azureml:none:1", "create it first")
    data = Input(type=AssetTypes.URI_FOLDER, path="inputs")
    call = lambda: ml.batch_endpoints.invoke(  # noqa: E731
        endpoint_name="nightly", deployment_name="absent", input=data
    )
    refusal(Exception, call, "absent")


def remove():
    ml.batch_deployments.begin_delete("forever", "nightly").result()
    ml.batch_endpoints.begin_delete("nightly").result()
    refusal(ResourceNotFoundError, lambda: ml.batch_endpoints.get("nightly"), "nightly")


for step in (deploy, local_folder, registered, single_file, cancel, refusals, remove):
    step()
    print(step.__name__, flush=True)
