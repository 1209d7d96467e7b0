"""What a reference to data can be: typed values, which uris.py parses out of text."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable, Mapping


class Shape(enum.Enum):
    """What a "folder:" or "file:" in front says of the data."""

    FOLDER = "folder"
    FILE = "file"


@dataclasses.dataclass(frozen=True)
class Workspace:
    """Where a long form points."""

    subscription: str
    resource_group: str
    name: str


@dataclasses.dataclass(frozen=True)
class DatastorePath:
    """A path in a datastore; workspace None: the one at hand. path: no slash at either end."""

    datastore: str
    path: str
    workspace: Workspace | None = None


@dataclasses.dataclass(frozen=True)
class AssetName:
    """An asset by name, of the kind that the context wants. Either version or label is ""."""

    name: str
    version: str = ""
    label: str = ""


@dataclasses.dataclass(frozen=True)
class AssetId:
    """An asset by its ARM id. kind: its resource type, lower case, such as "models"."""

    workspace: Workspace
    kind: str
    asset: AssetName


@dataclasses.dataclass(frozen=True)
class JobOutputPath:
    """A path in an output of a job; its logged artifacts are the output "artifacts"."""

    job: str
    output: str
    path: str


@dataclasses.dataclass(frozen=True)
class BlobPath:
    """A blob, or what is below a prefix. path "": the whole container."""

    account: str
    container: str
    path: str
    signature: str = dataclasses.field(default="", repr=False)
    """The SAS of the URL; "" if it had none."""


@dataclasses.dataclass(frozen=True)
class ForeignBlobPath:
    """A blob, or what is below a prefix, in a container of some other storage account."""

    container: str
    """Its URL, without a slash at the end."""
    path: str
    """Decoded; "": the whole container."""
    signature: str = dataclasses.field(default="", repr=False)
    """The SAS of the URL; "" for a public container."""


@dataclasses.dataclass(frozen=True)
class WebAddress:
    """A URL of some other server, as given; fetching it is subject to the allow-list."""

    url: str


Reference = (
    DatastorePath | AssetName | AssetId | JobOutputPath | BlobPath | ForeignBlobPath | WebAddress
)


def _itself(url: str) -> str:
    return url


@dataclasses.dataclass(frozen=True)
class DataUri:
    """A reference, with the shape that was said of it.

    pattern: of the files below the reference that are meant (blobs/patterns.py); "": all of them.
    """

    reference: Reference
    shape: Shape | None = None
    pattern: str = ""


@dataclasses.dataclass(frozen=True)
class Site:
    """How our own storage looks from outside."""

    origins: frozenset[str]
    """Such as "https://localhost:8443", lower case, without a slash at the end."""
    suffix: str
    """Storage suffix of the metadata document, such as "core.local"."""
    accounts: frozenset[str]
    lost_containers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Account by container, for URLs that lost their account. Source: spec/CLIENTS.md 4."""
    alias: Callable[[str], str] = _itself
    """From a URL to the one that is used instead, which may be on this server."""
