"""An online endpoint from creation to deletion."""

import json
import urllib.request

from azure.ai.ml.entities import (
    CodeConfiguration,
    Environment,
    ManagedOnlineDeployment,
    ManagedOnlineEndpoint,
    Model,
    OnlineRequestSettings,
    ProbeSettings,
)
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from session import CONDA, ECHO, ml_client, refusal, written

ml = ml_client()


def deployment(name, endpoint="shop", **more):
    written("model/weights.txt", "1 2 3")
    return ManagedOnlineDeployment(
        name=name,
        endpoint_name=endpoint,
        model=Model(path="model"),
        environment=Environment(
            image="mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04:latest",
            conda_file=written("conda.yml", CONDA),
        ),
        code_configuration=CodeConfiguration(
            code=str(written("src/score.py", ECHO).parent), scoring_script="score.py"
        ),
        environment_variables={"DEPLOYMENT": name},
        instance_type="Standard_DS3_v2",
        instance_count=1,
        request_settings=OnlineRequestSettings(
            request_timeout_ms=3000, max_concurrent_requests_per_instance=2
        ),
        liveness_probe=ProbeSettings(initial_delay=5, period=5),
        **more,
    )


def score(**more):
    request = written("request.json", '{"data": [1, 2, 3]}')
    answer = ml.online_endpoints.invoke("shop", request_file=str(request), **more)
    return json.loads(answer)


def create():
    endpoint = ManagedOnlineEndpoint(name="shop", description="d", auth_mode="key", tags={"a": "b"})
    made = ml.online_endpoints.begin_create_or_update(endpoint).result()
    assert (made.provisioning_state, made.auth_mode, made.tags) == ("Succeeded", "key", {"a": "b"})
    blue = ml.online_deployments.begin_create_or_update(deployment("blue")).result()
    assert (blue.provisioning_state, blue.instance_count) == ("Succeeded", 1)
    assert blue.request_settings.request_timeout_ms == 3000
    assert [d.name for d in ml.online_deployments.list("shop")] == ["blue"]
    assert ml.online_endpoints.get("shop").traffic == {"blue": 0}


def invoke():
    endpoint = ml.online_endpoints.get("shop")
    endpoint.traffic = {"blue": 100}
    assert ml.online_endpoints.begin_create_or_update(endpoint).result().traffic == {"blue": 100}
    assert score() == {"deployment": "blue", "sum": 6}
    keys = ml.online_endpoints.get_keys("shop")
    request = urllib.request.Request(
        endpoint.scoring_uri,
        b'{"data": [4]}',
        {"authorization": f"Bearer {keys.primary_key}", "content-type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer)["sum"] == 4
        assert answer.headers["azureml-model-deployment"] == "blue"


def second():
    ml.online_deployments.begin_create_or_update(deployment("green")).result()
    assert score(deployment_name="green")["deployment"] == "green"
    endpoint = ml.online_endpoints.get("shop")
    endpoint.traffic, endpoint.mirror_traffic = {"blue": 100}, {"green": 10}
    made = ml.online_endpoints.begin_create_or_update(endpoint).result()
    assert (made.traffic["blue"], made.mirror_traffic) == (100, {"green": 10})
    endpoint.traffic, endpoint.mirror_traffic = {"blue": 0, "green": 100}, {}
    made = ml.online_endpoints.begin_create_or_update(endpoint).result()
    assert (made.traffic, made.mirror_traffic) == ({"green": 100}, {})
    assert score(deployment_name="blue")["deployment"] == "blue"


def update():
    blue = ml.online_deployments.get("blue", "shop")
    blue.instance_count, blue.tags = 2, {"scaled": "yes"}
    made = ml.online_deployments.begin_create_or_update(blue).result()
    assert (made.instance_count, made.tags) == (2, {"scaled": "yes"})
    assert ml.online_deployments.get("blue", "shop").instance_count == 2
    endpoint = ml.online_endpoints.get("shop")
    endpoint.description = "changed"
    ml.online_endpoints.begin_create_or_update(endpoint).result()
    assert ml.online_endpoints.get("shop").description == "changed"


def logs():
    assert "begun" in ml.online_deployments.get_logs("blue", "shop", lines=50)
    kind = "storage-initializer"
    ml.online_deployments.get_logs("blue", "shop", lines=5, container_type=kind)


def keys():
    before = ml.online_endpoints.get_keys("shop")
    ml.online_endpoints.begin_regenerate_keys("shop", key_type="secondary").result()
    after = ml.online_endpoints.get_keys("shop")
    assert before.primary_key == after.primary_key
    assert before.secondary_key != after.secondary_key


def token():
    endpoint = ManagedOnlineEndpoint(name="tokens", auth_mode="aml_token")
    ml.online_endpoints.begin_create_or_update(endpoint).result()
    given = ml.online_endpoints.get_keys("tokens")
    assert given.access_token
    assert given.expiry_time_utc > given.refresh_after_time_utc
    ml.online_endpoints.begin_delete("tokens").result()


def remove():
    assert {e.name for e in ml.online_endpoints.list()} == {"shop"}
    refused = lambda: ml.online_deployments.begin_delete("green", "shop").result()  # noqa: E731
    refusal(HttpResponseError, refused, "green", "traffic")
    ml.online_deployments.begin_delete("blue", "shop").result()
    ml.online_endpoints.begin_delete("shop").result()
    refusal(ResourceNotFoundError, lambda: ml.online_endpoints.get("shop"), "shop")


for step in (create, invoke, second, update, logs, keys, token, remove):
    step()
    print(step.__name__, flush=True)
