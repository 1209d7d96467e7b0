"""Online deployments: every property, in every api-version's words."""

import pytest

from tests.kinds.refusals import refused

OLD, OCTOBER, NEW = "2021-03-01-preview", "2021-10-01", "2023-10-01"
PATH = "/onlineEndpoints/eyes/deployments/blue"
MANAGED = {"endpointComputeType": "Managed"}
SCALE = {"scaleType": "Manual", "instanceCount": 3, "minInstances": 1, "maxInstances": 4}


@pytest.fixture
async def endpoint(plane):
    await plane.put("/onlineEndpoints/eyes", {"authMode": "Key"})
    return plane


async def put(plane, properties, api=NEW, **extra):
    body = {"location": "local", "properties": {**MANAGED, **properties}, **extra}
    return await plane.call("PUT", PATH, body, api=api)


async def shown(plane, api=NEW):
    return (await plane.call("GET", PATH, api=api)).json()


async def test_what_is_left_out_is_azures_default(endpoint):
    assert (await put(endpoint, {})).status_code == 201
    found = await shown(endpoint)
    properties = found["properties"]
    assert found["sku"] == {"name": "Default", "capacity": 1}
    assert properties["scaleSettings"] == {"scaleType": "Default"}
    assert properties["requestSettings"] == {
        "requestTimeout": "PT5S",
        "maxConcurrentRequestsPerInstance": 1,
        "maxQueueWait": "PT0.5S",
    }
    assert properties["appInsightsEnabled"] is False
    assert properties["egressPublicNetworkAccess"] == "Enabled"
    assert properties["environmentVariables"] == {}
    absent = ("model", "codeConfiguration", "livenessProbe", "readinessProbe", "modelMountPath")
    assert {properties[name] for name in absent} == {None}


async def test_a_probe_has_azures_defaults_and_null_means_them_too(endpoint):
    await put(endpoint, {"livenessProbe": {"period": "PT1M"}, "requestSettings": None})
    assert (await shown(endpoint))["properties"]["livenessProbe"] == {
        "initialDelay": "PT10S",
        "period": "PT1M",
        "timeout": "PT2S",
        "failureThreshold": 30,
        "successThreshold": 1,
    }


async def test_the_kind_of_compute_must_be_said(endpoint):
    body = {"location": "local", "properties": {}}
    answer = await endpoint.call("PUT", PATH, body)
    assert answer.status_code == 400
    assert answer.json()["error"]["details"][0]["target"] == "endpointComputeType"


@pytest.mark.parametrize(
    ("extra", "properties", "api"),
    [
        ({"sku": {"name": "Default", "capacity": 3}}, {}, OCTOBER),
        ({"sku": {"Name": "Default", "Capacity": "3"}}, {}, NEW),
        ({}, {"scaleSettings": SCALE}, OLD),
        ({}, {"ScaleSettings": {"ScaleType": "manual", "InstanceCount": "3"}}, OLD),
    ],
)
async def test_the_number_of_instances_in_all_its_spellings(endpoint, extra, properties, api):
    await put(endpoint, properties, api, **extra)
    new, old = await shown(endpoint), await shown(endpoint, OLD)
    assert new["sku"]["capacity"] == 3
    assert new["properties"]["scaleSettings"] == {"scaleType": "Default"}
    assert old["properties"]["scaleSettings"]["scaleType"] == "Manual"
    assert old["properties"]["scaleSettings"]["instanceCount"] == 3


async def test_a_patch_scales_in_both_forms(endpoint):
    await put(endpoint, {"description": "kept"}, sku={"name": "Default", "capacity": 2})
    await endpoint.call("PATCH", PATH, {"sku": {"capacity": 4}}, api=OCTOBER)
    assert (await shown(endpoint))["sku"] == {"name": "Default", "capacity": 4}
    body = {"properties": {**MANAGED, "scaleSettings": {"instanceCount": 5}}}
    await endpoint.call("PATCH", PATH, body, api=OLD)
    found = await shown(endpoint)
    assert (found["sku"]["capacity"], found["properties"]["description"]) == (5, "kept")


async def test_bounds_of_the_old_form_outlive_a_write_in_a_newer_one(endpoint):
    await put(endpoint, {"scaleSettings": SCALE}, OLD)
    await put(endpoint, {"description": "newer"}, OCTOBER, sku={"capacity": 3})
    old = (await shown(endpoint, OLD))["properties"]
    assert (old["scaleSettings"], old["description"]) == (SCALE, "newer")


@pytest.mark.parametrize("capacity", [0, 101, "many", 1.5])
async def test_a_number_of_instances_that_cannot_be_is_refused(endpoint, capacity):
    answer = await put(endpoint, {}, sku={"name": "Default", "capacity": capacity})
    assert answer.status_code == 400
    assert answer.json()["error"]["details"][0]["target"] == "sku.capacity"


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("azureml:iris:3", {"referenceType": "Id", "assetId": "azureml:iris:3"}),
        (
            "azureml://datastores/workspaceblobstore/paths/m/model.pkl",
            {
                "referenceType": "DataPath",
                "datastoreId": "workspaceblobstore",
                "path": "m/model.pkl",
            },
        ),
        (
            "azureml://jobs/train/outputs/artifacts/paths/outputs/m",
            {"referenceType": "OutputPath", "jobId": "train", "path": "outputs/m"},
        ),
    ],
)
async def test_a_model_in_both_forms(endpoint, text, reference):
    await put(endpoint, {"model": text})
    assert (await shown(endpoint, OLD))["properties"]["model"] == reference
    await put(endpoint, {"model": {name.upper(): item for name, item in reference.items()}}, OLD)
    assert (await shown(endpoint))["properties"]["model"] == text


async def test_a_datastore_by_its_id_keeps_its_workspace(endpoint):
    store = f"{endpoint.workspace}/datastores/workspaceblobstore"
    model = {"referenceType": "DataPath", "datastoreId": store, "path": "m"}
    await put(endpoint, {"model": model}, OLD)
    assert (await shown(endpoint))["properties"]["model"] == f"azureml:/{store}/paths/m"
    assert (await shown(endpoint, OLD))["properties"]["model"] == model


@pytest.mark.parametrize(
    ("properties", "code", "api"),
    [
        ({"endpointComputeType": "Kubernetes"}, "KubernetesNotSupported", NEW),
        ({"endpointComputeType": "K8S"}, "KubernetesNotSupported", OLD),
        ({"egressPublicNetworkAccess": "Disabled"}, "NetworkIsolationNotSupported", NEW),
        (
            {"privateNetworkConnection": True},
            "NetworkIsolationNotSupported",
            "2022-02-01-preview",
        ),
        (
            {"dataCollector": {"collections": {"inputs": {"dataCollectionMode": "enabled"}}}},
            "DataCollectorNotSupported",
            "2023-08-01-preview",
        ),
    ],
)
async def test_what_is_not_served_is_refused_by_name(endpoint, properties, code, api):
    answer = await put(endpoint, properties, api)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert (await endpoint.call("GET", PATH)).status_code == 404


@pytest.mark.parametrize(
    ("properties", "target"),
    [
        ({"codeConfiguration": {"codeId": "azureml:c:1"}}, "codeConfiguration.scoringScript"),
        ({"requestSettings": {"maxConcurrentRequestsPerInstance": 0}},
         "requestSettings.maxConcurrentRequestsPerInstance"),
        ({"readinessProbe": {"failureThreshold": 0}}, "readinessProbe.failureThreshold"),
        ({"scaleSettings": {"scaleType": "Manual"}}, "scaleSettings"),
        ({"model": {"referenceType": "Id"}}, "model"),
    ],
)  # fmt: skip
async def test_faults_are_named(endpoint, properties, target):
    answer = await put(endpoint, properties)
    assert answer.status_code == 400
    assert answer.json()["error"]["details"][0]["target"] == target


async def test_a_data_collector_that_collects_nothing_is_kept(endpoint):
    collector = {"collections": {"inputs": {"dataCollectionMode": "Disabled"}}}
    await put(endpoint, {"dataCollector": collector}, "2023-08-01-preview")
    kept = (await shown(endpoint))["properties"]["dataCollector"]
    assert kept["collections"]["inputs"]["dataCollectionMode"] == "Disabled"
    assert "dataCollector" not in (await shown(endpoint, OCTOBER))["properties"]


async def test_skus_say_how_far_it_scales(endpoint):
    await put(endpoint, {})
    (sku,) = (await endpoint.call("GET", f"{PATH}/skus")).json()["value"]
    assert sku["sku"]["name"] == "Default"
    assert (sku["capacity"]["minimum"], sku["capacity"]["maximum"]) == (1, 100)


@pytest.mark.parametrize("body", [{"tail": "ten"}, {"tail": 0}, {"containerType": "Sidecar"}])
async def test_a_request_for_logs_that_makes_no_sense_is_refused(endpoint, body):
    await put(endpoint, {})
    answer = await endpoint.call("POST", f"{PATH}/getLogs", body)
    assert answer.status_code == 400


@pytest.mark.parametrize("container", [None, "inferenceServer", "StorageInitializer"])
async def test_logs_of_both_containers_are_there_from_the_start(endpoint, container):
    await put(endpoint, {})
    answer = await endpoint.call(
        "POST", f"{PATH}/getLogs", {"containerType": container, "Tail": "5"}
    )
    assert (answer.status_code, answer.json()) == (200, {"content": ""})


async def test_a_deployment_with_traffic_is_not_deleted(endpoint):
    await put(endpoint, {})
    await endpoint.put("/onlineEndpoints/eyes", {"authMode": "Key", "traffic": {"BLUE": 100}})
    answer = await endpoint.call("DELETE", PATH)
    assert (answer.status_code, "100 %" in answer.json()["error"]["message"]) == (409, True)
    assert (await endpoint.call("DELETE", "/onlineEndpoints/eyes")).status_code == 202


@pytest.mark.parametrize("count", ["0", "65", "²", "x", "-1", "9" * 5000])
async def test_a_number_of_workers_that_cannot_be_is_refused(endpoint, count):
    answer = await put(endpoint, {"environmentVariables": {"WORKER_COUNT": count}})
    assert "it must be a whole number from 1 to 64" in refused(answer, 400)


@pytest.mark.parametrize("count", ["1", "064", None])
async def test_a_number_of_workers_or_none_is_kept(endpoint, count):
    answer = await put(endpoint, {"environmentVariables": {"WORKER_COUNT": count}})
    assert answer.status_code == 201, answer.text


async def test_target_utilization_in_both_forms_with_azures_defaults(endpoint):
    await put(endpoint, {"scaleSettings": {"scaleType": "Auto", "maxInstances": 3}}, OLD)
    wanted = {
        "minInstances": 1,
        "maxInstances": 3,
        "pollingInterval": "PT1S",
        "targetUtilizationPercentage": 70,
    }
    new, old = await shown(endpoint), await shown(endpoint, OLD)
    assert new["properties"]["scaleSettings"] == {"scaleType": "TargetUtilization", **wanted}
    assert old["properties"]["scaleSettings"] == {"scaleType": "Auto", **wanted}


@pytest.mark.parametrize(
    ("properties", "target"),
    [
        ({"scaleSettings": {"minInstances": 4, "maxInstances": 3}}, "scaleSettings.minInstances"),
        ({"scaleSettings": {"pollingInterval": "PT0S"}}, "scaleSettings.pollingInterval"),
        ({"scaleSettings": {"maxInstances": 101}}, "scaleSettings"),
        ({"livenessProbe": {"period": "PT0S"}}, "livenessProbe.period"),
        ({"readinessProbe": {"timeout": "PT0S"}}, "readinessProbe.timeout"),
    ],
)
async def test_a_scale_or_a_probe_that_cannot_be_is_refused(endpoint, properties, target):
    if scale := properties.get("scaleSettings"):
        properties = {"scaleSettings": {"scaleType": "TargetUtilization", **scale}}
    answer = await put(endpoint, properties)
    assert answer.status_code == 400
    error = answer.json()["error"]
    first = error["details"][0] if error["details"] else error
    assert first["target"].startswith(target)


async def test_more_processes_than_cores_are_said_not_refused(endpoint):
    await put(endpoint, {}, sku={"name": "Default", "capacity": 100})
    assert "100 processes share the" in (await shown(endpoint))["properties"]["capacityNotice"]
    await put(endpoint, {})
    assert (await shown(endpoint))["properties"]["capacityNotice"] is None
