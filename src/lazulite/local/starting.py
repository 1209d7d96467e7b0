"""Starting local deployments, by the server's environments and keepers.

A command is all the control plane that there is: it waits until what it started answers, and
leaves it to itself. Environments are shared with a server, as every build of a hash holds its lock.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any

import lazulite_worker
from lazulite.cli.errors import CommandError, explain
from lazulite.cli.report import Report
from lazulite.core.durations import parse_duration
from lazulite.core.errors import SpecError
from lazulite.core.settings import Settings
from lazulite.deployments.materials import Materials
from lazulite.deployments.snapshots import snapshot
from lazulite.environments.definition import Definition
from lazulite.environments.opened import environment_providers, open_environments
from lazulite.environments.service import Building, Built, Environments, Failed
from lazulite.executors.container import CONTAINER
from lazulite.executors.isolation import isolation
from lazulite.local.plan import LocalPlan
from lazulite.local.replicas import PAUSE_S, LocalReplicas
from lazulite.serving.keeper_spec import DEBUG_PORT
from lazulite.serving.kept_logs import KeptLogs
from lazulite.serving.replica_sets import ReplicaSets, ReplicaSpec, all_ready

INIT_TIMEOUT_S = 600.0


@dataclasses.dataclass(frozen=True)
class Starter:
    """Builds environments and starts replicas in one data folder."""

    environments: Environments
    sets: ReplicaSets
    assets: Path
    """Where models are linked to, a folder for each start."""
    report: Report

    @classmethod
    def of(
        cls, replicas: LocalReplicas, settings: Settings, env: Mapping[str, str], report: Report
    ) -> Starter:
        """Raises SettingError for settings that a server would refuse."""
        data, executor = replicas.data, replicas.executor
        sandbox = isolation(settings, (data,)).sandbox
        environments = open_environments(
            settings,
            data,
            env,
            executor=executor,
            providers=environment_providers(settings, data, env),
            sandbox=sandbox,
        )
        # Sockets stand in the folder of their keeper: clients come by its port.
        worker = Path(lazulite_worker.__file__).parents[1]
        kept = KeptLogs(replicas.kept_logs)
        sets = ReplicaSets(executor, Path(), worker, sandbox, kept)
        return cls(environments, sets, replicas.assets, report)

    def built(self, definition: Definition) -> Built:
        """The environment, once it is there. A build goes on if the command is interrupted.

        Raises CommandError with the end of the build's log if it does not build.
        """
        built: Built = self._told("Preparing the environment", self._built(definition))
        return built

    def started(
        self, plan: LocalPlan, built: Built, task: str, ports: tuple[int, int | None]
    ) -> None:
        """Start the replicas and wait until they answer.

        ports: where to score, and where to debug, if at all. Raises CommandError with the reason
        and the last traceback if they do not start; their logs stay.
        """
        model_dir = self._model_dir(plan, task)
        spec = _spec(plan, _materials(plan, built, model_dir), ports)
        self._told(f"Starting {plan.name} on port {ports[0]}", self._ready(task, spec))

    async def _built(self, definition: Definition) -> Built:
        found = await self.environments.ensure(definition)
        if isinstance(found, Failed):  # for an earlier command: somebody may have mended it
            await self.environments.retry(found.hash)
            found = await self.environments.ensure(definition)
        while isinstance(found, Building):
            self.report.tick()
            await asyncio.sleep(PAUSE_S)
            found = await self.environments.ensure(definition)
        if isinstance(found, Failed):
            raise found.error
        return found

    async def _ready(self, task: str, spec: ReplicaSpec) -> None:
        status: Mapping[str, Any] = {}
        while not all_ready(status, spec.processes):
            self.report.tick()
            status = await self.sets.ensure(task, spec)
            if status.get("state") in {"failed", "crash-loop"}:
                error = status.get("error") or {}
                message = error.get("message") or "The replicas did not start."
                raise SpecError(error.get("code") or "ReplicaFailed", message)
            await asyncio.sleep(PAUSE_S)

    def _told(self, what: str, work: Coroutine[Any, Any, Any]) -> Any:
        """Do it, telling what takes how long; errors become those of commands."""
        if what:
            self.report.begin(what)
        how = "failed"
        try:
            result = asyncio.run(work)
            how = "done"
        except SpecError as error:
            raise CommandError(error.code, explain(error.body)) from error
        except KeyboardInterrupt:
            how = "stopped"
            raise
        finally:
            self.report.end(how)
        return result

    def _model_dir(self, plan: LocalPlan, task: str) -> Path | None:
        """AZUREML_MODEL_DIR: a folder with the model's file or folder alone, as Azure has it."""
        if plan.model is None:
            return None
        return snapshot(plan.model, self.assets / task, link=True).parent


def _materials(plan: LocalPlan, built: Built, model_dir: Path | None) -> Materials:
    model = model_dir and plan.model and model_dir / plan.model.name
    made = Materials(
        python=str(built.python),
        environment=built.hash,
        code_dir=_text(plan.code_dir),
        script=_text(plan.script),
        model_dir=_text(model_dir),
        mlflow_model=_text(model) if plan.mlflow_model else None,
        sandbox=built.sandbox,
    )
    if made.sandbox.kind != CONTAINER:
        return made.shown()
    return made.placed(plan.properties.get("modelMountPath"), f"{plan.name}-model/1")


def _spec(plan: LocalPlan, materials: Materials, ports: tuple[int, int | None]) -> ReplicaSpec:
    port, debug_port = ports
    given = plan.properties["environmentVariables"]
    own = {name: str(value) for name, value in given.items() if value is not None}
    timeout_s = parse_duration(plan.properties["requestSettings"]["requestTimeout"]).total_seconds()
    if debug_port is not None:
        own[DEBUG_PORT] = str(debug_port)
    return ReplicaSpec(
        python=materials.python,
        processes=plan.processes if debug_port is None else 1,
        env={**own, **materials.variables()},
        code_dir=materials.code_dir or materials.model_dir,
        init_timeout_s=INIT_TIMEOUT_S,
        request_timeout_ms=int(timeout_s * 1000),
        sandbox=materials.sandbox.to_json(),
        port=port,
    )


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
