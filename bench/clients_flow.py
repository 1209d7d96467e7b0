"""The flow that clients.py times, in the client's own venv: the second time, all of it is there."""

import json
import time

BEGUN = time.perf_counter()

import azure.ai.ml.entities as entities  # noqa: E402
from session import CONDA, ECHO, WORKSPACE, ml_client, written  # noqa: E402

TIMES = {"import": time.perf_counter() - BEGUN}


def timed(name, call):
    begun = time.perf_counter()
    result = call()
    TIMES[name] = time.perf_counter() - begun
    return result


def flow(ml, name):
    deployment = entities.ManagedOnlineDeployment(
        name="blue",
        endpoint_name=name,
        model=entities.Model(path=str(written("model/weights.txt", "1 2 3").parent)),
        environment=entities.Environment(image="x", conda_file=written("conda.yml", CONDA)),
        code_configuration=entities.CodeConfiguration(
            code=str(written("src/score.py", ECHO).parent), scoring_script="score.py"
        ),
        environment_variables={"DEPLOYMENT": "blue"},
        instance_type="Standard_DS3_v2",
        instance_count=1,
    )
    endpoint = entities.ManagedOnlineEndpoint(name=name, auth_mode="key")
    endpoints, deployments = ml.online_endpoints, ml.online_deployments
    timed("endpoint", lambda: endpoints.begin_create_or_update(endpoint).result())
    timed("deployment", lambda: deployments.begin_create_or_update(deployment).result())
    request = str(written("request.json", '{"data": [1, 2, 3]}'))
    answer = timed(
        "invoke", lambda: endpoints.invoke(name, deployment_name="blue", request_file=request)
    )
    assert json.loads(answer)["sum"] == 6
    timed("delete", lambda: endpoints.begin_delete(name).result())


ml = ml_client()
timed("first call", lambda: ml.workspaces.get(WORKSPACE))
flow(ml, "first")
flow(ml, "again")
print()
print(json.dumps(TIMES))
