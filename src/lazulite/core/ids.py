"""ARM ids: what a path names, compared without case.

An id alternates types and names: /subscriptions/{s}/resourceGroups/{g}/providers/{P}/{t1}/{n1}/...
Source: spec/REST.md 1.
"""

from __future__ import annotations

import dataclasses
import re

from lazulite.core.errors import ArmError

ML = "Microsoft.MachineLearningServices"
RESOURCES = "Microsoft.Resources"
STORAGE = "Microsoft.Storage"

ENDPOINT_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?")  # of deployments, too

WORKSPACES = f"{ML}/workspaces"
JOBS = f"{WORKSPACES}/jobs"
ONLINE_ENDPOINTS = f"{WORKSPACES}/onlineEndpoints"
ONLINE_DEPLOYMENTS = f"{ONLINE_ENDPOINTS}/deployments"
BATCH_ENDPOINTS = f"{WORKSPACES}/batchEndpoints"
STORAGE_ACCOUNTS = f"{STORAGE}/storageAccounts"
KEY_VAULTS = "Microsoft.KeyVault/vaults"
INSIGHTS = "Microsoft.Insights/components"
LOG_ANALYTICS = "Microsoft.OperationalInsights/workspaces"
METRIC_ALERTS = "Microsoft.Insights/metricAlerts"
ACTION_GROUPS = "Microsoft.Insights/actionGroups"
AUTOSCALE_SETTINGS = "Microsoft.Insights/autoscaleSettings"
REGISTRIES = "Microsoft.ContainerRegistry/registries"
COMPUTES = f"{WORKSPACES}/computes"
DATASTORES = f"{WORKSPACES}/datastores"


@dataclasses.dataclass(frozen=True)
class Address:
    """A path taken apart. One name fewer than types: a collection, or an action on its parent."""

    provider: str
    types: tuple[str, ...]
    names: tuple[str, ...]
    scope: str
    """The id of the subscription or resource group that the provider's part stands under."""

    @property
    def is_resource(self) -> bool:
        """Whether every type has its name."""
        return len(self.types) == len(self.names)

    @property
    def resource_type(self) -> str:
        """Such as "workspaces/computes", in the caller's case."""
        return "/".join(self.types)

    @property
    def id(self) -> str:
        """The path in its plain form."""
        return join_id(self.scope, self.provider, self.types, self.names)

    @property
    def parent(self) -> Address:
        """One type and its name less; of a collection or an action, the resource it belongs to."""
        keep = len(self.types) - 1
        return dataclasses.replace(self, types=self.types[:keep], names=self.names[:keep])


def join_id(scope: str, provider: str, types: tuple[str, ...], names: tuple[str, ...]) -> str:
    """Write an id. Types of Microsoft.Resources stand without a provider segment."""
    head = scope if provider == RESOURCES or not types else f"{scope}/providers/{provider}"
    tail = "".join(
        f"/{resource_type}/{name}" if name else f"/{resource_type}"
        for resource_type, name in zip(types, (*names, "")[: len(types)], strict=True)
    )
    return head + tail


def parse_path(path: str) -> Address:
    """Take a request path or an id apart. Raises ArmError for what no ARM path looks like."""
    segments = path.strip("/").split("/")
    if not all(segments):
        raise ArmError("InvalidRequestUri", f"The path {path!r} has an empty segment.", 400)
    lowered = [segment.lower() for segment in segments]
    cut = lowered.index("providers") if "providers" in lowered[::2] else len(segments)
    scope_types, scope_names = tuple(segments[0:cut:2]), tuple(segments[1:cut:2])
    if cut == len(segments):
        return Address(RESOURCES, scope_types, scope_names, "")
    if len(segments) < cut + 3:
        raise ArmError("InvalidResourceType", f"The path {path!r} names no resource type.", 404)
    scope = join_id("", RESOURCES, scope_types, scope_names)
    rest = segments[cut + 2 :]
    return Address(segments[cut + 1], tuple(rest[0::2]), tuple(rest[1::2]), scope)


def spelled(address: Address, provider: str, resource_type: str) -> Address:
    """The same address with the provider, types and scope spelled as Azure spells them."""
    group = re.sub("/resourcegroups/", "/resourceGroups/", address.scope, flags=re.IGNORECASE)
    scope = re.sub("^/subscriptions/", "/subscriptions/", group, flags=re.IGNORECASE)
    return Address(provider, tuple(resource_type.split("/")), address.names, scope)


def fold(arm_id: str) -> str:
    """The form in which two spellings of one id are equal."""
    return arm_id.rstrip("/").casefold()


def name_of(arm_id: str) -> str:
    """The last segment."""
    return arm_id.rstrip("/").rsplit("/", 1)[-1]


def parent_of(arm_id: str) -> str:
    """The id of the enclosing resource, resource group or subscription; "" at the top."""
    address = parse_path(arm_id).parent
    return address.id if address.types else address.scope


def segment_of(arm_id: str, resource_type: str) -> str:
    """The name that follows a type in an id, such as the workspace's. Raises KeyError if absent."""
    segments = arm_id.strip("/").split("/")
    for position, segment in enumerate(segments[:-1]):
        if segment.lower() == resource_type.lower():
            return segments[position + 1]
    raise KeyError(resource_type)


def workspace_of(arm_id: str) -> str:
    """The id of the workspace that a resource lives in. Raises ArmError if it lives in none."""
    address = parse_path(arm_id)
    if address.provider.lower() != ML.lower() or not address.names:
        raise ArmError("InvalidResourceId", f"{arm_id!r} names nothing in a workspace.", 400)
    return dataclasses.replace(address, types=("workspaces",), names=address.names[:1]).id
