"""Every kind that the server knows: one line each."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Awaitable, Callable

from lazulite.app.landscape import furnish
from lazulite.arm.kind import Kind, Registry
from lazulite.arm.writing import Writer
from lazulite.computes.answers import ComputeAnswers
from lazulite.dataplane.model_assets import ASSET
from lazulite.datastores.folders import LocalFolders
from lazulite.deployments.autoscaling import Autoscaling
from lazulite.deployments.environment_builds import EnvironmentBuilds
from lazulite.deployments.invoking import Invoker
from lazulite.deployments.pending_uploads import PendingUploads
from lazulite.identity.access import Access
from lazulite.identity.sealing import SecretBox
from lazulite.kinds.account import LOCATION, TENANT, resource_group, subscription
from lazulite.kinds.action_group import action_group
from lazulite.kinds.autoscale_setting import autoscale_setting
from lazulite.kinds.batch_deployment import batch_deployment
from lazulite.kinds.batch_endpoint import batch_endpoint
from lazulite.kinds.code import code
from lazulite.kinds.component import component
from lazulite.kinds.compute import Clusters, compute
from lazulite.kinds.connection import connection
from lazulite.kinds.data import data, dataset
from lazulite.kinds.datastore import Datastores, datastore
from lazulite.kinds.dependencies import (
    ContainerRegistries,
    application_insights,
    container_registry,
    key_vault,
    log_analytics,
)
from lazulite.kinds.environment import environment
from lazulite.kinds.experiment import EXPERIMENT
from lazulite.kinds.job import Jobs, job
from lazulite.kinds.metric_alert import metric_alert
from lazulite.kinds.model import model
from lazulite.kinds.online_deployment import OnlineDeployments, online_deployment
from lazulite.kinds.online_endpoint import OnlineEndpoints, online_endpoint
from lazulite.kinds.schedule import Schedules, schedule
from lazulite.kinds.storage_account import ListContainers, StorageAccounts, storage_account
from lazulite.kinds.workspace import Workspaces, private_endpoint_connection, workspace
from lazulite.runs.scheduled_starts import ScheduledStarts
from lazulite.runs.scheduling import Scheduling
from lazulite.runs.shown import show as show_job
from lazulite.store.resources import Resources
from lazulite.telemetry.alerts import Alerts
from lazulite.workspaces.answers import WorkspaceAnswers
from lazulite.workspaces.provisioning import MakeContainer, Provisioning


@dataclasses.dataclass(frozen=True, kw_only=True)
class KindParts:
    """What kinds are built from."""

    resources: Resources
    box: SecretBox
    tenant_id: str
    make_container: MakeContainer
    containers: ListContainers
    forget_services: Callable[[str], Awaitable[None]]
    storage_suffix: str
    https_base: str
    folders: LocalFolders
    clusters: Clusters
    endpoints: OnlineEndpoints
    deployments: OnlineDeployments
    jobs: Jobs
    alerts: Alerts
    access: Access
    autoscaling: Autoscaling


def all_kinds(parts: KindParts) -> tuple[Kind, ...]:
    """The registry's content."""
    uploads = PendingUploads(parts.resources, parts.box, parts.make_container)
    jobs = job(parts.jobs)
    return (
        TENANT,
        subscription(parts.tenant_id),
        LOCATION,
        resource_group(parts.resources),
        *_dependencies(parts),
        *_workspaces(parts),
        _datastores(parts),
        connection(parts.box),
        schedule(schedules_of(parts, jobs)),
        *_assets(parts, uploads),
        ASSET,
        compute(parts.clusters, ComputeAnswers(parts.resources, parts.box, parts.tenant_id)),
        online_endpoint(parts.endpoints),
        online_deployment(parts.deployments),
        batch_endpoint(parts.resources),
        batch_deployment(parts.deployments.workshop),
        EXPERIMENT,
        action_group(),
        metric_alert(parts.alerts),
        jobs,
    )


def schedules_of(parts: KindParts, jobs: Kind) -> Schedules:
    """What starts jobs at times. jobs: the kind of jobs."""
    writer = Writer(Registry((jobs,)), parts.resources, _wake_nobody)
    invoker = Invoker(parts.resources, show_job, _wake_nobody)
    starts = ScheduledStarts(jobs, writer, invoker, parts.access)
    by_type = {"CreateJob": starts.create_job, "InvokeBatchEndpoint": starts.invoke}
    return Schedules(Scheduling(by_type, parts.resources.clock), starts.check)


def _wake_nobody() -> None:
    """Who starts jobs in a step of the reconciler need not wake it."""


def _datastores(parts: KindParts) -> Kind:
    site = (parts.storage_suffix, parts.https_base)
    return datastore(Datastores(parts.resources, parts.box, *site, parts.folders))


def _assets(parts: KindParts, uploads: PendingUploads) -> tuple[Kind, ...]:
    resources = parts.resources
    builds = EnvironmentBuilds(parts.deployments.workshop)
    return (
        *code(resources, uploads),
        *model(resources, uploads),
        *environment(resources, uploads, builds),
        *component(resources),
        *data(resources, uploads),
        *dataset(resources),
    )


def _dependencies(parts: KindParts) -> tuple[Kind, ...]:
    """What workspaces depend on, and what watches deployments."""
    accounts = StorageAccounts(
        parts.resources, parts.box, parts.containers, parts.forget_services, parts.tenant_id
    )
    return (
        autoscale_setting(parts.autoscaling),
        storage_account(accounts),
        key_vault(parts.tenant_id),
        application_insights(parts.tenant_id),
        log_analytics(),
        container_registry(ContainerRegistries(parts.resources, parts.box)),
    )


def _workspaces(parts: KindParts) -> tuple[Kind, ...]:
    furnishing = functools.partial(furnish, parts.resources)
    provisioning = Provisioning(parts.resources, parts.box, parts.make_container, furnishing)
    answers = WorkspaceAnswers(parts.resources, parts.box, provisioning)
    return (
        workspace(Workspaces(parts.resources, parts.tenant_id), provisioning, answers),
        private_endpoint_connection(),
    )
