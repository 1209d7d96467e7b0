"""Batch deployments: how files are scored. It is ready once all it refers to is on this machine.

Source: spec/BATCH.md 1.1, spec/REST.md 7.7.
"""

from __future__ import annotations

from datetime import timedelta

from lazulite.arm.kind import ENDPOINT_NAME, Kind, Proposal
from lazulite.arm.references import find_one
from lazulite.arm.watching import Watching
from lazulite.core.ids import workspace_of
from lazulite.deployments.batch_extensions import OF_DEPLOYMENTS, check_extensions
from lazulite.deployments.batch_properties import BATCH_DEPLOYMENT_WIRE, BatchDeployment
from lazulite.deployments.invocations import NO_PARTITIONS
from lazulite.deployments.materials import Preparing, Workshop
from lazulite.deployments.unserved import Unserved, refuse_unserved
from lazulite.operations.reconciler import Step
from lazulite.store.resources import Resource

SOON = timedelta(milliseconds=100)
UNSERVED = (
    NO_PARTITIONS,
    Unserved(
        "deploymentConfiguration.deploymentConfigurationType",
        "PipelineDeploymentNotSupported",
        "deploy a model with a scoring script",
        ("PipelineComponent",),
    ),
)


async def _checked(proposal: Proposal) -> Proposal:
    refuse_unserved(proposal.properties, UNSERVED)
    check_extensions(proposal.properties["properties"], OF_DEPLOYMENTS)
    return proposal


def batch_deployment(workshop: Workshop) -> Kind:
    """workspaces/batchEndpoints/deployments."""

    async def reconcile(deployment: Resource) -> Step:
        """Find the compute, fetch the assets, have the environment built."""
        if deployment.deleting:
            return Step(observed=deployment.observed, converged=True)
        compute = deployment.properties["compute"]
        await find_one(workshop.resources, workspace_of(deployment.id), "computes", compute)
        materials = await workshop.materials(deployment)
        if isinstance(materials, Preparing):
            return Step(observed=materials.observed(), converged=False, after=SOON)
        observed = {"phase": "ready", "environment": materials.environment}
        return Step(observed=observed, converged=True)

    return Kind(
        resource_type="workspaces/batchEndpoints/deployments",
        name=ENDPOINT_NAME,
        properties=BatchDeployment,
        wire=BATCH_DEPLOYMENT_WIRE,
        envelope=frozenset({"location", "tags", "kind", "sku", "identity"}),
        prepare=_checked,
        reconcile=reconcile,
        has_operation_uri=True,
        watching=Watching(prefix="bdidp"),
    )
