"""What goes wrong is told in words that a person can act on."""

from azure.ai.ml.entities import (
    AmlCompute,
    CodeConfiguration,
    Data,
    Environment,
    ManagedOnlineDeployment,
    ManagedOnlineEndpoint,
    Model,
)
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from session import CONDA, ml_client, refusal, written

ml = ml_client()
BROKEN = """\
def init():
    raise ValueError("the weights are missing")

def run(text):
    return text
"""
FAILING = """\
def init():
    pass

def run(text):
    return 1 / 0
"""


def deployment(script, **changes):
    written("model/weights.txt", "1 2 3")
    values = {
        "name": "blue",
        "endpoint_name": "faulty",
        "model": Model(path="model"),
        "environment": Environment(image="x", conda_file=written("conda.yml", CONDA)),
        "code_configuration": CodeConfiguration(
            code=str(written("src/score.py", script).parent), scoring_script="score.py"
        ),
        "instance_type": "Standard_DS3_v2",
        "instance_count": 1,
    }
    return ManagedOnlineDeployment(**{**values, **changes})


def deploy(script, **changes):
    return ml.online_deployments.begin_create_or_update(deployment(script, **changes)).result()


def names():
    cluster = AmlCompute(name="no good", max_instances=1)
    refusal(
        HttpResponseError, lambda: ml.compute.begin_create_or_update(cluster), "no good", "A-Za-z"
    )


def absences():
    refusal(ResourceNotFoundError, lambda: ml.online_endpoints.get("nowhere"), "nowhere")
    invoke = ml.online_endpoints.invoke
    request = str(written("request.json", "{}"))
    refusal(ResourceNotFoundError, lambda: invoke("nowhere", request_file=request), "nowhere")
    refusal(Exception, lambda: deploy(FAILING, endpoint_name="nowhere"), "nowhere")
    data = Data(name="d", path="not-there.csv", type="uri_file")
    refusal(Exception, lambda: ml.data.create_or_update(data), "not-there.csv")


def faulty_deployments():
    ml.online_endpoints.begin_create_or_update(
        ManagedOnlineEndpoint(name="faulty", auth_mode="key")
    ).result()
    model = lambda: deploy(FAILING, model="azureml:absent:1")  # noqa: E731
    refusal(Exception, model, "absent")
    script = CodeConfiguration(code="src", scoring_script="other.py")
    refusal(Exception, lambda: deploy(FAILING, code_configuration=script), "other.py")
    many = lambda: deploy(FAILING, instance_count=100000)  # noqa: E731
    refusal(HttpResponseError, many, "sku.capacity", "100000")
    text = refusal(HttpResponseError, lambda: deploy(BROKEN), "the weights are missing")
    assert "score.py" in text
    assert "line 2" in text
    logs = ml.online_deployments.get_logs("blue", "faulty", lines=100)
    assert "the weights are missing" in logs
    assert ml.online_deployments.get("blue", "faulty").provisioning_state == "Failed"


def failing_requests():
    deploy(FAILING)
    request = str(written("request.json", "{}"))
    invoke = lambda: ml.online_endpoints.invoke(  # noqa: E731
        "faulty", deployment_name="blue", request_file=request
    )
    refusal(HttpResponseError, invoke, "scoring script")
    assert "ZeroDivisionError" in ml.online_deployments.get_logs("blue", "faulty", lines=100)
    endpoint = ml.online_endpoints.get("faulty")
    endpoint.traffic = {"blue": 60}
    update = lambda: ml.online_endpoints.begin_create_or_update(endpoint).result()  # noqa: E731
    refusal(HttpResponseError, update, "60", "100")
    ml.online_endpoints.begin_delete("faulty").result()


for step in (names, absences, faulty_deployments, failing_requests):
    step()
    print(step.__name__, flush=True)
