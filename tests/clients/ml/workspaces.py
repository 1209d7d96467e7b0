"""Workspaces and what is in them besides assets and endpoints: computes, datastores, schedules."""

import os

from azure.ai.ml import command
from azure.ai.ml.constants import TimeZone
from azure.ai.ml.entities import (
    AccountKeyConfiguration,
    AmlCompute,
    AzureBlobDatastore,
    ComputeInstance,
    CronTrigger,
    Environment,
    JobSchedule,
    RecurrencePattern,
    RecurrenceTrigger,
    UsernamePasswordConfiguration,
    Workspace,
    WorkspaceConnection,
)
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from session import WORKSPACE, ml_client, refusal

ml = ml_client()


def workspace():
    mine = ml.workspaces.get(WORKSPACE)
    assert (mine.name, mine.location) == (WORKSPACE, "local")
    assert mine.discovery_url.startswith("https://")
    assert WORKSPACE in {each.name for each in ml.workspaces.list()}
    made = ml.workspaces.begin_create(
        Workspace(name="second", location="local", description="d", tags={"a": "b"})
    ).result()
    assert (made.name, made.description, made.tags["a"]) == ("second", "d", "b")
    there = ml_client("second")
    assert there.datastores.get_default().name == "workspaceblobstore"
    assert list(there.models.list()) == []
    made.description = "changed"
    assert ml.workspaces.begin_update(made).result().description == "changed"
    keys = ml.workspaces.get_keys("second")
    assert keys.user_storage_key
    ml.workspaces.begin_delete("second", delete_dependent_resources=False).result()
    refusal(ResourceNotFoundError, lambda: ml.workspaces.get("second"), "second")


def computes():
    cluster = AmlCompute(
        name="cpu", size="Standard_DS3_v2", min_instances=0, max_instances=2, tags={"a": "b"}
    )
    made = ml.compute.begin_create_or_update(cluster).result()
    assert (made.type, made.max_instances, made.provisioning_state) == (
        "amlcompute",
        2,
        "Succeeded",
    )
    made.max_instances = 3
    assert ml.compute.begin_update(made).result().max_instances == 3
    assert ml.compute.get("cpu").tags == {"a": "b"}
    assert list(ml.compute.list_nodes("cpu")) == []
    box = ComputeInstance(name="mine-1234", size="Standard_DS3_v2")
    ml.compute.begin_create_or_update(box).result()
    ml.compute.begin_stop("mine-1234").result()
    assert ml.compute.get("mine-1234").state == "Stopped"
    ml.compute.begin_start("mine-1234").result()
    assert ml.compute.get("mine-1234").state == "Running"
    assert {"cpu", "mine-1234"} <= {each.name for each in ml.compute.list()}
    assert "cpu" in {each.name for each in ml.compute.list(compute_type="amlcompute")}
    assert list(ml.compute.list_sizes())
    assert list(ml.compute.list_usage())
    ml.compute.begin_delete("mine-1234").result()
    refusal(ResourceNotFoundError, lambda: ml.compute.get("mine-1234"), "mine-1234")


def datastores():
    names = {each.name for each in ml.datastores.list()}
    assert {"workspaceblobstore", "workspaceartifactstore"} <= names
    default = ml.datastores.get_default()
    account, container = default.account_name, default.container_name
    made = ml.datastores.create_or_update(
        AzureBlobDatastore(
            name="second",
            account_name=account,
            container_name=container,
            credentials=AccountKeyConfiguration(account_key="a2V5"),
            description="d",
        )
    )
    assert (made.name, made.type, made.description) == ("second", "AzureBlob", "d")
    assert ml.datastores.get("second").container_name == container
    secret = ml.datastores.get("second", include_secrets=True)
    assert secret.credentials.account_key == "a2V5"
    ml.datastores.delete("second")
    refusal(ResourceNotFoundError, lambda: ml.datastores.get("second"), "second")
    delete = lambda: ml.datastores.delete("workspaceblobstore")  # noqa: E731
    refusal(HttpResponseError, delete, "workspaceblobstore")


def connections():
    made = ml.connections.create_or_update(
        WorkspaceConnection(
            name="registry",
            type="python_feed",
            target="https://example.org/simple",
            credentials=UsernamePasswordConfiguration(username="u", password="p"),
        )
    )
    assert (made.name, made.target) == ("registry", "https://example.org/simple")
    assert [each.name for each in ml.connections.list()] == ["registry"]
    assert ml.connections.get("registry").type == "python_feed"
    ml.connections.delete("registry")
    refusal(ResourceNotFoundError, lambda: ml.connections.get("registry"), "registry")


def schedules():
    os.environ["AZURE_ML_CLI_PRIVATE_FEATURES_ENABLED"] = "True"  # else of pipelines only
    job = command(
        command="echo hello",
        environment=Environment(name="plain", image="mcr.microsoft.com/x:1"),
        compute="cpu",
    )
    trigger = CronTrigger(expression="0 4 * * *", time_zone=TimeZone.UTC)
    made = ml.schedules.begin_create_or_update(
        JobSchedule(name="nightly", trigger=trigger, create_job=job)
    ).result()
    assert (made.name, made.is_enabled, made.trigger.expression) == ("nightly", True, "0 4 * * *")
    weekly = RecurrenceTrigger(
        frequency="week",
        interval=1,
        schedule=RecurrencePattern(hours=[10], minutes=[0], week_days=["monday"]),
    )
    ml.schedules.begin_create_or_update(
        JobSchedule(name="weekly", trigger=weekly, create_job=job)
    ).result()
    assert {each.name for each in ml.schedules.list()} == {"nightly", "weekly"}
    assert ml.schedules.begin_disable("nightly").result().is_enabled is False
    ml.schedules.begin_delete("nightly").result()
    ml.schedules.begin_disable("weekly").result()
    ml.schedules.begin_delete("weekly").result()
    refusal(ResourceNotFoundError, lambda: ml.schedules.get("nightly"), "nightly")


for step in (workspace, computes, datastores, connections, schedules):
    step()
    print(step.__name__, flush=True)
