"""From data URIs to paths on this machine, where blobs are plain files."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from lazulite.arm.references import find_asset, find_one
from lazulite.blobs.names import container_parts
from lazulite.blobs.references import (
    AssetId,
    AssetName,
    BlobPath,
    DatastorePath,
    JobOutputPath,
    Reference,
    Site,
    Workspace,
)
from lazulite.blobs.uris import parse_data_uri
from lazulite.core.errors import ArmError, SpecError
from lazulite.core.ids import STORAGE_ACCOUNTS, segment_of
from lazulite.datastores.reading import container_of
from lazulite.deployments.job_outputs import ARTIFACTS, outputs_of
from lazulite.store.resources import Resource, Resources


@dataclasses.dataclass(frozen=True)
class DataPlaces:
    """Finds the files that URIs name."""

    resources: Resources
    root: Path
    """Where the blob store keeps accounts."""
    origins: frozenset[str]
    suffix: str

    async def locate(self, workspace: str, uri: str) -> Path:
        """The file or folder of a URI, which need not exist. Raises SpecError.

        workspace: the id of the workspace that names in the URI are looked up in.
        """
        try:
            found = parse_data_uri(uri, await self._site()).reference
            blob = await self._blob(workspace, found)
            await self._check_account(workspace, blob.account)
            parts = container_parts(blob.account, blob.container)
        except ArmError as error:
            raise SpecError(error.code, str(error), target=error.target) from error
        return self.root.joinpath(*parts, blob.path)

    async def _blob(self, workspace: str, found: Reference) -> BlobPath:
        """Where the bytes are, through however many references."""
        if isinstance(found, BlobPath):
            return found
        if isinstance(found, DatastorePath | AssetId) and found.workspace is not None:
            _refuse_elsewhere(found.workspace, workspace)
        if isinstance(found, DatastorePath):
            store = await find_one(self.resources, workspace, "datastores", found.datastore)
            return BlobPath(*container_of(store), found.path)
        if isinstance(found, AssetName | AssetId):
            return await self._asset(workspace, found)
        if isinstance(found, JobOutputPath):
            job = await find_one(self.resources, workspace, "jobs", found.job)
            output = parse_data_uri(_output(job, found.output), await self._site()).reference
            inside = await self._blob(workspace, output)
            return dataclasses.replace(inside, path=f"{inside.path}/{found.path}".rstrip("/"))
        raise SpecError(
            "DataNotReachable",
            f"{found.url!r} is not on this server: upload the data to a datastore and name it as "
            "azureml://datastores/<name>/paths/<path>.",
        )

    async def _asset(self, workspace: str, found: AssetName | AssetId) -> BlobPath:
        """The data of an asset, of a model if the id says so."""
        plural = found.kind if isinstance(found, AssetId) else "data"
        plural = "data" if plural == "datasets" else plural  # one asset, called so in 2021-10-01
        name = found.asset if isinstance(found, AssetId) else found
        which = f":{name.version}" if name.version else f"@{name.label}"
        asset = await find_asset(self.resources, workspace, plural, f"azureml:{name.name}{which}")
        field = {"models": "modelUri", "codes": "codeUri"}.get(plural, "dataUri")
        inner = parse_data_uri(asset.properties[field], await self._site()).reference
        if isinstance(inner, AssetName | AssetId):
            raise SpecError("InvalidDataUri", f"{asset.id!r} refers to another asset, not to data.")
        return await self._blob(workspace, inner)

    async def _check_account(self, workspace: str, account: str) -> None:
        """Data is read in place, past its credentials: so only the workspace's own is."""
        row = await self.resources.find(workspace)
        if row is None or row.observed.get("account") != account:
            raise SpecError(
                "DataNotReachable",
                f"The storage account {account!r} is not the workspace's own: copy the data to one "
                "of the workspace's datastores and name it there.",
            )

    async def _site(self) -> Site:
        accounts = await self.resources.of_type(STORAGE_ACCOUNTS)
        names = frozenset(account.name for account in accounts)
        return Site(self.origins, self.suffix, names)


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
