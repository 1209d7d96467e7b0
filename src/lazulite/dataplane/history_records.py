"""Run history: what runs log of themselves, events and metrics. Source: spec/REST.md 9.2."""

from __future__ import annotations

import dataclasses
from typing import Any

from starlette.responses import JSONResponse, Response

from lazulite.arm.envelope import timestamp
from lazulite.core.errors import ArmError
from lazulite.dataplane.continuation import next_link, page
from lazulite.dataplane.history_forms import Event, Events, ManyMetrics, MetricForm, QueryParams
from lazulite.dataplane.history_runs import ANYWHERE, OF_EXPERIMENT, READ, WRITE
from lazulite.dataplane.odata import matcher
from lazulite.dataplane.requests import Asked, read_model
from lazulite.dataplane.services import ServiceRoute
from lazulite.runs.metrics import Metric, Metrics
from lazulite.runs.run_rows import Runs, is_of
from lazulite.store.resources import Json, Resource


@dataclasses.dataclass(frozen=True)
class Records:
    """Answers for events and metrics."""

    runs: Runs
    metrics: Metrics

    def routes(self) -> tuple[ServiceRoute, ...]:
        """The operations on events and metrics."""
        experiment = "experiments/{experiment}"
        return (
            ServiceRoute("POST", f"{experiment}/batch/events", WRITE, self.told_many, Events),
            ServiceRoute("POST", f"{OF_EXPERIMENT}/events", WRITE, self.told, Event),
            ServiceRoute("POST", f"{ANYWHERE}/events", WRITE, self.told, Event),
            ServiceRoute("POST", f"{OF_EXPERIMENT}/metrics", WRITE, self.logged, MetricForm),
            ServiceRoute(
                "POST", f"{OF_EXPERIMENT}/batch/metrics", WRITE, self.logged_many, ManyMetrics
            ),
            ServiceRoute("POST", f"{experiment}/metrics:query", READ, self.queried, QueryParams),
            ServiceRoute("GET", f"{experiment}/metrics/{{metric}}", READ, self.shown),
        )

    async def told(self, asked: Asked) -> Response:
        """One event."""
        run, event = await self._run(asked), await asked.model(Event)
        await self.runs.event(run, event.name, event.data or {}, asked.caller.object_id)
        return Response(status_code=200)

    async def told_many(self, asked: Asked) -> Response:
        """Several events; those that cannot be taken in are among the errors."""
        form = await asked.model(Events)
        errors = []
        for given in form.events:
            try:
                await self._tell(asked, given)
            except ArmError as error:
                errors.append({"key": given, "value": {"error": error.body}})
        return JSONResponse({"errors": errors})

    async def logged(self, asked: Asked) -> Response:
        """One metric."""
        run, metric = await self._run(asked), await asked.model(MetricForm)
        await self.metrics.log(run.uid, [metric.model_dump(by_alias=True)])
        return Response(status_code=200)

    async def logged_many(self, asked: Asked) -> Response:
        """Several metrics, all or none."""
        run, form = await self._run(asked), await asked.model(ManyMetrics)
        await self.metrics.log(run.uid, [one.model_dump(by_alias=True) for one in form.values])
        return Response(status_code=200)

    async def shown(self, asked: Asked) -> Response:
        """One metric of the experiment."""
        found = await self.metrics.find(asked.names["metric"])
        run = await self.runs.resources.by_uid(found.run) if found else None
        rows = {row.uid for row in await self.runs.all(asked.workspace.id)}
        if (
            found is None
            or run is None
            or run.uid not in rows
            or not is_of(run, asked.names["experiment"])
        ):
            message = f"The experiment has no metric {asked.names['metric']!r}."
            raise ArmError("MetricNotFound", message, 404)
        return JSONResponse(_view(found, run))

    async def queried(self, asked: Asked) -> Response:
        """The metrics of an experiment, in the order they came."""
        query = await asked.model(QueryParams)
        rows = await self.runs.all(asked.workspace.id, asked.names["experiment"])
        runs = {row.uid: row for row in rows}
        found = await self.metrics.of(list(runs))
        matches = matcher(query.filter)
        shown = page(
            [one for one in found if matches(_view(one, runs[one.run]))],
            lambda one: f"{one.number:020}",
            token=query.continuation_token,
            size=str(query.top or ""),
        )
        return JSONResponse(
            {
                "value": [_view(one, runs[one.run]) for one in shown.items],
                "continuationToken": shown.token,
                "nextLink": next_link(asked, "continuationToken", shown.token),
            }
        )

    async def _tell(self, asked: Asked, given: dict[str, Any]) -> None:
        folded = {key.lower(): value for key, value in given.items()}
        event = read_model(Event, given)
        data = event.data or {}
        run_id = folded.get("runid") or {key.lower(): data[key] for key in data}.get("runid")
        run = await self.runs.find(asked.workspace.id, str(run_id), asked.names["experiment"])
        await self.runs.event(run, event.name, data, asked.caller.object_id)

    async def _run(self, asked: Asked) -> Resource:
        names = asked.names
        return await self.runs.find(asked.workspace.id, names["run"], names.get("experiment"))


def _view(metric: Metric, run: Resource) -> Json:
    """A RunMetric."""
    return {
        "description": None,
        "label": None,
        "schema": None,
        "dataLocation": None,
        **metric.content,
        "runId": run.name,
        "metricId": metric.metric_id,
        "dataContainerId": f"dcid.{run.name}",
        "createdUtc": metric.content.get("createdUtc") or timestamp(metric.created_at),
        "name": metric.name,
        "numCells": len(metric.content.get("cells") or ()),
    }
