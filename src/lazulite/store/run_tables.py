"""Tables of run history that are no resources: metrics come by the thousand."""

from __future__ import annotations

import sqlalchemy as sa

from lazulite.store.schema import UtcDateTime, metadata

run_metrics = sa.Table(
    "run_metrics",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),  # in the order they came
    sa.Column("metric_id", sa.String(36), nullable=False, unique=True),
    sa.Column("run", sa.String(32), nullable=False),  # the uid of the job
    sa.Column("name", sa.String, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("content", sa.JSON, nullable=False),  # as it came: metricType, cells, schema ...
    sa.Index("run_metrics_by_run", "run", "number"),
)
