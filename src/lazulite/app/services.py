"""Every service of the regional host that the server knows: one line each."""

from __future__ import annotations

import dataclasses

from lazulite.arm.app import ArmApp
from lazulite.dataplane.artifact_files import ArtifactFiles
from lazulite.dataplane.artifacts import Artifacts
from lazulite.dataplane.batch_scoring import BatchScoring
from lazulite.dataplane.data_versions import DataVersions
from lazulite.dataplane.datastores import Datastores
from lazulite.dataplane.execution import Execution
from lazulite.dataplane.history import history
from lazulite.dataplane.hyperdrive import hyperdrive
from lazulite.dataplane.management import management, resource_provider
from lazulite.dataplane.model_management import model_management
from lazulite.dataplane.services import Service
from lazulite.dataplane.snapshots import content
from lazulite.dataplane.telemetry_logs import TelemetryLogs
from lazulite.kinds.job import Jobs


@dataclasses.dataclass(frozen=True)
class ServiceParts:
    """What services are built from."""

    arm: ArmApp
    scoring: BatchScoring
    artifacts: ArtifactFiles
    jobs: Jobs
    logs: TelemetryLogs


def all_services(parts: ServiceParts) -> tuple[Service, ...]:
    """The regional host's content."""
    runs, data = parts.jobs.runs, parts.jobs.commands.data
    return (
        management(parts.arm.handle, parts.scoring),
        resource_provider(parts.arm.handle),
        model_management(parts.arm.writer),
        Artifacts(parts.artifacts).service(),
        Datastores(parts.arm.writer).service(),
        DataVersions(runs.resources).service(),
        hyperdrive(),
        content(),
        parts.logs.service(),
        history(runs, parts.jobs.metrics, parts.artifacts),
        Execution(parts.arm.writer, runs, data, runs.supervision.delivery).service(),
    )
