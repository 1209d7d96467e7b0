"""Metrics of runs."""

import sqlalchemy as sa
from alembic import op

revision = "0003_run_metrics"
down_revision = "0002_directory"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "run_metrics",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("metric_id", sa.String(length=36), nullable=False),
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("metric_id"),
    )
    op.create_index("run_metrics_by_run", "run_metrics", ["run", "number"])
