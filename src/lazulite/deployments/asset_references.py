"""The two ways to name a model: as one text, and as 2021-03-01-preview and batch deployments do.

A text is an ARM id, azureml:name:version, or an azureml:// address of files. The object has a
referenceType and says the same in parts. Source: spec/REST.md 5 and 7.7.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from lazulite.arm.kind import Properties
from lazulite.store.resources import Json


class IdReference(Properties):
    """A registered asset."""

    reference_type: Literal["Id"] = "Id"
    asset_id: str


class DataPathReference(Properties):
    """Files in a datastore."""

    reference_type: Literal["DataPath"] = "DataPath"
    datastore_id: str | None = None
    path: str | None = None


class OutputPathReference(Properties):
    """Files that a job has written."""

    reference_type: Literal["OutputPath"] = "OutputPath"
    job_id: str
    path: str | None = None


DEFAULT_STORE = "workspaceblobstore"
KEYS = {"assetId": "Id", "datastoreId": "DataPath", "jobId": "OutputPath", "path": "DataPath"}
SPELLED = {name.casefold(): name for name in (*KEYS, "referenceType")}
DATA = re.compile(
    r"azureml://(?P<long>subscriptions/.+?/)?datastores/(?P<store>[^/]+)/paths/(?P<path>.*)",
    re.IGNORECASE,
)
OUTPUT = re.compile(
    r"azureml://jobs/(?P<job>[^/]+)/outputs/artifacts/paths/(?P<path>.*)", re.IGNORECASE
)


def _as_object(given: Any) -> Any:
    """Also take a text, and an object that leaves its referenceType out."""
    if isinstance(given, str):
        return reference_object(given)
    if not isinstance(given, Mapping):
        return given
    said = {SPELLED.get(name.casefold(), name): value for name, value in given.items()}
    implied = next((kind for key, kind in KEYS.items() if said.get(key)), None)
    return said if said.get("referenceType") else {**said, "referenceType": implied}


AssetReference = Annotated[
    IdReference | DataPathReference | OutputPathReference,
    Field(discriminator="reference_type"),
    BeforeValidator(_as_object),
]


def model_text(given: Any) -> Any:
    """As reference_text; raises ValueError for an object that names nothing."""
    if isinstance(given, Mapping):
        said = {name.casefold() for name, value in given.items() if value}
        if not said & {"assetid", "path", "jobid"}:
            raise ValueError("a model needs an assetId, or the path of its files")
    return reference_text(given)


def reference_text(given: Any) -> Any:
    """The text that an object stands for; a text stands for itself, and nothing for None."""
    if not isinstance(given, Mapping):
        return given or None
    said = {name.casefold(): value for name, value in given.items()}
    path = str(said.get("path") or "").lstrip("/")
    if said.get("assetid"):
        return said["assetid"]
    if said.get("jobid"):
        job = str(said["jobid"]).rstrip("/").rpartition("/")[2]
        return f"azureml://jobs/{job}/outputs/artifacts/paths/{path}"
    return f"azureml://{_store(str(said.get('datastoreid') or DEFAULT_STORE))}/paths/{path}"


def reference_object(text: str | None) -> Json | None:
    """The object that says what a text says."""
    if not text:
        return None
    if found := DATA.fullmatch(text):
        store = found["store"]
        full = f"/{found['long']}datastores/{store}" if found["long"] else store
        return {"referenceType": "DataPath", "datastoreId": full, "path": found["path"]}
    if found := OUTPUT.fullmatch(text):
        return {"referenceType": "OutputPath", "jobId": found["job"], "path": found["path"]}
    return {"referenceType": "Id", "assetId": text}


def names_files(text: str) -> bool:
    """Whether a text names files that nobody has registered as a model."""
    return bool(DATA.fullmatch(text) or OUTPUT.fullmatch(text))


def _store(datastore_id: str) -> str:
    """What stands before /paths/: the whole id, or a name alone."""
    if "/" in datastore_id:
        return datastore_id.removeprefix("azureml:").strip("/")
    return f"datastores/{datastore_id.removeprefix('azureml:')}"
