"""history/v1.0: experiments, and the runs in them. Source: spec/REST.md 9.2 and 9.8."""

from __future__ import annotations

from lazulite.dataplane.artifact_files import ArtifactFiles
from lazulite.dataplane.history_artifacts import ArtifactHistory
from lazulite.dataplane.history_experiments import ExperimentHistory
from lazulite.dataplane.history_records import Records
from lazulite.dataplane.history_runs import RunHistory
from lazulite.dataplane.services import Service
from lazulite.runs.metrics import Metrics
from lazulite.runs.run_rows import Runs


def history(runs: Runs, metrics: Metrics, files: ArtifactFiles) -> Service:
    """The service. Fixed words come before names in the table: "runs/runIds" is no run."""
    return Service(
        name="history",
        version="v1.0",
        routes=(
            *ExperimentHistory(runs.experiments).routes(),
            *Records(runs, metrics).routes(),
            *ArtifactHistory(runs, files).routes(),
            *RunHistory(runs, files).routes(),
        ),
    )
