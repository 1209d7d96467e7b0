"""workspaces/data, and workspaces/datasets: two views of the same rows.

2021-10-01 has datasets with paths, the versions around it have data with one URI; what is written
as one reads as the other. Source: spec/REST.md 2.2 item 10, 5 and 7.4; spec/CLIENTS.md 7.4.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from lazulite.arm.assets import FIRST, STABLE, STAGED, Asset, AssetType, Container, kinds_of
from lazulite.arm.kind import Kind, Properties
from lazulite.arm.listing import Listing, pairs
from lazulite.arm.placed import Placed, placed, uri_of
from lazulite.arm.wire import Reshaped, Respelled, Unknown
from lazulite.deployments.pending_uploads import PendingUploads
from lazulite.store.resources import Json, Resources

DataType = Literal["uri_file", "uri_folder", "mltable"]
LONG = {"uri_file": "UriFile", "uri_folder": "UriFolder", "mltable": "MLTable"}
A_FILE = re.compile(r"(?:.*/)?[^/]+\.[A-Za-z0-9]+", re.DOTALL)
LISTING = Listing(filters={"$tags": pairs("tags")})


class Path(Properties):
    """One of a dataset's paths."""

    file: str | None = None
    folder: str | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Path:
        if bool(self.file) == bool(self.folder):
            raise ValueError("a path is either a file or a folder: give one of the two")
        return self


class Data(Asset):
    """Files to read."""

    data_uri: str = Field(min_length=1)
    data_type: DataType = "uri_folder"
    referenced_uris: list[str] | None = None
    stage: str | None = None
    dataset_type: Literal["Simple", "Dataflow"] = "Simple"
    """Said by 2021-03-01-preview only."""
    paths: list[Path] | None = None
    """All paths of a dataset that has several; dataUri is the first one."""


class Dataset(Data):
    """The same, asked for by its paths."""

    @model_validator(mode="before")
    @classmethod
    def _has_paths(cls, given: Any) -> Any:
        if isinstance(given, Mapping) and not given.keys() & {"dataUri", "data_uri"}:
            raise ValueError('give paths: [{"file": URI}] or [{"folder": URI}]')
        return given


class DataContainer(Container):
    """An asset's name; its type is that of its first version."""

    data_type: DataType | None = None


class WithPaths(Properties):
    """The part of a dataset that data arrange otherwise."""

    paths: list[Path] | None = Field(default=None, min_length=1)


def _from_paths(form: WithPaths) -> Json:
    if not form.paths:
        return {}
    first = form.paths[0]
    several = [path.model_dump() for path in form.paths]
    return {
        "dataUri": first.file or first.folder,
        "dataType": "uri_file" if first.file else "uri_folder",
        "paths": several if len(several) > 1 else None,
    }


def _to_paths(properties: Json) -> Json:
    moved = ("dataUri", "dataType", "paths")
    rest = {name: value for name, value in properties.items() if name not in moved}
    is_file, uri = properties["dataType"] == "uri_file", properties["dataUri"]
    only = {"file": uri if is_file else None, "folder": None if is_file else uri}
    return {**rest, "paths": properties.get("paths") or [only]}


def _typed(form: Placed) -> Json:
    """A path whose last part has an ending is a file: 2021-03-01-preview does not say."""
    uri = uri_of(form)
    if uri is None:
        return {}
    return {"dataType": "uri_file" if A_FILE.fullmatch(uri) else "uri_folder"}


UNTYPED = Unknown(("dataType",), until=FIRST)
RESPELLED = Respelled("dataType", LONG, since="2022-02-01", until="2022-02-01")
DATA_ROWS = (
    STAGED,
    Unknown(("paths",)),
    Unknown(("datasetType",), since=STABLE),
    Unknown(("referencedUris",), until=FIRST),
    UNTYPED,
    placed("dataUri", _typed),
    RESPELLED,
)
DATASET_ROWS = (
    Unknown(("stage", "datasetType", "referencedUris")),
    Reshaped(WithPaths, _from_paths, _to_paths),
)
FIXED = frozenset({"dataUri", "dataType", "referencedUris", "paths"})


def data(resources: Resources, uploads: PendingUploads) -> tuple[Kind, Kind]:
    """The container and the version."""
    return kinds_of(
        AssetType(
            plural="data",
            properties=Data,
            container=DataContainer,
            inherited=frozenset({"dataType"}),
            fixed=FIXED,
            listing=LISTING,
            rows=DATA_ROWS,
            container_rows=(UNTYPED, RESPELLED),
            computed={},
            actions=uploads.actions(),
        ),
        resources,
    )


def dataset(resources: Resources) -> tuple[Kind, Kind]:
    """The same rows as 2021-10-01 calls them; 2022-05-01 is answered, too."""
    return kinds_of(
        AssetType(
            plural="data",
            called="datasets",
            properties=Dataset,
            container=DataContainer,
            inherited=frozenset({"dataType"}),
            fixed=FIXED,
            listing=LISTING,
            rows=DATASET_ROWS,
            container_rows=(Unknown(("dataType",)),),
            computed={},
            since=STABLE,
            until="2022-05-01",
        ),
        resources,
    )
