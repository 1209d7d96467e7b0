"""From what a resource says of another one to that one's row.

Written as an ARM id, "azureml:name:version", "azureml:name@latest", "azureml:name", or the
"azureml://locations/..." form. Source: spec/CLIENTS.md 9, spec/REST.md 2.2.
"""

from __future__ import annotations

import re

from lazulite.arm.listing import in_view
from lazulite.core.errors import SpecError
from lazulite.core.ids import ML, fold
from lazulite.store.resources import Resource, Resources

SHORT = re.compile(r"(?:azureml:\s*)?(?P<name>[^:@/]+)(?:[:@](?P<version>[^:@/]+))?")
IN_WORKSPACE = re.compile(
    r"(?:azureml:/*)?.*?/?workspaces/[^/]+/(?P<plural>\w+)/(?P<name>[^/]+)"
    r"(?:/versions/(?:labels/)?(?P<version>[^/]+))?/?",
    re.IGNORECASE,
)


async def find_asset(resources: Resources, workspace: str, plural: str, reference: str) -> Resource:
    """The version of an asset. @latest is the newest active one.

    Raises SpecError if there is none.
    """
    name, version = taken_apart(reference, plural)
    refuse_elsewhere(reference, workspace)
    base = f"{workspace}/{plural}/{name}"
    if version is None or version.lower() == "latest":
        found = await resources.newest(base, f"{ML}/workspaces/{plural}/versions", in_view(""))
    else:
        found = await resources.find(f"{base}/versions/{version}")
    if found is None:
        raise missing(plural, reference, workspace)
    return found


async def find_one(resources: Resources, workspace: str, plural: str, reference: str) -> Resource:
    """The compute or datastore of that name or id. Raises SpecError if there is none."""
    name, _ = taken_apart(reference, plural)
    refuse_elsewhere(reference, workspace)
    found = await resources.find(f"{workspace}/{plural}/{name}")
    if found is None:
        raise missing(plural, reference, workspace)
    if plural == "computes":
        refuse_attached(found)
    return found


def refuse_attached(compute: Resource) -> None:
    """Raise SpecError for a compute that is a record here: nothing would ever run on it."""
    kind = compute.properties["computeType"]
    if kind not in {"AmlCompute", "ComputeInstance"}:
        raise SpecError(
            "ComputeTypeNotSupported",
            f"The compute {compute.name!r} is {kind}, which is attached as a record: nothing can "
            "run on it here. Use an AmlCompute or a ComputeInstance.",
            target="compute",
        )


def refuse_too_many(nodes: int, compute: Resource) -> None:
    """Raise SpecError if a job asks for more nodes than the compute may ever have.

    Azure lets such a job wait for ever. Source: spec/BATCH.md 6.
    """
    settings = compute.properties["properties"].get("scaleSettings")
    most = int(settings["maxNodeCount"]) if settings else 1
    if nodes > most:
        raise SpecError(
            "InstanceCountTooLarge",
            f"The job asks for {nodes} nodes and {compute.name!r} has at most {most}: lower "
            "instanceCount or raise maxNodeCount.",
            target="instanceCount",
        )


def refuse_elsewhere(reference: str, workspace: str) -> None:
    """Raise SpecError for a full id of another workspace: a name must not stand for two things."""
    start = reference.lower().find("/subscriptions/")
    if start >= 0 and not fold(reference[start:]).startswith(fold(workspace) + "/"):
        raise SpecError(
            "OtherWorkspace",
            f"{reference!r} is in another workspace than {workspace!r}: register it in this one.",
        )


def taken_apart(reference: str, plural: str) -> tuple[str, str | None]:
    """The name and the version or label in a reference. Raises SpecError if it is none."""
    text = reference.strip()
    found = IN_WORKSPACE.fullmatch(text)
    if found is not None and same_asset(found["plural"]) == same_asset(plural):
        return found["name"], found["version"]
    found = SHORT.fullmatch(text)
    if found is None:
        raise SpecError(
            "InvalidReference",
            f"{reference!r} is no reference into {plural}: write azureml:name:version, "
            "azureml:name@latest or the full ARM id.",
        )
    return found["name"].strip(), found["version"]


def same_asset(plural: str) -> str:
    """The type whose rows a type's are: 2021-10-01 calls data datasets."""
    return "data" if plural.lower() == "datasets" else plural.lower()


def missing(plural: str, reference: str, workspace: str) -> SpecError:
    """The reference leads nowhere."""
    return SpecError(
        "ReferencedResourceNotFound",
        f"{reference!r} was not found among the {plural} of {workspace!r}: create it first, "
        "or correct its name and version.",
    )
