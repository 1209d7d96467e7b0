"""`ml component`: steps that pipelines refer to, kept as they are given.

Source: spec/REST.md 7.4. Nothing here runs pipelines; components of command jobs are checked as
far as their code and environment go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lazulite.cli import assets, codes, environments
from lazulite.cli.arguments import Arguments
from lazulite.cli.asset_verbs import Verbs
from lazulite.cli.deployments import present
from lazulite.cli.documents import Document, read
from lazulite.cli.shapes import ANYTHING, FLAG, TEXT, Shape, checked
from lazulite.cli.workspace import Workspace

COLLECTION = "components"
_ANONYMOUS = "azureml_anonymous"
TYPES = frozenset(
    {
        *("command", "pipeline", "parallel", "sweep", "spark", "automl", "import"),
        *("data_transfer", "flow_parallel"),
    }
)
SHAPE: Mapping[str, Shape] = {
    **assets.COMMON,
    "type": TYPES,
    "display_name": TEXT,
    "command": TEXT,
    "code": TEXT,
    "environment": (TEXT, environments.SHAPE),
    "is_deterministic": FLAG,
    **dict.fromkeys(
        (
            *("inputs", "outputs", "resources", "distribution", "limits", "jobs", "settings"),
            *(
                "environment_variables",
                "instance_count",
                "mini_batch_size",
                "task",
                "retry_settings",
            ),
            *("max_concurrency_per_instance", "mini_batch_error_threshold", "logging_level"),
            *("error_threshold", "input_data", "partition_keys", "trial", "search_space"),
            *("objective", "sampling_algorithm", "early_termination", "entry", "conf", "args"),
            *("py_files", "jars", "files", "archives", "queue_settings", "additional_includes"),
            *("source", "sink", "data_copy_mode", "identity", "compute", "source_job_id"),
        ),
        ANYTHING,
    ),
}
_OF_VERSIONS = frozenset({"description", "tags", "properties"})


def create(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Register a component; without a version, as the next one."""
    found = assets.document(arguments, SHAPE, version=arguments.version)
    if not found.values.get("name"):
        raise found.error((), "a component needs a name: give --name or the field `name`")
    return view(_put(workspace, found))


def view(resource: Mapping[str, Any]) -> dict[str, Any]:
    """A component as az prints it: its file's fields, and those of the version."""
    shown = assets.view(resource, COLLECTION)
    spec = (resource.get("properties") or {}).get("componentSpec") or {}
    shown.pop("component_spec", None)
    return {**spec, **shown}


def _put(workspace: Workspace, found: Document, *, in_place: bool = False) -> dict[str, Any]:
    """Register it; in_place: as the step of a pipeline that goes by its content."""
    spec = _spec(workspace, found)
    name = str(_ANONYMOUS if in_place else found.values.get("name"))
    properties = {
        **assets.described(found.values),
        "componentSpec": spec,
        "isAnonymous": in_place,
    }
    if in_place:
        version = assets.digest(spec)
    else:
        version = found.values.get("version") or assets.next_version(workspace, COLLECTION, name)
    spec |= {"name": name, "version": version}
    with assets.told_of(found, f"component {name!r}", version):
        return assets.register(workspace, COLLECTION, name, version, properties)


def _spec(workspace: Workspace, found: Document) -> dict[str, Any]:
    """The file's fields; what they name on this machine is registered."""
    values = found.values
    code = values.get("code")
    said = {
        **{name: item for name, item in values.items() if name not in _OF_VERSIONS},
        "type": values.get("type") or "command",
        "code": code and codes.registered(workspace, found, ("code",), code),
        "environment": environments.resolve(workspace, found),
        "jobs": _jobs(workspace, found),
    }
    said.pop("latest_version", None)
    return present(said)


def _jobs(workspace: Workspace, found: Document) -> dict[str, Any] | None:
    """The steps of a pipeline, each naming a registered component."""
    jobs = found.values.get("jobs")
    if jobs is None:
        return None
    if not isinstance(jobs, Mapping):
        raise found.error(("jobs",), f"{jobs!r} must be a mapping, a step by its name each")
    return {name: _job(workspace, found, str(name)) for name in jobs}


def _job(workspace: Workspace, found: Document, name: str) -> Any:
    step = found.values["jobs"][name]
    if not isinstance(step, Mapping) or not isinstance(step.get("component"), str):
        return step
    key = ("jobs", name, "component")
    text = step["component"]
    if codes.is_reference(text):
        named = assets.reference(workspace, COLLECTION, found, key, text)
    else:
        inner = checked(read(found.file(key, text)), SHAPE)
        named = str(_put(workspace, inner, in_place=True)["id"])
    return {**step, "component": named}


VERBS = Verbs(COLLECTION, view)
show, listing, update = VERBS.show, VERBS.listing, VERBS.update
archive, restore, delete = VERBS.archive, VERBS.restore, VERBS.delete
