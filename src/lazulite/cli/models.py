"""`ml model`: registered models, and the models that deployments define in place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lazulite.cli import assets, downloads
from lazulite.cli.arguments import Arguments
from lazulite.cli.asset_verbs import Verbs
from lazulite.cli.documents import Document, is_local
from lazulite.cli.shapes import ANYTHING, TEXT, Shape, checked
from lazulite.cli.uploads import Uploaded, upload
from lazulite.cli.workspace import Workspace

TYPES: frozenset[str] = frozenset({"custom_model", "mlflow_model", "triton_model"})
SHAPE: Mapping[str, Shape] = {
    **assets.COMMON,
    "path": TEXT,
    "local_path": TEXT,
    "type": TYPES,
    "datastore": TEXT,
    "flavors": ANYTHING,
    "job_name": TEXT,
    "stage": TEXT,
}


def create(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Register a model from a local path or a URI; without a version, as the next one."""
    found = assets.document(
        arguments,
        SHAPE,
        version=arguments.version,
        path=absolute(arguments.path),
        type=arguments.kind,
        datastore=arguments.datastore,
        stage=arguments.stage,
    )
    name = found.values.get("name")
    if not name:
        raise found.error((), "a model needs a name: give --name or the field `name`")
    return view(_put(workspace, found, name))


def download(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """The files of a model version, in a folder named after the model."""
    model = assets.find(workspace, "models", arguments)
    target = Path(arguments.download_path or ".") / arguments.name
    count = downloads.download(workspace, str(model["properties"]["modelUri"]), target)
    return {"path": str(target), "files": count}


def resolve(workspace: Workspace, found: Document) -> str | None:
    """The ARM id of the model of a deployment; one defined in place is uploaded and registered."""
    value = found.values.get("model")
    if value is None:
        return None
    if (inner := defined_in_place(found)) is None:
        return assets.reference(workspace, "models", found, ("model",), value)
    return str(_put(workspace, inner, inner.values.get("name"))["id"])


def view(resource: Mapping[str, Any]) -> dict[str, Any]:
    """A model as az prints it."""
    shown = assets.view(resource, "models")
    for name, wire in (("type", "model_type"), ("path", "model_uri")):
        if wire in shown:
            shown[name] = shown.pop(wire)
    return shown


def absolute(text: str) -> str:
    """A path given as an option is relative to the working folder, not to the file's."""
    return text if not text or is_uri(text) else str(Path(text).absolute())


def _put(workspace: Workspace, found: Document, name: str | None) -> dict[str, Any]:
    values = found.values
    model_type = type_of(found)
    uri, content = _located(workspace, found)
    properties = {
        **assets.described(values),
        "modelUri": uri,
        "modelType": model_type,
        "flavors": values.get("flavors"),
        "jobName": values.get("job_name"),
        "stage": values.get("stage"),
        "isAnonymous": name is None,
    }
    if name is None:
        return assets.register(
            workspace, "models", assets.digest(content, model_type), "1", properties
        )
    version = values.get("version") or assets.next_version(workspace, "models", name)
    with assets.told_of(found, f"model {name!r}", version):
        return assets.register(workspace, "models", name, version, properties)


def type_of(found: Document) -> str:
    """The type that a model's fields say.

    Without one, MLflow for a folder with its metadata: until 2021 files said local_path and no
    type.
    """
    if said := found.values.get("type"):
        return str(said)
    folder = found.values.get("local_path")
    is_mlflow = folder and (found.file(("local_path",), folder) / "MLmodel").is_file()
    return "mlflow_model" if is_mlflow else "custom_model"


def written(found: Document) -> tuple[str, str]:
    """The field that says where a model is, and what it says. Raises CommandError without one."""
    field = "local_path" if found.values.get("local_path") else "path"
    text = found.values.get(field)
    if not text:
        raise found.error(("path",), "a model needs a path: a local file or folder, or a URI")
    return field, str(text)


def defined_in_place(found: Document) -> Document | None:
    """The model that a deployment defines itself, as its own document; None if it names one."""
    value = found.values.get("model")
    if value is None or (isinstance(value, str) and not is_local(value)):
        return None
    if isinstance(value, str):
        found = found.changed({"model": {"path": value}})
    return checked(found.part(("model",)), SHAPE)


def _located(workspace: Workspace, found: Document) -> tuple[str, str]:
    """The model's URI, and what tells its content from that of others."""
    field, text = written(found)
    if is_uri(text):
        return text, text
    sent: Uploaded = upload(
        workspace, found.file((field,), text), found.values.get("datastore") or ""
    )
    return sent.uri, sent.digest


def is_uri(text: str) -> bool:
    """Whether a path is somewhere else than on this machine."""
    return "://" in text or text.startswith("runs:/")


VERBS = Verbs("models", view)
show, listing, update = VERBS.show, VERBS.listing, VERBS.update
archive, restore, delete = VERBS.archive, VERBS.restore, VERBS.delete
