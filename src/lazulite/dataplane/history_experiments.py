"""Run history: experiments. Source: spec/REST.md 9.2."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from starlette.responses import JSONResponse, Response

from lazulite.arm.envelope import timestamp
from lazulite.core.errors import ArmError
from lazulite.core.ids import workspace_of
from lazulite.dataplane.continuation import next_link, page
from lazulite.dataplane.history_forms import ModifyExperiment, QueryParams, Tags
from lazulite.dataplane.odata import matcher, ordering
from lazulite.dataplane.requests import Asked, read_model
from lazulite.dataplane.run_views import experiment_view
from lazulite.dataplane.services import ServiceRoute
from lazulite.runs.experiments import EXPERIMENTS, Experiments
from lazulite.store.resources import Json, Resource

READ, WRITE = "experiments/read", "experiments/write"
DEFAULT_ORDER = "createdUtc"


@dataclasses.dataclass(frozen=True)
class ExperimentHistory:
    """Answers for the experiments of a workspace."""

    experiments: Experiments

    def routes(self) -> tuple[ServiceRoute, ...]:
        """The operations on experiments."""
        return (
            ServiceRoute("GET", "experiments", READ, self.listed),
            ServiceRoute("POST", "experiments:query", READ, self.queried, QueryParams),
            ServiceRoute("GET", "experiments/{experiment}", READ, self.shown),
            ServiceRoute("POST", "experiments/{experiment}", WRITE, self.created),
            ServiceRoute("GET", "experimentids/{id}", READ, self.shown),
            ServiceRoute("PATCH", "experimentids/{id}", WRITE, self.modified, ModifyExperiment),
            ServiceRoute("DELETE", "experimentids/{id}/tags", WRITE, self.untagged),
        )

    async def listed(self, asked: Asked) -> Response:
        """GET of the list, as the article of 2020 has it."""
        query = QueryParams(
            filter=asked.query.get("$filter"),
            continuation_token=asked.query.get("continuationtoken"),
            order_by=asked.query.get("$orderby"),
            view_type=asked.query.get("viewtype"),
        )
        return await self._page(asked, query, asked.query.get("$top"))

    async def queried(self, asked: Asked) -> Response:
        """The same with its parameters in the body."""
        query = await asked.model(QueryParams)
        return await self._page(asked, query, str(query.top or ""))

    async def shown(self, asked: Asked) -> Response:
        """One experiment, by name or by id."""
        return JSONResponse(experiment_view(await self._found(asked)))

    async def created(self, asked: Asked) -> Response:
        """The experiment, made unless it is there."""
        made = await self.experiments.ensure(
            asked.workspace.id, asked.names["experiment"], asked.caller.object_id
        )
        return JSONResponse(experiment_view(made))

    async def modified(self, asked: Asked) -> Response:
        """Set description and tags; archive or restore."""
        found, form = await self._found(asked), await asked.model(ModifyExperiment)
        change: Json = {}
        if form.description is not None:
            change["description"] = form.description
        if form.tags is not None:
            change["tags"] = {**found.properties["tags"], **form.tags}
        if form.archive is not None:
            now = timestamp(self.experiments.resources.clock())
            change["archivedTime"] = now if form.archive else None
        return await self._changed(asked, found, change)

    async def untagged(self, asked: Asked) -> Response:
        """Drop tags."""
        found, given = await self._found(asked), await asked.json()
        names = given if isinstance(given, list) else read_model(Tags, given).tags or ()
        kept = {key: item for key, item in found.properties["tags"].items() if key not in names}
        return await self._changed(asked, found, {"tags": kept})

    async def _changed(self, asked: Asked, found: Resource, change: Json) -> Response:
        actor = asked.caller.object_id
        return JSONResponse(experiment_view(await self.experiments.change(found, change, actor)))

    async def _found(self, asked: Asked) -> Resource:
        workspace = asked.workspace.id
        if (uid := asked.names.get("id")) is not None:
            found = await self.experiments.resources.by_uid(uid)
            is_one = found is not None and found.resource_type == EXPERIMENTS
            if found is not None and (
                not is_one or found.gone_at or workspace_of(found.id) != workspace_of(workspace)
            ):
                found = None
        else:
            found = await self.experiments.find(workspace, asked.names["experiment"])
        if found is None:
            named = uid or asked.names.get("experiment")
            raise ArmError("ExperimentNotFound", f"There is no experiment {named!r}.", 404)
        return found

    async def _page(self, asked: Asked, query: QueryParams, size: str | None) -> Response:
        rows = await self.experiments.resources.children(asked.workspace.id, EXPERIMENTS)
        views = _viewed([experiment_view(row) for row in rows], query.view_type)
        matches = matcher(query.filter)
        key, descending = ordering(query.order_by, DEFAULT_ORDER)
        shown = page(
            [view for view in views if matches(view)],
            lambda view: f"{key(view)}|{view['experimentId']}",
            token=query.continuation_token,
            size=size,
            descending=descending,
        )
        link = next_link(asked, "continuationToken", shown.token)
        body = {"value": shown.items, "continuationToken": shown.token, "nextLink": link}
        return JSONResponse(body)


def _viewed(views: Sequence[Json], view_type: str | None) -> list[Json]:
    """Active ones, unless archived ones are wanted, too or only."""
    wanted = (view_type or "ActiveOnly").casefold()
    if wanted == "all":
        return list(views)
    return [view for view in views if bool(view["archivedTime"]) == (wanted == "archivedonly")]
