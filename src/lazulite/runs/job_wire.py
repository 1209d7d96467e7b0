"""What api-versions of jobs differ in. The internal form is 2023-10-01's.

Source: spec/REST.md 5 and 7.5.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from lazulite.arm.kind import Duration, Properties
from lazulite.arm.wire import Renamed, Reshaped, Unknown, Wire
from lazulite.store.resources import Json

INTERNAL = (
    *("cancelRequested", "pauseRequested", "runDefinition", "requestId", "clientState"),
    *("warnings", "requestHash", "extensions", "rerunOf"),
)
"""What rows of jobs say to the server itself: no version shows it."""
PREVIEW, FIRST = "2021-03-01", "2021-10-01"
NEWER = ("componentId", "queueSettings")
NAMES_OF_2021 = {"uri": "uri_folder", "dataset": "mltable", "literal": "literal"}


class ComputeOf2021(Properties):
    """The compute of 2021-03-01-preview; resources of later versions stand in it."""

    model_config = ConfigDict(extra="allow")
    target: str | None = None
    instance_count: int | None = None
    instance_type: str | None = None


class BindingOf2021(Properties):
    """An input or output of 2021-03-01-preview; what later versions say of it stands beside."""

    model_config = ConfigDict(extra="allow")
    data_id: str | None = None
    datastore_id: str | None = None
    path_on_datastore: str | None = None
    mode: str | None = None


Bindings = dict[str, BindingOf2021 | None]


class PreviewForm(Properties):
    """What 2021-03-01-preview arranges otherwise."""

    compute: ComputeOf2021 | None = None
    input_data_bindings: Bindings | None = None
    output_data_bindings: Bindings | None = None
    timeout: Duration | None = None


class UriOf2021(Properties):
    """A uri of 2021-10-01: one of the two."""

    file: str | None = None
    folder: str | None = None


class DataOf2021(Properties):
    """An input or output of 2021-10-01, of any type."""

    model_config = ConfigDict(extra="allow", coerce_numbers_to_str=True)
    job_input_type: str | None = None
    job_output_type: str | None = None
    uri: UriOf2021 | str | None = None
    dataset_id: str | None = None


class FirstForm(Properties):
    """What 2021-10-01 arranges otherwise."""

    inputs: dict[str, DataOf2021 | None] | None = None
    outputs: dict[str, DataOf2021 | None] | None = None


def _from_preview(form: PreviewForm) -> Json:
    compute = form.compute
    return {
        "computeId": compute and compute.target,
        "resources": compute and _resources(compute),
        "inputs": _each(form.input_data_bindings, _bound_input),
        "outputs": _each(form.output_data_bindings, _bound_output),
        "limits": form.timeout and {"timeout": form.timeout},
    }


def _resources(compute: ComputeOf2021) -> Json:
    given = {name: item for name, item in _dumped(compute).items() if name not in _OF_COMPUTE}
    return {name: item for name, item in given.items() if item is not None}


_OF_COMPUTE = {"target", "isLocal", "location"}


def _bound_input(item: BindingOf2021) -> Json:
    more = item.model_extra or {}
    mode = "ReadOnlyMount" if _is_mount(item.mode) else item.mode
    return {"jobInputType": "uri_folder", "uri": item.data_id, "mode": mode, **more}


def _bound_output(item: BindingOf2021) -> Json:
    more = {"jobOutputType": "uri_folder", "uri": _uri_of(item), **(item.model_extra or {})}
    mode = "ReadWriteMount" if _is_mount(item.mode) else item.mode
    return {**more, "mode": mode} if mode else more


def _is_mount(mode: str | None) -> bool:
    """Whether it is that version's word for the usual mode."""
    return (mode or "").casefold() == "mount"


def _uri_of(item: BindingOf2021) -> str | None:
    if not item.datastore_id:
        return None
    store = item.datastore_id.rstrip("/").rpartition("/")[2].removeprefix("azureml:")
    return f"azureml://datastores/{store}/paths/{(item.path_on_datastore or '').lstrip('/')}"


def _to_preview(properties: Json) -> Json:
    moved = {"computeId", "resources", "inputs", "outputs", "limits"}
    rest = {key: value for key, value in properties.items() if key not in moved}
    compute = {**(properties.get("resources") or {}), "target": properties.get("computeId")}
    return {
        **rest,
        "compute": {**compute, "isLocal": False},
        "inputDataBindings": _each(properties.get("inputs"), _shown_input),
        "outputDataBindings": _each(properties.get("outputs"), _shown_output),
        "timeout": (properties.get("limits") or {}).get("timeout"),
        "provisioningState": _STATES.get(str(properties.get("status")), "InProgress"),
    }


_STATES = {"Completed": "Succeeded", "Failed": "Failed", "Canceled": "Canceled"}


def _shown_input(item: Json) -> Json:
    """A folder, or with the names of later versions what that version has no word for."""
    rest = {name: value for name, value in item.items() if name != "uri" and value is not None}
    if item["jobInputType"] == "uri_folder":
        del rest["jobInputType"]
    return {"dataId": item.get("uri"), **rest}


def _shown_output(item: Json) -> Json:
    rest = {name: value for name, value in item.items() if value is not None}
    if item["jobOutputType"] == "uri_folder":
        del rest["jobOutputType"]
    short = _SHORT.fullmatch(str(item.get("uri") or ""))
    if short is None:
        return rest
    del rest["uri"]
    return {"datastoreId": short["store"], "pathOnDatastore": short["path"], **rest}


_SHORT = re.compile(r"azureml://datastores/(?P<store>[^/:]+)/paths/(?P<path>[^/].*|)", re.DOTALL)


def _from_first(form: FirstForm) -> Json:
    return {"inputs": _each(form.inputs, _data), "outputs": _each(form.outputs, _data)}


def _data(item: DataOf2021) -> Json:
    """One input or output of 2021-10-01; the types of later versions are read, too."""
    field = "jobInputType" if item.job_input_type else "jobOutputType"
    given = item.job_input_type or item.job_output_type or ""
    kind = NAMES_OF_2021.get(given.casefold(), given)
    uri = item.uri or item.dataset_id
    if isinstance(uri, UriOf2021):
        kind, uri = ("uri_file", uri.file) if uri.file else (kind, uri.folder)
    return {field: kind, "uri": uri, **(item.model_extra or {})}


def _to_first(properties: Json) -> Json:
    return {
        **properties,
        "inputs": _each(properties.get("inputs"), _shown_data),
        "outputs": _each(properties.get("outputs"), _shown_data),
    }


def _shown_data(item: Json) -> Json:
    """In the types of that version; what it has no word for stays as it is."""
    field = "jobInputType" if "jobInputType" in item else "jobOutputType"
    kind, uri = item[field], item.get("uri")
    rest = {name: value for name, value in item.items() if name not in {field, "uri"}}
    if kind == "literal":
        return {field: "Literal", **rest}
    if kind == "mltable" and field == "jobInputType":
        return {field: "Dataset", "datasetId": uri, **rest}
    if kind == "uri_folder":
        return {field: "Uri", "uri": uri and {"file": None, "folder": uri}, **rest}
    if kind == "uri_file" and uri:
        return {field: "Uri", "uri": {"file": uri, "folder": None}, **rest}
    return item


def _each(items: Mapping[str, Any] | None, shape: Callable[[Any], Json]) -> Json | None:
    """Every item reshaped; None, an input that was left out, stays None."""
    if items is None:
        return None
    return {name: item and shape(item) for name, item in items.items()}


def _dumped(model: BaseModel) -> Json:
    return model.model_dump(by_alias=True, mode="json")


@dataclasses.dataclass(frozen=True)
class Titled:
    """Types of inputs and outputs, which 2022-02-01-preview writes as UriFolder, not uri_folder."""

    since: str = "2022-02-01"
    until: str = "2022-02-01"

    def read(self, given: Json) -> Json:
        """As given: types are read in any spelling."""
        return given

    def write(self, properties: Json) -> Json:
        """In the spelling of that version."""
        return {
            **properties,
            "inputs": _each(properties.get("inputs"), _titled),
            "outputs": _each(properties.get("outputs"), _titled),
        }


def _titled(item: Json) -> Json:
    special = {"mltable": "MLTable", "mlflow_model": "MLFlowModel"}
    return {
        key: special.get(value, value.title().replace("_", ""))
        if key in {"jobInputType", "jobOutputType"}
        else value
        for key, value in item.items()
    }


JOB_WIRE = Wire(
    (
        Unknown(INTERNAL),
        Unknown(("displayName", "isArchived", "error", "services"), until=PREVIEW),
        Unknown(("interactionEndpoints",), since=FIRST),
        Unknown(NEWER, until="2022-09-30"),
        Renamed("samplingAlgorithm", "algorithm", until=PREVIEW),
        Reshaped(PreviewForm, _from_preview, _to_preview, until=PREVIEW),
        Reshaped(FirstForm, _from_first, _to_first, since=FIRST, until=FIRST),
        Titled(),
    )
)
