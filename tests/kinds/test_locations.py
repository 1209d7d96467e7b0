"""What a location answers: this machine."""

from lazulite.computes.capacity import this_machine
from lazulite.core.clock import utc_now
from lazulite.operations.reconciler import Step, step
from tests.kinds.refusals import refused

PROVIDER = "/providers/Microsoft.MachineLearningServices"


async def test_a_location_tells_what_this_machine_has(plane):
    subscription = plane.workspace.partition("/resourceGroups/")[0]
    here = f"{subscription}{PROVIDER}/locations/westus2"
    machine = this_machine()
    usages = (await plane.call("GET", f"{here}/usages", api="2023-08-01-preview")).json()["value"]
    cores = usages[0]
    assert (cores["currentValue"], cores["limit"], cores["unit"]) == (0, machine.cores, "Count")
    assert cores["name"]["value"] == "totalDedicatedCores"
    quotas = (await plane.call("GET", f"{here}/quotas")).json()["value"]
    assert quotas[0]["limit"] == machine.cores
    sizes = (await plane.call("GET", f"{here}/VMSizes")).json()["value"]
    named = {size["name"]: size for size in sizes}
    assert named["Standard_DS3_v2"]["vCPUs"] == min(4, machine.cores)
    asked = {"value": [{"id": "x", "type": "t", "limit": 100}]}
    answer = (await plane.call("POST", f"{here}/updateQuotas", asked)).json()["value"]
    assert answer[0]["status"] == "OperationNotEnabledForRegion"
    assert "value" in refused(await plane.call("POST", f"{here}/updateQuotas", {"value": 1}), 400)
    assert (await plane.call("DELETE", f"{here}/usages")).status_code == 405
    nowhere = f"/subscriptions/none{PROVIDER}/locations/x/usages"
    assert "'none'" in refused(await plane.call("GET", nowhere), 404)


async def test_nodes_are_counted_by_their_size(plane):
    cluster = {"computeType": "AmlCompute", "properties": {"vmSize": "Standard_D1"}}
    await plane.put("/computes/c", cluster)
    nodes = {"nodes": [{"state": "idle", "job": None}, {"state": "running", "job": "j"}]}
    await observe(plane, f"{plane.workspace}/computes/c", nodes)
    subscription = plane.workspace.partition("/resourceGroups/")[0]
    usages = await plane.call("GET", f"{subscription}{PROVIDER}/locations/local/usages")
    cores = min(1, this_machine().cores)
    assert [item["currentValue"] for item in usages.json()["value"]] == [2 * cores, 7]


async def test_skus_of_workspaces_are_gone_since_2021_10(plane):
    subscription = plane.workspace.partition("/resourceGroups/")[0]
    path = f"{subscription}{PROVIDER}/workspaces/skus"
    old = (await plane.call("GET", path, api="2021-03-01-preview")).json()["value"]
    assert {sku["name"] for sku in old} == {"Basic", "Enterprise"}
    assert (await plane.call("GET", path, api="2021-10-01")).status_code == 404


async def observe(plane, arm_id, seen):
    """What a reconcile step would have seen of it."""
    row = await plane.base.resources.find(arm_id)

    async def sees(resource):
        return Step(observed=seen, converged=True)

    known = plane.server.registry.reconcilers()
    assert await step(plane.base.engine, {**known, row.resource_type: sees}, utc_now())
