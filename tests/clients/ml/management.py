"""azure-mgmt-machinelearningservices, with every credential that needs no browser."""

import os

from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.identity import (
    ClientSecretCredential,
    DefaultAzureCredential,
    EnvironmentCredential,
)
from azure.mgmt.machinelearningservices import MachineLearningServicesMgmtClient, models
from session import GROUP, SUBSCRIPTION, WORKSPACE, refusal

HOST = os.environ["AZURE_AUTHORITY_HOST"]
SECRET = os.environ["AZURE_CLIENT_SECRET"]
HERE = (GROUP, WORKSPACE)


def management(credential):
    scopes = [f"{HOST}/.default"]
    return MachineLearningServicesMgmtClient(
        credential, SUBSCRIPTION, base_url=HOST, credential_scopes=scopes
    )


def credentials():
    client = os.environ["AZURE_CLIENT_ID"]
    for credential in (
        DefaultAzureCredential(),
        EnvironmentCredential(),
        ClientSecretCredential("adfs", client, SECRET, authority=HOST),
        ClientSecretCredential(
            "organizations", client, SECRET, authority=HOST, disable_instance_discovery=True
        ),
    ):
        assert management(credential).workspaces.get(*HERE).name == WORKSPACE
    wrong = ClientSecretCredential("adfs", client, "wrong", authority=HOST)
    get = lambda: management(wrong).workspaces.get(*HERE)  # noqa: E731
    refusal(ClientAuthenticationError, get, "AADSTS7000215")


def workspaces(ml):
    assert WORKSPACE in {each.name for each in ml.workspaces.list_by_resource_group(GROUP)}
    assert WORKSPACE in {each.name for each in ml.workspaces.list_by_subscription()}
    body = models.Workspace(
        location="local", identity=models.ManagedServiceIdentity(type="SystemAssigned")
    )
    made = ml.workspaces.begin_create_or_update(GROUP, "made", body).result()
    assert (made.name, made.provisioning_state) == ("made", "Succeeded")
    ml.workspaces.begin_delete(GROUP, "made").result()
    assert "made" not in {each.name for each in ml.workspaces.list_by_resource_group(GROUP)}


def computes(ml):
    scale = models.ScaleSettings(max_node_count=2, min_node_count=0)
    properties = models.AmlCompute(
        properties=models.AmlComputeProperties(vm_size="STANDARD_DS3_V2", scale_settings=scale)
    )
    body = models.ComputeResource(location="local", properties=properties)
    made = ml.compute.begin_create_or_update(*HERE, "managed", body).result()
    assert made.properties.provisioning_state == "Succeeded"
    assert "managed" in {each.name for each in ml.compute.list(*HERE)}
    assert list(ml.compute.list_nodes(*HERE, "managed")) == []
    ml.compute.begin_delete(*HERE, "managed", "Delete").result()


def assets(ml):
    body = models.ModelVersion(
        properties=models.ModelVersionProperties(
            model_uri="azureml://datastores/workspaceblobstore/paths/x", model_type="custom_model"
        )
    )
    for version in "123":
        ml.model_versions.create_or_update(*HERE, "m", version, body)
    assert ml.model_containers.get(*HERE, "m").properties.latest_version == "3"
    paged = ml.model_versions.list(*HERE, "m", top=2)
    pages = [[each.name for each in page] for page in paged.by_page()]
    assert [len(page) for page in pages] == [2, 1]
    assert sorted(name for page in pages for name in page) == ["1", "2", "3"]
    body = models.EnvironmentVersion(
        properties=models.EnvironmentVersionProperties(conda_file="name: x\n", image="y")
    )
    made = ml.environment_versions.create_or_update(*HERE, "e", "1", body)
    assert made.properties.conda_file == "name: x\n"


def endpoints(ml):
    body = models.OnlineEndpoint(
        location="local", properties=models.OnlineEndpointProperties(auth_mode="Key")
    )
    made = ml.online_endpoints.begin_create_or_update(*HERE, "managed", body).result()
    assert made.properties.provisioning_state == "Succeeded"
    assert ml.online_endpoints.list_keys(*HERE, "managed").primary_key
    ml.online_endpoints.begin_delete(*HERE, "managed").result()
    absent = lambda: ml.online_endpoints.get(*HERE, "managed")  # noqa: E731
    refusal(HttpResponseError, absent, "managed")


credentials()
print("credentials", flush=True)
client = management(DefaultAzureCredential())
for step in (workspaces, computes, assets, endpoints):
    step(client)
    print(step.__name__, flush=True)
