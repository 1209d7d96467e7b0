"""All commands of `lazulite ml`: the words of both generations of `az ml`."""

from __future__ import annotations

from lazulite.cli.asset_commands import ASSET_COLUMNS, ASSET_GROUPS, ASSETS
from lazulite.cli.commands import ENDPOINTS
from lazulite.cli.compute_commands import COMPUTE_COLUMNS, COMPUTE_GROUPS, COMPUTES
from lazulite.cli.job_commands import JOB_COLUMNS, JOB_GROUPS, JOBS
from lazulite.cli.workspace_commands import WORKSPACE_COLUMNS, WORKSPACE_GROUPS, WORKSPACES

ML = (*ENDPOINTS, *COMPUTES, *ASSETS, *JOBS, *WORKSPACES)
"""`lazulite ml <noun> <verb>`: functions of lazulite.cli's modules, given a workspace."""
ML_GROUPS = {**COMPUTE_GROUPS, **ASSET_GROUPS, **JOB_GROUPS, **WORKSPACE_GROUPS}
ML_COLUMNS = {**COMPUTE_COLUMNS, **ASSET_COLUMNS, **JOB_COLUMNS, **WORKSPACE_COLUMNS}
