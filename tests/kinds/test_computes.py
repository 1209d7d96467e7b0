"""Computes of all types."""

from tests.kinds.refusals import refused

CLUSTER = {
    "computeType": "AmlCompute",
    "properties": {"vmSize": "Standard_DS3_v2", "scaleSettings": {"maxNodeCount": 2}},
}
INSTANCE = {"computeType": "ComputeInstance", "properties": {"vmSize": "Standard_DS3_v2"}}
AKS_ID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/k"
ATTACHED = {
    "AKS": {"resourceId": AKS_ID, "properties": {"agentCount": 3}},
    "Kubernetes": {"resourceId": AKS_ID, "properties": {"namespace": "ml"}},
    "VirtualMachine": {"properties": {"address": "10.0.0.4", "sshPort": 22}},
    "HDInsight": {"properties": {"address": "10.0.0.5"}},
    "Databricks": {"properties": {"workspaceUrl": "adb-1.azuredatabricks.net"}},
    "DataFactory": {},
    "DataLakeAnalytics": {"properties": {"dataLakeStoreAccountName": "lake"}},
    "SynapseSpark": {"properties": {"sparkVersion": "3.1", "poolName": "p"}},
}


async def shown(plane, name, api="2023-10-01"):
    return (await plane.call("GET", f"/computes/{name}", api=api)).json()["properties"]


async def test_a_cluster_keeps_all_that_azure_knows(plane):
    given = {
        **CLUSTER["properties"],
        "osType": "linux",
        "vmPriority": "lowpriority",
        "subnet": {"id": "/subnets/s"},
        "remoteLoginPortPublicAccess": "Disabled",
        "isolatedNetwork": False,
        "virtualMachineImage": {"id": "/images/i"},
        "enableNodePublicIp": False,
        "propertyBag": {"a": [1]},
    }
    made = await plane.put(
        "/computes/c",
        {**CLUSTER, "description": "mine", "disableLocalAuth": True, "properties": given},
        tags={"a": "b"},
        identity={"type": "systemassigned"},
        sku={"name": "x"},
    )
    assert made.status_code == 201
    assert made.headers["azure-asyncoperation"]
    body = made.json()
    assert (body["tags"], body["identity"]["type"]) == ({"a": "b"}, "SystemAssigned")
    inner = body["properties"]["properties"]
    assert (inner["osType"], inner["vmPriority"]) == ("Linux", "LowPriority")
    for name in ("subnet", "isolatedNetwork", "virtualMachineImage", "propertyBag"):
        assert inner[name] == given[name]
    assert inner["nodeStateCounts"]["idleNodeCount"] == 0
    assert inner["allocationState"] == "Steady"
    assert body["properties"]["isAttachedCompute"] is False


async def test_a_patch_changes_the_scale_and_nothing_else(plane):
    await plane.put("/computes/c", {**CLUSTER, "description": "mine"})
    scale = {"maxNodeCount": 5, "minNodeCount": 0, "nodeIdleTimeBeforeScaleDown": "PT5M"}
    body = {"properties": {"properties": {"scaleSettings": scale}}}
    answer = await plane.call("PATCH", "/computes/c", body)
    assert answer.status_code == 200
    properties = answer.json()["properties"]
    assert properties["properties"]["scaleSettings"] == scale
    assert properties["description"] == "mine"


async def test_credentials_beside_the_properties_are_ignored_and_inside_them_write_only(plane):
    account = {"adminUserName": "me", "adminUserPassword": "Sup3rSecret!"}
    await plane.put("/computes/a", CLUSTER, userAccountCredentials=account)
    assert (await shown(plane, "a"))["properties"]["userAccountCredentials"] is None
    inside = {**CLUSTER["properties"], "userAccountCredentials": account}
    made = await plane.put("/computes/b", {**CLUSTER, "properties": inside})
    again = await plane.put("/computes/b", {**CLUSTER, "properties": inside})
    assert "Sup3rSecret!" not in made.text + again.text
    assert made.json()["properties"]["properties"]["userAccountCredentials"] == {
        "adminUserName": "me",
        "adminUserPassword": None,
        "adminUserSshPublicKey": None,
    }
    assert again.headers["etag"] == made.headers["etag"]


REFUSED = [
    ({"scaleSettings": {"maxNodeCount": 0}}, "maxNodeCount"),
    ({"scaleSettings": {"minNodeCount": 3, "maxNodeCount": 2}}, "minNodeCount 3"),
    ({"scaleSettings": {"minNodeCount": 1000, "maxNodeCount": 2000}}, "minNodeCount"),
    ({"scaleSettings": {"maxNodeCount": 2, "nodeIdleTimeBeforeScaleDown": "2"}}, "'2'"),
    ({"osType": "Windows"}, "Windows"),
    ({"vmPriority": "Cheap"}, "vmPriority"),
]


async def test_what_no_cluster_can_be_is_refused(plane):
    for inner, what in REFUSED:
        answer = await plane.put("/computes/c", {"computeType": "AmlCompute", "properties": inner})
        assert what in refused(answer, 400)
    assert (await plane.call("GET", "/computes/c")).status_code == 404


async def test_a_type_that_is_none_is_answered_with_those_that_are(plane):
    assert "SynapseSpark" in refused(await plane.put("/computes/c", {"computeType": "Abacus"}), 400)
    assert "AmlCompute" in refused(await plane.put("/computes/c", {}), 400)


async def test_the_type_of_a_compute_stays(plane):
    await plane.put("/computes/c", CLUSTER)
    assert "ComputeInstance" in refused(await plane.put("/computes/c", INSTANCE), 409)


async def test_what_is_elsewhere_is_a_record(plane):
    for kind in ATTACHED:
        await is_a_record(plane, kind)


async def is_a_record(plane, kind):
    made = await plane.put(f"/computes/{kind}", {"computeType": kind.lower(), **ATTACHED[kind]})
    assert made.status_code == 201
    await plane.settle()
    properties = await shown(plane, kind)
    assert (properties["computeType"], properties["isAttachedCompute"]) == (kind, True)
    assert properties["provisioningState"] == "Succeeded"
    for name, value in ATTACHED[kind].get("properties", {}).items():
        assert properties["properties"][name] == value
    wrong = await plane.call("DELETE", f"/computes/{kind}", underlyingResourceAction="Delete")
    assert "Detach" in refused(wrong, 400)
    gone = await plane.call("DELETE", f"/computes/{kind}", underlyingResourceAction="Detach")
    assert gone.status_code == 202


async def test_nothing_runs_on_what_is_elsewhere(plane):
    await plane.put("/computes/far", {"computeType": "AKS", **ATTACHED["AKS"]})
    await plane.put("/batchEndpoints/b", {"authMode": "AADToken"})
    await plane.put(
        "/batchEndpoints/b/deployments/d",
        {"compute": f"{plane.workspace}/computes/far", "model": "azureml:m:1"},
    )
    await plane.settle_deployments()
    found = await plane.base.resources.find(f"{plane.workspace}/batchEndpoints/b/deployments/d")
    assert found.error["code"] == "ComputeTypeNotSupported"
    assert "'far' is AKS" in found.error["message"]


async def test_keys_are_those_that_were_given(plane):
    token = {"databricksAccessToken": "dapi-secret"}
    await plane.put("/computes/bricks", {"computeType": "Databricks", "properties": token})
    assert "dapi-secret" not in (await plane.call("GET", "/computes/bricks")).text
    keys = (await plane.call("POST", "/computes/bricks/listKeys")).json()
    assert keys == {"computeType": "Databricks", **token}
    account = {"username": "me", "password": "pw", "publicKeyData": None, "privateKeyData": "pem"}
    machine = {"computeType": "VirtualMachine", "properties": {"administratorAccount": account}}
    made = await plane.put("/computes/vm", machine)
    assert "pem" not in made.text
    keys = (await plane.call("POST", "/computes/vm/listKeys")).json()
    assert keys == {"computeType": "VirtualMachine", "administratorAccount": account}
    await plane.put("/computes/c", CLUSTER)
    assert "'c' has no keys" in refused(await plane.call("POST", "/computes/c/listKeys"), 400)


async def test_a_delete_says_what_becomes_of_the_resource_beneath(plane):
    await plane.put("/computes/c", CLUSTER)
    assert "underlyingResourceAction" in refused(await plane.call("DELETE", "/computes/c"), 400)
    answer = await plane.call("DELETE", "/computes/c", underlyingResourceAction="delete")
    assert answer.status_code == 202
    assert answer.headers["location"]
    await plane.settle()
    gone = await plane.call("DELETE", "/computes/c", underlyingResourceAction="Delete")
    assert gone.status_code == 204


async def test_only_clusters_list_nodes(plane):
    await plane.put("/computes/c", CLUSTER)
    listed = (await plane.call("POST", "/computes/c/listNodes", api="2021-03-01-preview")).json()
    assert listed == {"computeType": "AmlCompute", "nodes": [], "nextLink": None}
    newer = (await plane.call("POST", "/computes/c/listNodes")).json()
    assert newer == {"nodes": [], "nextLink": None}
    await plane.put("/computes/far", {"computeType": "DataFactory"})
    assert "DataFactory" in refused(await plane.call("POST", "/computes/far/listNodes"), 400)


async def test_only_nodes_that_are_there_are_evicted(plane):
    await plane.put("/computes/c", CLUSTER)
    path = "/computes/c/evictNode"
    assert "'n7'" in refused(await plane.call("POST", path, {"nodeId": "n7"}), 400)
    assert "nodeId" in refused(await plane.call("POST", path, {}), 400)


async def test_schedules_of_an_instance_are_kept(plane):
    await plane.put("/computes/i", INSTANCE)
    cron = {"startTime": None, "timeZone": "UTC", "expression": "0 18 * * *"}
    item = {"status": "Enabled", "action": "Stop", "triggerType": "Cron", "cron": cron}
    body = {"computeStartStop": [item]}
    path = "/computes/i/updateSchedules"
    assert (await plane.call("POST", path, body, api="2021-03-01-preview")).status_code == 200
    kept = (await shown(plane, "i"))["properties"]["schedules"]["computeStartStop"]
    assert {name: kept[0][name] for name in item} == item
    assert "2021-10-01" in refused(await plane.call("POST", path, body), 404)
    old = await shown(plane, "i", api="2020-06-01")
    assert "schedules" not in old["properties"]


async def test_only_instances_start_and_stop(plane):
    await plane.put("/computes/c", CLUSTER)
    for verb in ("start", "stop", "restart", "updateSchedules"):
        answer = await plane.call("POST", f"/computes/{'c'}/{verb}", api="2021-03-01-preview")
        assert "ComputeInstance" in refused(answer, 400)


async def test_old_versions_do_not_show_what_they_do_not_know(plane):
    await plane.put("/computes/c", {**CLUSTER, "disableLocalAuth": True})
    old = await shown(plane, "c", api="2019-11-01")
    assert "disableLocalAuth" not in old
    assert "propertyBag" not in old["properties"]
    again = await plane.call("PUT", "/computes/c", {"location": "x", "properties": CLUSTER},
                             api="2019-11-01")  # fmt: skip
    assert again.status_code == 200
    assert (await shown(plane, "c"))["disableLocalAuth"] is True
