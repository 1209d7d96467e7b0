"""job.json: what the control plane asks of a batch job's supervisor."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lazulite.batch.formats import FORMATS
from lazulite.batch.inputs import Input
from lazulite.core.errors import SpecError
from lazulite.store.files import read_json


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
    """One invocation of a batch deployment. Source: spec/BATCH.md 1.1."""

    name: str
    python: str
    """The environment's interpreter."""
    worker_path: str
    """The folder that contains lazulite_worker."""
    script: str | None
    """Path of the scoring script; None: score the model that LAZULITE_MLFLOW_MODEL in env names."""
    code_dir: str
    env: Mapping[str, str]
    """All that the workers get, besides PATH, HOME, language and the like of the node."""
    inputs: tuple[Input, ...]
    """Files and folders, absolute."""
    output_dir: str
    log_dir: str
    sandbox: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """What the workers run in: a Sandbox as JSON."""
    mini_batch_size: int = 10
    """Files; of tables see below."""
    rows_per_mini_batch: int = 0
    """Tables are cut into so many rows each; 0: a table is a file as any other."""
    processes_per_node: int = 1
    max_retries: int = 3
    timeout_s: float = 30.0
    """For one run()."""
    init_timeout_s: float = 600.0
    """From the start of a process to the end of init()."""
    error_threshold: int = -1
    output_action: str = "append_row"
    output_file_name: str = "predictions.csv"
    output_format: str = ""
    """One of batch.formats; "": rows as Azure writes them."""
    logging_level: str = "info"
    arguments: tuple[str, ...] = ()
    """What the script finds in sys.argv after the driver's own."""
    allowed_failed_count: int | None = None
    """Mini-batches that may fail."""
    allowed_failed_percent: float | None = None
    """The same as a share of all, looked at in the end."""
    rerun_of: str = ""
    """The folder of an earlier job with the same inputs, of which only what failed is run."""

    @classmethod
    def load(cls, path: Path) -> Job:
        """Read job.json; unknown fields are left alone. Raises SpecError."""
        try:
            found = read_json(path)
        except ValueError as error:
            raise SpecError("InvalidJob", f"{path} is not JSON: {error}") from error
        if not isinstance(found, dict):
            raise SpecError("InvalidJob", f"{path} is missing or not an object")
        return cls.from_json(found)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Job:
        """The job in a parsed job.json. Raises SpecError naming field, rule and value."""
        fields = {field.name: field for field in dataclasses.fields(cls)}
        required = {
            name
            for name, field in fields.items()
            if field.default is field.default_factory is dataclasses.MISSING
        }
        if missing := sorted(required - found.keys()):
            raise SpecError("InvalidJob", f"job.json lacks {', '.join(missing)}")
        job = cls(**{name: found[name] for name in fields if name in found})
        inputs, arguments = tuple(map(_input, found["inputs"])), tuple(job.arguments)
        job = dataclasses.replace(job, inputs=inputs, arguments=arguments)
        for name, rule, holds in _rules(job):
            if not holds:
                raise SpecError(
                    "InvalidJob",
                    f"{name} is {getattr(job, name)!r}; it must be {rule}",
                    target=name,
                )
        return job


def _input(found: Any) -> Input:
    """An object, or a path alone, which is what older versions wrote."""
    return Input(**found) if isinstance(found, dict) else Input(str(found))


def _rules(job: Job) -> tuple[tuple[str, str, bool], ...]:
    name = job.output_file_name
    return (
        ("mini_batch_size", "at least 1", job.mini_batch_size >= 1),
        ("rows_per_mini_batch", "at least 0", job.rows_per_mini_batch >= 0),
        ("processes_per_node", "at least 1", job.processes_per_node >= 1),
        ("max_retries", "at least 0", job.max_retries >= 0),
        ("timeout_s", "more than 0 seconds", job.timeout_s > 0),
        ("init_timeout_s", "more than 0 seconds", job.init_timeout_s > 0),
        ("error_threshold", "-1 or more", job.error_threshold >= -1),
        (
            "output_action",
            "append_row or summary_only",
            job.output_action in ("append_row", "summary_only"),
        ),
        ("output_file_name", "a file name without a folder", _is_plain(name)),
        ("output_format", f"one of {', '.join(FORMATS)}", job.output_format in ("", *FORMATS)),
    )


def _is_plain(name: str) -> bool:
    return name == Path(name).name and name not in ("", "..")
