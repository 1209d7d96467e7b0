"""Jobs of batch endpoints below their ARM path; the scoring URI is in tests/app/test_batch.py."""

import asyncio
import types

import httpx2
import pytest

from lazulite.core.errors import ArmError
from lazulite.deployments.invocations import read_invocation
from lazulite.deployments.rerunning import inputs_of
from lazulite.deployments.resolving import pinned
from tests.app.conftest import in_process
from tests.dataplane.requests import ask

API = "2020-09-01-dataplanepreview"
ENDPOINT = "/batchEndpoints/scorer"
DATA = {"dataset": {"dataInputType": "DataUrl", "path": "https://elsewhere.example/mnist"}}
CLUSTER = {"computeType": "AmlCompute", "properties": {"scaleSettings": {"maxNodeCount": 2}}}
MFE = "/mferp/managementfrontend"


@pytest.fixture
async def scorer(plane):
    for name in ("cpu", "gpu"):
        await plane.put(f"/computes/{name}", CLUSTER)
    await plane.put(ENDPOINT, {"defaults": {"deploymentName": "one"}})
    for name in ("one", "two"):
        await plane.put(f"{ENDPOINT}/deployments/{name}", {"compute": "azureml:cpu"})
    return plane


async def invoke(plane, path=f"{ENDPOINT}/jobs", headers=None, **properties):
    body = {"properties": {**DATA, **properties}}
    return await plane.call("POST", path, body, api=API, headers=headers)


async def test_a_job_has_its_status_at_the_top_and_in_properties(scorer):
    answer = await invoke(scorer, miniBatchSize="5", tags={"a": "b"}, description="d")
    assert answer.status_code == 201
    job = answer.json()
    assert job["id"].endswith(f"/jobs/{job['name']}")
    assert job["status"] == job["properties"]["status"] == "NotStarted"
    expected = {
        "provisioningState": "InProgress",
        "miniBatchSize": 5,
        "errorThreshold": -1,
        "maxConcurrencyPerInstance": 1,
        "loggingLevel": "Info",
        "outputFileName": "predictions.csv",
        "retrySettings": {"maxRetries": 3, "timeout": "PT30S"},
        "dataset": DATA["dataset"],
        "tags": {"a": "b"},
        "description": "d",
        "name": job["name"],
    }
    assert expected.items() <= job["properties"].items()
    output = job["properties"]["output"]
    assert output["datastoreId"].endswith("/datastores/workspaceblobstore")
    assert output["path"] == f"azureml/{job['name']}/score"
    assert "Studio" in job["properties"]["interactionEndpoints"]


async def test_a_signature_in_an_input_is_shown_nowhere(scorer):
    url = "https://a.blob.core.windows.net/c/x"
    dataset = {"dataInputType": "DataUrl", "path": f"{url}?sv=2021-08-06&sig=c2VjcmV0"}
    started = await invoke(scorer, dataset=dataset)
    name = started.json()["name"]
    listed = await scorer.call("GET", f"{ENDPOINT}/jobs", api=API)
    row = await scorer.call("GET", f"{scorer.workspace}/jobs/{name}", api="2023-10-01")
    for answer in (started, listed, row):
        assert "c2VjcmV0" not in answer.text
        assert name in answer.text
    assert started.json()["properties"]["dataset"]["path"] == url


@pytest.mark.parametrize("prefix", ["", MFE])
async def test_both_origins_show_the_same_job(scorer, prefix):
    name = (await invoke(scorer)).json()["name"]
    sent = {"authorization": f"Bearer {scorer.bearer}"}
    folded = f"{scorer.workspace}/BATCHENDPOINTS/scorer/Jobs/{name}"
    answer = await scorer.client.get(prefix + folded, headers=sent)
    assert (answer.status_code, answer.json()["name"]) == (200, name)


async def test_the_path_or_the_header_chooses_the_deployment(scorer):
    by_path = (await invoke(scorer, f"{ENDPOINT}/deployments/two/jobs")).json()["name"]
    header = {"azureml-model-deployment": "two"}
    by_header = (await invoke(scorer, headers=header)).json()["name"]
    by_default = (await invoke(scorer)).json()["name"]
    for path, names in (
        (f"{ENDPOINT}/deployments/two/jobs", [by_header, by_path]),
        (f"{ENDPOINT}/deployments/one/jobs", [by_default]),
        (f"{ENDPOINT}/jobs", [by_default, by_header, by_path]),
    ):
        listed = (await scorer.call("GET", path, api=API)).json()
        assert [job["name"] for job in listed["value"]] == names
    filtered = (await scorer.call("GET", f"{ENDPOINT}/jobs", api=API, deployment="TWO")).json()
    assert [job["name"] for job in filtered["value"]] == [by_header, by_path]
    missed = await scorer.call("GET", f"{ENDPOINT}/deployments/one/jobs/{by_path}", api=API)
    assert missed.status_code == 404


async def test_pages_follow_each_other(scorer):
    names = [(await invoke(scorer)).json()["name"] for _ in range(5)]
    seen = []
    page = (await scorer.call("GET", f"{ENDPOINT}/jobs", api=API, **{"$top": "2"})).json()
    while True:
        seen += [job["name"] for job in page["value"]]
        if page["nextLink"] is None:
            break
        assert "$skiptoken=" in page["nextLink"].replace("%24", "$")
        sent = {"authorization": f"Bearer {scorer.bearer}"}
        page = (await scorer.client.get(httpx2.URL(page["nextLink"]), headers=sent)).json()
    assert seen == names[::-1]


async def test_the_same_request_id_again_is_the_same_job(scorer):
    sent = {"Repeatability-Request-ID": "0f0e0d0c-0000-4000-8000-000000000001"}
    first, second = [await invoke(scorer, headers=sent) for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]


GUID = "0f0e0d0c-0000-4000-8000-000000000002"


@pytest.mark.parametrize("name", ["repeatability_request-id", "x-ms-client-request-id"])
async def test_repeats_at_the_same_time_are_one_job(scorer, name):
    answers = await asyncio.gather(*(invoke(scorer, headers={name: GUID}) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["name"] for answer in answers}) == 1


async def test_a_repeat_finds_its_job_even_if_its_deployment_is_gone(scorer):
    sent = {"repeatability_request-id": GUID}
    first = await invoke(scorer, headers=sent)
    await scorer.put(ENDPOINT, {"defaults": {}})
    second = await invoke(scorer, headers=sent)
    assert (second.status_code, second.json()["name"]) == (200, first.json()["name"])


async def test_a_repeat_after_a_restart_finds_its_job(tmp_path, keys):
    sent, names = {"repeatability_request-id": GUID}, set()
    async with in_process(tmp_path, keys) as plane:
        await plane.put("/computes/cpu", CLUSTER)
        await plane.put(ENDPOINT, {"defaults": {"deploymentName": "one"}})
        await plane.put(f"{ENDPOINT}/deployments/one", {"compute": "azureml:cpu"})
        names.add((await invoke(plane, headers=sent)).json()["name"])
    async with in_process(tmp_path) as plane:
        again = await invoke(plane, headers=sent)
        names.add(again.json()["name"])
    assert (again.status_code, len(names)) == (200, 1)


async def test_a_request_id_stands_for_one_request(scorer):
    sent = {"repeatability_request-id": GUID}
    assert (await invoke(scorer, headers=sent)).status_code == 201
    for other in (
        await invoke(scorer, headers=sent, miniBatchSize=7),
        await invoke(scorer, headers={**sent, "azureml-model-deployment": "two"}),
    ):
        assert (other.status_code, other.json()["error"]["code"]) == (409, "Conflict")
        assert GUID in other.json()["error"]["message"]


async def test_a_clients_own_id_is_for_repeats_only(scorer):
    """It may be a constant: another body is another job, and what is no GUID says nothing."""
    sent = {"x-ms-client-request-id": GUID}
    one, two = [await invoke(scorer, headers=sent, miniBatchSize=size) for size in (1, 2)]
    assert (one.status_code, two.status_code) == (201, 201)
    for _ in range(2):
        answer = await invoke(scorer, headers={"x-ms-client-request-id": "nightly"})
        assert answer.status_code == 201


async def test_a_name_that_is_taken_is_refused(scorer):
    assert (await invoke(scorer, name="mine")).status_code == 201
    answer = await invoke(scorer, name="mine")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "Conflict")


async def test_the_invocations_compute_wins(scorer):
    compute = {"target": "azureml:gpu", "instanceCount": 2, "isLocal": True}
    name = (await invoke(scorer, compute=compute)).json()["name"]
    row = await scorer.base.resources.find(f"{scorer.workspace}/jobs/{name}")
    assert row.properties["computeId"].endswith("/computes/gpu")
    assert row.properties["instanceCount"] == 2


@pytest.mark.parametrize(
    ("properties", "status", "target"),
    [
        ({"compute": {"target": "azureml:none"}}, 404, "compute"),
        ({"outputDataset": {"datastoreId": "none", "path": "x"}}, 404, "outputDataset.datastoreId"),
        ({"partitionKeys": ["year"]}, 400, "partitionKeys"),
    ],
)
async def test_a_refused_invocation_leaves_nothing_behind(scorer, properties, status, target):
    answer = await invoke(scorer, **properties)
    assert (answer.status_code, answer.json()["error"]["target"]) == (status, target)
    assert (await scorer.call("GET", f"{ENDPOINT}/jobs", api=API)).json()["value"] == []


async def test_what_is_not_there_is_404(scorer):
    for path in ("/batchEndpoints/none/jobs", f"{ENDPOINT}/deployments/none/jobs"):
        assert (await invoke(scorer, path)).status_code == 404
        assert (await scorer.call("GET", path, api=API)).status_code == 404
    assert (await scorer.call("GET", f"{ENDPOINT}/jobs/none", api=API)).status_code == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_other_methods_are_405(scorer, method):
    answer = await scorer.call(method, f"{ENDPOINT}/jobs/x", api=API)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


async def deploy(plane, **properties):
    body = {"compute": "azureml:cpu", "properties": properties}
    return await plane.put(f"{ENDPOINT}/deployments/one", body)


async def row_of(plane, answer):
    return await plane.base.resources.find(f"{plane.workspace}/jobs/{answer.json()['name']}")


async def test_extensions_of_a_deployment_are_checked_when_it_is_written(scorer):
    refused = await deploy(scorer, **{"lazulite.output_format": "xml"})
    error = refused.json()["error"]
    assert (refused.status_code, error["target"]) == (400, "properties.lazulite.output_format")
    assert "azure, csv, jsonl, parquet" in error["message"]


async def test_an_extension_that_is_not_there_is_refused(scorer):
    for name in ("lazulite.output_fromat", "Lazulite.output_format", "lazulite.rerun_failed"):
        answer = await deploy(scorer, **{name: "csv"})
        assert answer.status_code == 400, name
        assert "lazulite.output_format" in answer.json()["error"]["message"]
    answer = await invoke(scorer, properties={"lazulite.rerun": "x"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadArgument")


@pytest.mark.parametrize(
    ("deployed", "asked", "name", "chosen"),
    [
        ({}, {}, "predictions.csv", None),
        ({"lazulite.output_format": "parquet"}, {}, "predictions.parquet", "parquet"),
        ({"lazulite.output_format": "parquet"}, {"lazulite.output_format": "azure"},
         "predictions.csv", "azure"),
        ({}, {"lazulite.output_format": "jsonl"}, "predictions.jsonl", "jsonl"),
    ],
)  # fmt: skip
async def test_an_invocations_extensions_win(scorer, deployed, asked, name, chosen):
    assert (await deploy(scorer, **deployed)).status_code == 200
    answer = await invoke(scorer, properties=asked)
    assert answer.json()["properties"]["outputFileName"] == name
    row = await row_of(scorer, answer)
    assert row.properties["extensions"].get("lazulite.output_format") == chosen


async def test_a_name_that_is_asked_for_stays_whatever_the_format_is(scorer):
    asked = {"lazulite.output_format": "parquet"}
    answer = await invoke(scorer, properties=asked, outputFileName="rows.csv")
    assert answer.json()["properties"]["outputFileName"] == "rows.csv"


async def test_an_output_that_is_a_file_is_folder_and_name(scorer):
    uri = "azureml://datastores/workspaceblobstore/paths/out/mine.csv"
    output = {"score": {"jobOutputType": "UriFile", "uri": uri}}
    job = (await invoke(scorer, outputData=output)).json()["properties"]
    assert (job["output"]["path"], job["outputFileName"]) == ("out", "mine.csv")


async def ended(plane, answer, status, failed):
    """Make the job one that has ended."""
    row = await row_of(plane, answer)
    observed = {"status": status, "progress": {"failed_items": failed}}
    ids = {"deployment": row.properties["deployment"], "inputs": row.properties["inputs"]}
    return types.SimpleNamespace(name=row.name, uid=row.uid, properties=ids, observed=observed)


@pytest.mark.parametrize(
    ("status", "failed", "why"),
    [("Completed", 0, "nothing to run"), ("Failed", 5, "is Failed"), ("Running", 1, "is Running")],
)
async def test_there_must_be_something_to_run_again(scorer, status, failed, why):
    earlier = await ended(scorer, await invoke(scorer), status, failed)
    with pytest.raises(ArmError, match=why) as refused:
        inputs_of(read_invocation({"properties": {}}), earlier)
    assert refused.value.status == 409


async def test_a_rerun_reads_the_inputs_of_the_earlier_job(scorer):
    earlier = await ended(scorer, await invoke(scorer), "Completed", 2)
    found = inputs_of(read_invocation({"properties": {}}), earlier)
    assert found == {"inputs": earlier.properties["inputs"], "rerunOf": earlier.uid}
    with pytest.raises(ArmError, match="give no others"):
        inputs_of(read_invocation({"properties": DATA}), earlier)


LABELS = [
    {"dataInputType": "DatasetVersion", "datasetName": "digits"},
    {"dataInputType": "DatasetId", "datasetId": "azureml:digits@latest"},
    {"dataInputType": "DataUrl", "path": "folder:azureml:digits@latest"},
]


@pytest.mark.parametrize("dataset", LABELS, ids=["name", "label", "shape"])
async def test_a_rerun_reads_the_version_that_was_the_latest_when_the_job_was_made(scorer, dataset):
    data = {"dataType": "uri_folder", "dataUri": "https://elsewhere.example/digits"}
    await scorer.put("/data/digits/versions/1", data)
    earlier = await ended(scorer, await invoke(scorer, dataset=dataset), "Completed", 2)
    await scorer.put("/data/digits/versions/2", data)
    found = inputs_of(read_invocation({"properties": {}}), earlier)
    (given,) = found["inputs"].values()
    assert given["uri"].removeprefix("folder:").endswith("/data/digits/versions/1")
    again = await pinned(scorer.base.resources, scorer.workspace, given["uri"])
    assert again == given["uri"]


async def test_data_that_nobody_can_find_stay_as_they_are_named(scorer):
    for uri in ("azureml:none@latest", "azureml://datastores/d/paths/p", "nonsense"):
        assert await pinned(scorer.base.resources, scorer.workspace, uri) == uri


async def test_a_rerun_of_no_job_of_the_endpoint_is_404(scorer):
    answer = await invoke(scorer, dataset=None, properties={"lazulite.rerun_failed": "none"})
    assert answer.status_code == 404


@pytest.mark.parametrize("prefix", ["", MFE])
async def test_nobody_comes_in_without_a_token(scorer, prefix):
    for method in ("GET", "POST"):
        answer = await scorer.client.request(method, f"{prefix}{scorer.workspace}{ENDPOINT}/jobs")
        assert answer.status_code == 401


async def test_the_step_of_a_job_is_a_run_with_its_output(scorer):
    """Clients look among a job's children for the one with the results."""
    name = (await invoke(scorer)).json()["name"]
    history = f"/history/v1.0{scorer.workspace}"
    (step,) = (await ask(scorer, "GET", f"{history}/runs/{name}/children")).json()["value"]
    assert (step["parentRunId"], step["rootRunId"], step["displayName"]) == (
        name, name, "batchscoring",
    )  # fmt: skip
    assert list(step["outputs"]) == ["score"]
    assert step["dataContainerId"] == f"dcid.{name}"
    assert (await ask(scorer, "GET", f"{history}/runs/{step['runId']}/children")).json()[
        "value"
    ] == []
    data = await ask(scorer, "POST", f"{history}/rundata", {"runId": step["runId"]})
    assert data.json()["runMetadata"]["outputs"] == step["outputs"]
    asset = step["outputs"]["score"]["assetId"]
    where = f"/data/v1.0{scorer.workspace}/dataversion/batchGetResolvedUris"
    resolved = (await ask(scorer, "POST", where, {"values": [asset]})).json()["values"]
    assert resolved[asset]["uri"].startswith("azureml://subscriptions/")
    assert resolved[asset]["uri"].endswith(asset.removeprefix("azureml://"))
    shown = await ask(
        scorer, "GET", f"{scorer.workspace}/jobs/{step['runId']}", **{"api-version": "2023-10-01"}
    )
    assert "azureml.batchrun" not in shown.json()["properties"]["tags"]
    assert shown.json()["properties"]["outputs"]["score"]["uri"].endswith(f"/{name}/score")
    refused = await ask(scorer, "PATCH", f"{history}/runs/{step['runId']}", {"tags": {"a": "b"}})
    assert (refused.status_code, name in refused.text) == (409, True)
    of_nothing = f"{scorer.workspace}/jobs/none_batchscoring"
    assert (
        await ask(scorer, "GET", of_nothing, **{"api-version": "2023-10-01"})
    ).status_code == 404


async def test_data_is_resolved_by_its_id(plane):
    made = await plane.put("/data/d/versions/1", {"dataUri": "https://example.org/x"})
    where = f"/data/v1.0{plane.workspace}/dataversion/batchGetResolvedUris"
    asset = made.json()["id"]
    answer = await ask(plane, "POST", where, {"values": [asset]})
    assert answer.json() == {"values": {asset: {"uri": "https://example.org/x"}}}
    missed = await ask(plane, "POST", where, {"values": ["azureml:none:1"]})
    assert (missed.status_code, "none" in missed.text) == (404, True)
