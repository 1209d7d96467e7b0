"""Metrics of runs: named, typed tables of a few cells each. Source: spec/REST.md 9.2."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from lazulite.core.clock import Clock
from lazulite.core.errors import ArmError
from lazulite.store.database import reading
from lazulite.store.resources import Json
from lazulite.store.run_tables import run_metrics

ROW = run_metrics.c


@dataclasses.dataclass(frozen=True, kw_only=True)
class Metric:
    """One metric as it was logged."""

    number: int
    metric_id: str
    run: str
    name: str
    created_at: datetime
    content: Json


class Metrics:
    """Writes and reads metrics; run: the uid of a job."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        """engine: has the tables of store/run_tables.py."""
        self._engine, self._clock, self._reader = engine, clock, reading(engine)

    async def log(self, run: str, metrics: Sequence[Json]) -> None:
        """Keep metrics, all or none; one of an id that is there is left as it is.

        Raises ArmError 400 for one without a name or with an id that is no UUID.
        """
        rows = [self._row(run, metric) for metric in metrics]
        async with self._engine.begin() as tx:
            for row in rows:
                known = sa.select(ROW.number).where(ROW.metric_id == row["metric_id"])
                if (await tx.execute(known)).first() is None:
                    await tx.execute(sa.insert(run_metrics).values(row))

    async def of(self, runs: Sequence[str]) -> list[Metric]:
        """The metrics of some runs in the order they came."""
        query = sa.select(run_metrics).where(ROW.run.in_(runs)).order_by(ROW.number)
        async with self._reader.connect() as connection:
            return [Metric(**dict(row)) for row in (await connection.execute(query)).mappings()]

    async def find(self, metric_id: str) -> Metric | None:
        """The metric of that id."""
        query = sa.select(run_metrics).where(ROW.metric_id == metric_id.lower())
        async with self._reader.connect() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
            return None if row is None else Metric(**dict(row))

    async def forget(self, run: str) -> None:
        """Drop the metrics of a run."""
        async with self._engine.begin() as tx:
            await tx.execute(sa.delete(run_metrics).where(ROW.run == run))

    def _row(self, run: str, metric: Mapping[str, Any]) -> Json:
        name = metric.get("name")
        if not isinstance(name, str) or not name:
            raise ArmError("BadArgument", "A metric has no name: give one.", target="name")
        return {
            "metric_id": _uuid(metric.get("metricId")),
            "run": run,
            "name": name,
            "created_at": self._clock(),
            "content": {key: value for key, value in metric.items() if value is not None},
        }


def _uuid(given: object) -> str:
    try:
        return str(uuid.UUID(str(given))) if given else str(uuid.uuid4())
    except ValueError as error:
        message = f"The metricId {given!r} is no UUID."
        raise ArmError("BadArgument", message, target="metricId") from error
