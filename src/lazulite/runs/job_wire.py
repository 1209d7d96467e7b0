"""What api-versions of jobs differ in. The internal form is 2023-10-01's.

Source: spec/REST.md 5 and 7.5.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict, Field

from lazulite.arm.kind import Duration, Properties
from lazulite.arm.wire import Renamed, Reshaped, Unknown, Wire
from lazulite.store.resources import Json

INTERNAL = ("cancelRequested", "runDefinition", "requestId", "clientState", "warnings")
"""What rows of jobs say to the server itself: no version shows it."""
PREVIEW, FIRST = "2021-03-01", "2021-10-01"
NEWER = ("componentId", "queueSettings")
NAMES_OF_2021 = {"Uri": "uri_folder", "Dataset": "mltable", "Literal": "literal"}


class ComputeOf2021(Properties):
    """The compute of 2021-03-01-preview."""

    model_config = ConfigDict(extra="allow")
    target: str | None = None
    instance_count: int | None = None
    instance_type: str | None = None


class BindingOf2021(Properties):
    """An input or output of 2021-03-01-preview."""

    data_id: str | None = None
    datastore_id: str | None = None
    path_on_datastore: str | None = None
    path_on_compute: str | None = None
    mode: str | None = None


class PreviewForm(Properties):
    """What 2021-03-01-preview arranges otherwise."""

    compute: ComputeOf2021 | None = None
    input_data_bindings: dict[str, BindingOf2021] | None = None
    output_data_bindings: dict[str, BindingOf2021] | None = None
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
    value: str | None = None
    mode: str | None = None
    description: str | None = None


class FirstForm(Properties):
    """What 2021-10-01 arranges otherwise."""

    inputs: dict[str, DataOf2021] | None = None
    outputs: dict[str, DataOf2021] | None = Field(default=None)


def _from_preview(form: PreviewForm) -> Json:
    compute = form.compute
    return {
        "computeId": compute and compute.target,
        "resources": compute and _resources(compute),
        "inputs": form.input_data_bindings
        and {name: _bound_input(item) for name, item in form.input_data_bindings.items()},
        "outputs": form.output_data_bindings
        and {name: _bound_output(item) for name, item in form.output_data_bindings.items()},
        "limits": form.timeout and {"jobLimitsType": "Command", "timeout": form.timeout},
    }


def _resources(compute: ComputeOf2021) -> Json:
    given = {"instanceCount": compute.instance_count, "instanceType": compute.instance_type}
    return {name: value for name, value in given.items() if value is not None}


def _bound_input(item: BindingOf2021) -> Json:
    return {"jobInputType": "uri_folder", "uri": item.data_id, "mode": item.mode}


def _bound_output(item: BindingOf2021) -> Json:
    if not item.datastore_id:
        return {"jobOutputType": "uri_folder"}
    store = item.datastore_id.rstrip("/").rpartition("/")[2].removeprefix("azureml:")
    path = (item.path_on_datastore or "").strip("/")
    return {"jobOutputType": "uri_folder", "uri": f"azureml://datastores/{store}/paths/{path}"}


def _to_preview(properties: Json) -> Json:
    moved = {"computeId", "resources", "inputs", "outputs", "limits", "services"}
    rest = {key: value for key, value in properties.items() if key not in moved}
    resources = properties.get("resources") or {}
    return {
        **rest,
        "compute": {
            "target": properties.get("computeId"),
            "instanceCount": resources.get("instanceCount"),
            "instanceType": resources.get("instanceType"),
            "isLocal": False,
        },
        "inputDataBindings": _each(_data_of(properties), _shown_input),
        "outputDataBindings": _each(properties.get("outputs"), _shown_output),
        "timeout": (properties.get("limits") or {}).get("timeout"),
        "provisioningState": _STATES.get(str(properties.get("status")), "InProgress"),
    }


_STATES = {"Completed": "Succeeded", "Failed": "Failed", "Canceled": "Canceled"}


def _data_of(properties: Json) -> Json:
    """The inputs that are no literals, which that version does not know."""
    inputs = (properties.get("inputs") or {}).items()
    return {name: item for name, item in inputs if item and item.get("uri")}


def _shown_input(item: Json) -> Json:
    return {"dataId": item.get("uri"), "mode": item.get("mode")}


def _shown_output(item: Json) -> Json:
    store, _, path = str(item.get("uri") or "").partition("datastores/")[2].partition("/paths/")
    return {"datastoreId": store or None, "pathOnDatastore": path or None, "mode": item.get("mode")}


def _from_first(form: FirstForm) -> Json:
    return {"inputs": _each(form.inputs, _data), "outputs": _each(form.outputs, _data)}


def _data(item: DataOf2021) -> Json:
    """One input or output of 2021-10-01; the types of later versions are read, too."""
    field = "jobInputType" if item.job_input_type else "jobOutputType"
    given = item.job_input_type or item.job_output_type or ""
    kind = {key.casefold(): value for key, value in NAMES_OF_2021.items()}.get(
        given.casefold(), given
    )
    uri = item.uri
    if isinstance(uri, UriOf2021):
        kind, uri = ("uri_file", uri.file) if uri.file else (kind, uri.folder)
    plain = {"uri": uri or item.dataset_id, "value": item.value, "mode": item.mode}
    named = {key: value for key, value in plain.items() if value is not None}
    return {field: kind, **named, "description": item.description}


def _to_first(properties: Json) -> Json:
    return {
        **properties,
        "inputs": _each(properties.get("inputs"), _shown_data),
        "outputs": _each(properties.get("outputs"), _shown_data),
    }


def _shown_data(item: Json) -> Json:
    field = "jobInputType" if "jobInputType" in item else "jobOutputType"
    kind, uri = item[field], item.get("uri")
    rest = {"description": item.get("description")}
    if kind == "literal":
        return {field: "Literal", "value": item.get("value"), **rest}
    rest["mode"] = item.get("mode")
    if kind == "mltable" and field == "jobInputType":
        return {field: "Dataset", "datasetId": uri, **rest}
    place = {"file": uri, "folder": None} if kind == "uri_file" else {"file": None, "folder": uri}
    return {field: "Uri", "uri": place, **rest}


def _each(items: Mapping[str, Any] | None, shape: Any) -> Json | None:
    if items is None:
        return None
    return {name: shape(item) for name, item in items.items() if item is not None}


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
        Unknown(("displayName", "isArchived", "error"), until=PREVIEW),
        Unknown(("interactionEndpoints",), since=FIRST),
        Unknown(NEWER, until="2022-09-30"),
        Renamed("samplingAlgorithm", "algorithm", until=PREVIEW),
        Reshaped(PreviewForm, _from_preview, _to_preview, until=PREVIEW),
        Reshaped(FirstForm, _from_first, _to_first, since=FIRST, until=FIRST),
        Titled(),
    )
)
