"""workspaces/experiments: made by jobs and by run history, shown here.

Source: spec/REST.md 9.2.
"""

from __future__ import annotations

from lazulite.arm.kind import READ_ONLY, Kind, Properties
from lazulite.runs.experiments import NAME


class Experiment(Properties):
    """Nothing of an experiment is written by PUT."""


EXPERIMENT = Kind(
    resource_type="workspaces/experiments",
    properties=Experiment,
    name=NAME,
    verbs=READ_ONLY,
    has_state=False,
)
