"""Run history: runs, seen and changed. Source: spec/REST.md 9.2 and 9.8."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from starlette.responses import JSONResponse, Response

from lazulite.core.errors import ArmError
from lazulite.dataplane.artifact_files import READ as SIGNED
from lazulite.dataplane.artifact_files import ArtifactFiles
from lazulite.dataplane.continuation import next_link, page
from lazulite.dataplane.history_forms import (
    CreateRun,
    ManyRuns,
    QueryParams,
    RunDataRequest,
    RunIds,
    Tags,
)
from lazulite.dataplane.odata import matcher, ordering
from lazulite.dataplane.requests import Asked, read_model
from lazulite.dataplane.run_views import ORIGIN, container_of, details_view, run_view
from lazulite.dataplane.services import ServiceRoute
from lazulite.runs.run_rows import Runs
from lazulite.runs.scoring_step import is_scoring, is_step, step_of
from lazulite.runs.status import told
from lazulite.store.resources import Json, Resource

READ, WRITE = "experiments/runs/read", "experiments/runs/write"
LOG_FOLDERS = ("user_logs/", "azureml-logs/", "logs/", "system_logs/")
OF_EXPERIMENT, ANYWHERE = "experiments/{experiment}/runs/{run}", "runs/{run}"


@dataclasses.dataclass(frozen=True)
class RunHistory:
    """Answers for the runs of a workspace."""

    runs: Runs
    files: ArtifactFiles

    def routes(self) -> tuple[ServiceRoute, ...]:
        """The operations on runs: each run also goes without its experiment."""
        experiment = "experiments/{experiment}"
        many = (
            ServiceRoute("POST", f"{experiment}/runs:query", READ, self.queried, QueryParams),
            ServiceRoute("POST", f"{experiment}/runs/runIds", READ, self.named, RunIds),
            ServiceRoute("PATCH", f"{experiment}/batch/runs", WRITE, self.modified_many, ManyRuns),
            ServiceRoute("POST", "rundata", READ, self.data, RunDataRequest),
        )
        single = (self._single(path) for path in (OF_EXPERIMENT, ANYWHERE))
        return (*many, *(route for routes in single for route in routes))

    def _single(self, path: str) -> tuple[ServiceRoute, ...]:
        return (
            ServiceRoute("GET", path, READ, self.shown),
            ServiceRoute("PATCH", path, WRITE, self.modified, CreateRun),
            ServiceRoute("POST", path, WRITE, self.modified, CreateRun),
            ServiceRoute("GET", f"{path}/details", READ, self.details),
            ServiceRoute("GET", f"{path}/children", READ, self.children),
            ServiceRoute("POST", f"{path}/cancel", WRITE, self.canceled),
            ServiceRoute("PATCH", f"{path}/tags", WRITE, self.tagged, Tags),
            ServiceRoute("DELETE", f"{path}/tags", WRITE, self.untagged),
        )

    async def shown(self, asked: Asked) -> Response:
        """One run."""
        return await self._answer(asked, await self.found(asked))

    async def details(self, asked: Asked) -> Response:
        """One run with its logs: what clients poll."""
        run = await self.found(asked)
        view = run_view(run, asked.base)
        told_more = {"inputs": view["inputs"], "outputs": view["outputs"]}
        logs = await self._logs(asked, run)
        return JSONResponse({**details_view(run, logs), **told_more})

    async def children(self, asked: Asked) -> Response:
        """The runs that name this one as their parent, and the step of a batch scoring job."""
        parent = await self.found(asked)
        rows = await self.runs.all(asked.workspace.id)
        mine = [row for row in rows if told(row).get("parentRunId") == parent.name]
        if is_scoring(parent) and not is_step(parent):
            mine.append(step_of(parent))
        order = asked.query.get("$orderby")
        if order and (direction := asked.query.get("$sortorder")):
            order = f"{order} {direction}"
        query = QueryParams(
            filter=asked.query.get("$filter"),
            continuation_token=asked.query.get("$continuationtoken"),
            order_by=order,
        )
        return await self._page(asked, mine, query, asked.query.get("$top"))

    async def queried(self, asked: Asked) -> Response:
        """The runs of an experiment, the newest first."""
        query = await asked.model(QueryParams)
        rows = await self.runs.all(asked.workspace.id, asked.names["experiment"])
        return await self._page(asked, rows, query, str(query.top or ""))

    async def named(self, asked: Asked) -> Response:
        """Several runs by their ids; what is not there is among the errors."""
        form = await asked.model(RunIds)
        return await self._many(asked, [(run_id, None) for run_id in form.run_ids])

    async def modified_many(self, asked: Asked) -> Response:
        """Change several runs, each for itself."""
        form = await asked.model(ManyRuns)
        return await self._many(asked, [(one.run_id or "", one) for one in form.runs])

    async def modified(self, asked: Asked) -> Response:
        """Change a run, or begin one that the caller runs itself."""
        form = await asked.model(CreateRun)
        return await self._answer(asked, await self._modified(asked, asked.names["run"], form))

    async def canceled(self, asked: Asked) -> Response:
        """Ask the run to end."""
        run = await self.found(asked)
        return await self._answer(asked, await self.runs.cancel(run, asked.caller.object_id))

    async def tagged(self, asked: Asked) -> Response:
        """Set tags and drop tags."""
        form = await asked.model(Tags)
        given = form.tags_to_modify or (form.tags if isinstance(form.tags, dict) else {})
        return await self._retagged(asked, given, form.tags_to_delete or [])

    async def untagged(self, asked: Asked) -> Response:
        """Drop tags."""
        given = await asked.json()
        names = given if isinstance(given, list) else list(read_model(Tags, given).tags or ())
        return await self._retagged(asked, {}, names)

    async def data(self, asked: Asked) -> Response:
        """Everything of one run. Source: spec/CLIENTS.md 10.2."""
        form = await asked.model(RunDataRequest)
        run = await self.runs.find(asked.workspace.id, form.run_id)
        view = await self._view(asked, run)
        return JSONResponse({"runMetadata": view, "runDefinition": view["runDefinition"]})

    async def found(self, asked: Asked) -> Resource:
        """The run of the path. Raises ArmError 404."""
        names = asked.names
        return await self.runs.find(asked.workspace.id, names["run"], names.get("experiment"))

    async def _logs(self, asked: Asked, run: Resource) -> dict[str, str]:
        """URLs of the run's log files that open without a token, by path."""
        found = self.files.every(asked.workspace, ORIGIN, container_of(run))
        logs = [one.artifact async for one in found if one.artifact.path.startswith(LOG_FOLDERS)]
        return {
            log.path: await self.files.address(asked.workspace, log, asked.base, SIGNED)
            for log in logs
        }

    async def _modified(self, asked: Asked, run_id: str, form: CreateRun) -> Resource:
        change = form.model_dump(by_alias=True, exclude_none=True)
        if "name" in change:
            change.setdefault("displayName", change["name"])
        experiment = asked.names.get("experiment")
        if experiment is None:
            run = await self.runs.find(asked.workspace.id, run_id)
            experiment = str(run.properties["experimentName"])
        actor = asked.caller.object_id
        return await self.runs.modify(asked.workspace.id, experiment, run_id, change, actor)

    async def _many(self, asked: Asked, wanted: Sequence[tuple[str, CreateRun | None]]) -> Response:
        shown, errors = {}, {}
        for run_id, form in wanted:
            try:
                run = (
                    await self.runs.find(asked.workspace.id, run_id, asked.names["experiment"])
                    if form is None
                    else await self._modified(asked, run_id, form)
                )
                shown[run.name] = await self._view(asked, run)
            except ArmError as error:
                errors[run_id] = {"error": error.body}
        return JSONResponse({"runs": shown, "errors": errors})

    async def _retagged(self, asked: Asked, given: Json, dropped: Sequence[str]) -> Response:
        def tags(run: Resource) -> Json:
            kept = {k: v for k, v in run.properties["tags"].items() if k not in dropped}
            return {**run.properties, "tags": {**kept, **given}}

        run = await self.runs.change(await self.found(asked), tags, asked.caller.object_id)
        return await self._answer(asked, run)

    async def _page(
        self, asked: Asked, rows: Sequence[Resource], query: QueryParams, size: str | None
    ) -> Response:
        views = await self._views(asked, _viewed(rows, query.view_type))
        matches = matcher(query.filter)
        key, descending = ordering(query.order_by, "createdUtc desc")
        shown = page(
            [view for view in views if matches(view)],
            lambda view: f"{key(view)}|{view['runId']}",
            token=query.continuation_token,
            size=size,
            descending=descending,
        )
        link = next_link(asked, "$continuationToken", shown.token)
        body = {"value": shown.items, "continuationToken": shown.token, "nextLink": link}
        return JSONResponse(body)

    async def _answer(self, asked: Asked, run: Resource) -> Response:
        return JSONResponse(await self._view(asked, run))

    async def _view(self, asked: Asked, run: Resource) -> Json:
        return (await self._views(asked, [run]))[0]

    async def _views(self, asked: Asked, runs: Sequence[Resource]) -> list[Json]:
        names = {str(run.properties["experimentName"]) for run in runs}
        uids = await self.runs.experiments.uids(asked.workspace.id, names)
        return [
            run_view(run, asked.base, uids.get(run.properties["experimentName"])) for run in runs
        ]


def _viewed(rows: Sequence[Resource], view_type: str | None) -> list[Resource]:
    """Active ones, unless archived ones are wanted, too or only."""
    wanted = (view_type or "ActiveOnly").casefold()
    if wanted == "all":
        return list(rows)
    return [
        row for row in rows if bool(row.properties.get("isArchived")) == (wanted != "activeonly")
    ]
