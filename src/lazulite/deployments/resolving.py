"""From a data URI to where the data are, through datastores, assets and outputs of jobs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from lazulite.arm.references import find_asset, find_one
from lazulite.blobs.references import (
    AssetId,
    AssetName,
    BlobPath,
    DatastorePath,
    DataUri,
    ForeignBlobPath,
    JobOutputPath,
    Shape,
    Site,
    WebAddress,
    Workspace,
)
from lazulite.blobs.uris import parse_data_uri
from lazulite.core.errors import ArmError, SpecError
from lazulite.core.ids import DATASTORES, STORAGE_ACCOUNTS, segment_of
from lazulite.datastores.reading import LocalPath, Readers
from lazulite.deployments.job_outputs import ARTIFACTS, outputs_of
from lazulite.fetch.errors import FetchError
from lazulite.fetch.rules import Rules
from lazulite.fetch.urls import parse_url
from lazulite.store.resources import Resource, Resources

Place = BlobPath | ForeignBlobPath | LocalPath | WebAddress
TABLE = "mltable"


@dataclasses.dataclass(frozen=True)
class Found:
    """Where data are. is_table: whether a file MLTable there says what the data are."""

    place: Place
    shape: Shape | None = None
    pattern: str = ""
    is_table: bool = False


@dataclasses.dataclass(frozen=True)
class Resolver:
    """Looks up what URIs name."""

    resources: Resources
    readers: Readers
    rules: Rules
    origins: frozenset[str]
    suffix: str

    async def find(self, workspace: str, uri: str) -> list[Found]:
        """Where the data of a URI are; several places only for an asset with several paths.

        Raises SpecError, and ArmError for what is no URI.
        """
        parsed = parse_data_uri(uri, await self._site(workspace))
        if isinstance(parsed.reference, AssetName | AssetId):
            return await self._asset(workspace, parsed.reference)
        return [await self._found(workspace, parsed)]

    async def _found(self, workspace: str, parsed: DataUri) -> Found:
        reference = parsed.reference
        if isinstance(reference, AssetName | AssetId):
            name = reference.name if isinstance(reference, AssetName) else reference.asset.name
            raise SpecError("InvalidDataUri", f"{name!r} is an asset, where data are wanted.")
        if isinstance(reference, DatastorePath):
            place = await self._in_store(workspace, reference)
        elif isinstance(reference, JobOutputPath):
            place = await self._in_output(workspace, reference)
        else:
            place = reference
        return Found(place, parsed.shape, parsed.pattern)

    async def _in_store(self, workspace: str, found: DatastorePath) -> Place:
        if found.workspace is not None:
            _refuse_elsewhere(found.workspace, workspace)
        store = await find_one(self.resources, workspace, "datastores", found.datastore)
        return await self.readers.place(store, found.path)

    async def _in_output(self, workspace: str, found: JobOutputPath) -> Place:
        job = await find_one(self.resources, workspace, "jobs", found.job)
        output = parse_data_uri(_output(job, found.output), await self._site(workspace))
        inside = (await self._found(workspace, output)).place
        if isinstance(inside, LocalPath):
            return LocalPath(inside.path / found.path)
        if isinstance(inside, BlobPath):
            return dataclasses.replace(inside, path=f"{inside.path}/{found.path}".strip("/"))
        raise SpecError("DataNotReachable", f"The output {found.output!r} is not on this server.")

    async def _asset(self, workspace: str, found: AssetName | AssetId) -> list[Found]:
        """The data of an asset, of a model if the id says so."""
        asset, plural = await _version(self.resources, workspace, found), _plural(found)
        site, places = await self._site(workspace), []
        for uri, shape in uris_of(asset.properties, plural):
            found_there = await self._found(workspace, parse_data_uri(uri, site))
            is_table = asset.properties.get("dataType") == TABLE
            shape = found_there.shape or shape
            places.append(dataclasses.replace(found_there, shape=shape, is_table=is_table))
        return places

    async def _site(self, workspace: str) -> Site:
        accounts = await self.resources.of_type(STORAGE_ACCOUNTS)
        names = frozenset(account.name for account in accounts)
        lost: dict[str, str] = {}
        for store in await self.resources.children(workspace, DATASTORES):
            account = store.properties.get("accountName")
            if account in names and (container := store.properties.get("containerName")):
                lost.setdefault(container, account)
        return Site(self.origins, self.suffix, names, lost, self._alias)

    def _alias(self, url: str) -> str:
        """The URL that stands for another one, if it is a good one at all."""
        try:
            return str(self.rules.resolved(parse_url(url)))
        except FetchError:
            return url


async def pinned(resources: Resources, workspace: str, uri: str) -> str:
    """The URI with the version, once and for all, of an asset that it names by a label.

    Any other URI, and one that leads nowhere, as it is.
    """
    try:
        parsed = parse_data_uri(uri, Site(frozenset(), "", frozenset()))
        if not isinstance(parsed.reference, AssetName | AssetId):
            return uri
        found = await _version(resources, workspace, parsed.reference)
    except (ArmError, SpecError):
        return uri  # whoever reads the data says why
    return f"{parsed.shape.value}:{found.id}" if parsed.shape else found.id


async def _version(resources: Resources, workspace: str, found: AssetName | AssetId) -> Resource:
    """The row of an asset's version. Raises SpecError."""
    if isinstance(found, AssetId):
        _refuse_elsewhere(found.workspace, workspace)
    name = found.asset if isinstance(found, AssetId) else found
    which = f":{name.version}" if name.version else f"@{name.label}"
    return await find_asset(resources, workspace, _plural(found), f"azureml:{name.name}{which}")


def _plural(found: AssetName | AssetId) -> str:
    """The type of the asset: data if nothing is said; 2021-10-01 calls them datasets."""
    plural = found.kind if isinstance(found, AssetId) else "data"
    return "data" if plural == "datasets" else plural


def uris_of(properties: Mapping[str, Any], plural: str) -> list[tuple[str, Shape | None]]:
    """The URIs of an asset, each with the shape that its type says."""
    if plural != "data":
        return [(str(properties[{"models": "modelUri"}.get(plural, "codeUri")]), None)]
    if several := properties.get("paths"):
        files = [(path.get("file"), Shape.FILE) for path in several]
        folders = [(path.get("folder"), Shape.FOLDER) for path in several]
        both = [pair for pairs in zip(files, folders, strict=True) for pair in pairs]
        return [(str(uri), shape) for uri, shape in both if uri]
    return [(str(properties["dataUri"]), None)]


def _output(job: Resource, name: str) -> str:
    """The URI of a job's output. Raises SpecError if the job has no such output."""
    if name == "artifacts":
        return ARTIFACTS.format(job=job.name)
    known = outputs_of(job)
    if name not in known:
        raise SpecError(
            "OutputNotFound",
            f"The job {job.name!r} has no output {name!r}; it has: "
            f"{', '.join(['artifacts', *known])}.",
        )
    return str(known[name]["uri"])


def _refuse_elsewhere(named: Workspace, workspace: str) -> None:
    """Raise SpecError for a long form that names another workspace."""
    ids = (
        segment_of(workspace, "subscriptions"),
        segment_of(workspace, "resourceGroups"),
        segment_of(workspace, "workspaces"),
    )
    given = (named.subscription, named.resource_group, named.name)
    known = zip(given, ids, strict=True)  # a form with a location says the name only
    if any(part and part.casefold() != wanted.casefold() for part, wanted in known):
        raise SpecError(
            "OtherWorkspace",
            f"The data is in the workspace {named.name!r}, not in {ids[2]!r}: register it here.",
        )
