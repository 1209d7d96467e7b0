"""The article on managing resources with REST, call by call: all but its data planes.

In 2019-11-01, as it is written, and in 2021-10-01. Bodies are as a person pastes them into curl.
"""

import re

import pytest

from tests.live import wait_for

VERSIONS = ("2019-11-01", "2021-10-01")
ML = "/providers/Microsoft.MachineLearningServices/workspaces"
COMPUTE = """{
    "location": "local",
    "properties": {
        "computeType": "AmlCompute",
        "properties": {
            "vmSize": "Standard_D1",
            "vmPriority": "Dedicated",
            "scaleSettings": {
                "maxNodeCount": 1,
                "minNodeCount": 0,
                "nodeIdleTimeBeforeScaleDown": "PT30M"
            }
        }
    },
    "userAccountCredentials": {
        "adminUserName": "operator",
        "adminUserPassword": "Pa55-word",
    }
}"""
WORKSPACE = """{
    "location": "local",
    "properties": {
        "friendlyName" : "By REST",
        "description" : "Made with a PUT",
        "containerRegistry" : "GROUP/providers/Microsoft.ContainerRegistry/registries/NAMEregistry",
        "keyVault" : "GROUP/providers/Microsoft.Keyvault/vaults/NAMEvault",
        "applicationInsights" : "BARE/providers/Microsoft.insights/components/NAMEinsights",
        "storageAccount" : "GROUP/providers/Microsoft.Storage/storageAccounts/NAMEstorage"
    },
    "identity" : {
        "type" : "systemAssigned"
    }
}"""
DEPENDENCIES = (
    (
        "Microsoft.ContainerRegistry/registries",
        "registry",
        "2019-05-01",
        {"adminUserEnabled": True},
    ),
    ("Microsoft.KeyVault/vaults", "vault", "2019-09-01", {}),
    ("Microsoft.Insights/components", "insights", "2015-05-01", {"Application_Type": "web"}),
    ("Microsoft.Storage/storageAccounts", "storage", "2019-06-01", {}),
)


def follow(server, url, until=(200, 204)):
    """GET what a header leads to until it is final."""
    headers = {"authorization": f"Bearer {server.token()}"}
    answers = []

    def is_final():
        answers.append(server.http.get(url, headers=headers))
        return answers[-1].status_code != 202

    wait_for(is_final)
    return answers[-1]


@pytest.fixture
def group(server):
    return server.workspace.partition("/providers/")[0]


@pytest.mark.parametrize("api", VERSIONS)
def test_what_there_is_can_be_looked_at(server, group, api):
    found = server.call("GET", "/subscriptions", api=api).json()["value"]
    subscription = group.partition("/resourceGroups/")[0]
    assert found[0]["id"] == subscription
    groups = server.call("GET", f"{subscription}/resourceGroups", api=api).json()["value"]
    assert groups[0].keys() >= {"id", "name", "type", "location", "properties"}
    assert groups[0]["properties"] == {"provisioningState": "Succeeded"}
    listed = server.call("GET", f"{group}{ML}/", api=api).json()["value"]
    (own,) = [item for item in listed if item["id"] == server.workspace]
    assert own["type"] == "Microsoft.MachineLearningServices/workspaces"
    assert own["identity"]["principalId"]
    assert own["sku"] == {"name": "Basic", "tier": "Basic"}
    named = {"friendlyName", "description", "storageAccount", "containerRegistry", "keyVault"}
    named |= {"applicationInsights", "hbiWorkspace", "workspaceId", "discoveryUrl"}
    assert own["properties"].keys() >= named
    if api == "2019-11-01":
        old = {"creationTime", "subscriptionState", "subscriptionStatusChangeTimeStampUtc"}
        assert own["properties"].keys() >= old
        assert own["etag"] is None
    services = server.http.get(own["properties"]["discoveryUrl"]).json()
    assert services["api"].startswith("http")
    computes = server.call("GET", "/computes", api=api).json()["value"]
    assert isinstance(computes, list)


@pytest.mark.parametrize("api", VERSIONS)
def test_a_compute_is_made_and_polled(server, api):
    path = f"/computes/article-{api}"
    made = server.call("PUT", path, COMPUTE, api=api)
    assert made.status_code == 201
    assert "Pa55-word" not in made.text
    wait_for(lambda: follow_status(server, made) == "Succeeded")
    shown = server.call("GET", path, api=api).json()
    assert shown["properties"]["provisioningState"] == "Succeeded"
    assert shown["properties"]["properties"]["vmSize"] == "Standard_D1"
    assert shown["properties"]["properties"]["scaleSettings"]["maxNodeCount"] == 1
    assert shown["properties"]["properties"]["userAccountCredentials"] is None
    gone = server.call("DELETE", path, api=api, underlyingResourceAction="Delete")
    assert gone.status_code == 202
    assert follow(server, gone.headers["location"]).status_code == 204
    assert server.call("GET", path, api=api).status_code == 404


def follow_status(server, answer):
    headers = {"authorization": f"Bearer {server.token()}"}
    return server.http.get(answer.headers["azure-asyncoperation"], headers=headers).json()["status"]


@pytest.mark.parametrize("api", VERSIONS)
def test_a_workspace_is_made_after_its_four_dependencies_and_deleted(server, group, api):
    name = "rest" + re.sub(r"\D", "", api)
    text = WORKSPACE.replace("GROUP", group).replace("BARE", group[1:]).replace("NAME", name)
    path = f"{group}{ML}/{name}"
    early = server.call("PUT", path, text, api=api)
    assert early.status_code == 400
    for kind, suffix, _, _ in DEPENDENCIES:
        assert f"'{name}{suffix}' ({kind})" in early.text
    for kind, suffix, version, properties in DEPENDENCIES:
        arm_id = f"{group}/providers/{kind}/{name}{suffix}"
        body = {"location": "local", "sku": {"name": "Basic"}, "properties": properties}
        assert server.call("PUT", arm_id, body, api=version).status_code in {200, 201}
    made = server.call("PUT", path, text, api=api)
    assert made.status_code == 202
    done = follow(server, made.headers["location"])
    assert done.status_code == 200, done.text
    shown = server.call("GET", path, api=api).json()
    assert shown["id"] == path
    assert shown["identity"]["type"] == "SystemAssigned"
    assert shown["properties"]["provisioningState"] == "Succeeded"
    assert shown["properties"]["friendlyName"] == "By REST"
    assert shown["properties"]["keyVault"].endswith(f"vaults/{name}vault")
    assert (server.data_dir / "blobs" / f"{name}storage" / "azureml-blobstore").is_dir()
    gone = server.call("DELETE", path, api=api)
    assert gone.status_code == 202
    assert follow(server, gone.headers["location"]).status_code == 204
    assert server.call("GET", path, api=api).status_code == 404
    assert server.call("DELETE", path, api=api).status_code == 204


def test_an_instance_starts_stops_and_runs_a_job(server):
    path = "/computes/desk"
    instance = {"computeType": "ComputeInstance", "properties": {"vmSize": "Standard_D1"}}
    made = server.put(path, instance)
    wait_for(lambda: state(server) == "Running")
    stopped = server.call("POST", f"{path}/stop")
    assert stopped.status_code == 202
    assert follow(server, stopped.headers["location"]).status_code == 200
    assert state(server) == "Stopped"
    server.batch(
        "on-desk",
        "def init():\n    pass\ndef run(batch):\n    return [len(batch)] * len(batch)\n",
        compute=made.json()["id"],
    )
    server.files("on-desk", 3)
    name = server.invoke("on-desk", "on-desk").json()["name"]
    assert server.call("POST", f"{path}/start").status_code == 202
    assert server.ended(name)["status"] == "Completed"
    gone = server.call("DELETE", path, underlyingResourceAction="Delete")
    assert follow(server, gone.headers["location"]).status_code == 204


def state(server):
    return server.call("GET", "/computes/desk").json()["properties"]["properties"]["state"]
