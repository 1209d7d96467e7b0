"""Roles: which actions each one grants, and down which scopes. Pure; unknown means no."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from lazulite.core.ids import fold

_ML = "Microsoft.MachineLearningServices"
_BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
_CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers"
_DELEGATION = "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action"

Patterns = tuple[str, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Role:
    """A role definition: what `actions` match and `not_actions` do not."""

    id: str
    """The GUID that Azure gives this role."""
    name: str
    description: str
    actions: Patterns = ()
    not_actions: Patterns = ()
    data_actions: Patterns = ()
    not_data_actions: Patterns = ()
    assignable_scopes: Patterns = ("/",)
    """Scopes at which, and below which, it can be assigned."""
    is_custom: bool = False

    def grants(self, action: str) -> bool:
        """Whether this role alone allows the action. Owner's `*` reaches no blob: data is apart."""
        if is_data_action(action):
            allowed, denied = self.data_actions, self.not_data_actions
        else:
            allowed, denied = self.actions, self.not_actions
        return _matches_any(allowed, action) and not _matches_any(denied, action)


@dataclasses.dataclass(frozen=True, kw_only=True)
class RoleAssignment:
    """A role, given to a principal at a scope and everything below it."""

    name: str
    """A GUID, chosen by whoever assigns."""
    object_id: str
    role_id: str
    scope: str
    """An ARM id, or "/" for everything."""


def allows(
    assignments: Iterable[RoleAssignment],
    action: str,
    scope: str,
    custom: Mapping[str, Role] = MappingProxyType({}),
) -> bool:
    """Whether the assignments let their principal do the action at the scope.

    custom: roles by id besides the built-in ones. What one role's notActions leave out, another
    role may still grant.
    """
    return is_plain(scope) and any(
        reaches(each.scope, scope) and role.grants(action)
        for each in assignments
        if (role := ROLES.get(each.role_id) or custom.get(each.role_id))
    )


def reaches(ancestor: str, scope: str) -> bool:
    """Whether a scope is the ancestor itself or lies below it; case does not count."""
    above, below = fold(ancestor), fold(scope)
    return below == above or below.startswith(f"{above}/")


def is_plain(scope: str) -> bool:
    """Whether the scope names one place only: absolute, no empty, `.` or `..` segment."""
    segments = scope.rstrip("/").split("/")[1:]
    return scope.startswith("/") and not any(part in ("", ".", "..") for part in segments)


def matches(pattern: str, action: str) -> bool:
    """Whether an action string fits a pattern, without case. `*` stands for any text.

    `/*/` also stands for a single `/`: the built-in roles mean nothing sensible otherwise.
    Source: spec/SECURITY.md 3.7.
    """
    return _compiled(pattern).fullmatch(action) is not None


def is_data_action(action: str) -> bool:
    """Whether Azure lists the action as a dataAction, which management roles never grant."""
    return action.lower().startswith(f"{_BLOBS}/".lower())


def role_id_of(text: str) -> str:
    """The GUID in a roleDefinitionId, which may be a bare GUID or any roleDefinitions ARM id."""
    return text.rstrip("/").rsplit("/", 1)[-1].lower()


def _matches_any(patterns: Patterns, action: str) -> bool:
    return any(matches(pattern, action) for pattern in patterns)


@functools.lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(/\*/|\*)", pattern)
    wild = {"/*/": "/(?:.*/)?", "*": ".*"}
    expression = "".join(wild.get(part, re.escape(part)) for part in parts)
    return re.compile(expression, re.IGNORECASE | re.ASCII | re.DOTALL)


def _in_workspace(*tails: str) -> Patterns:
    return tuple(f"{_ML}/workspaces/{tail}" for tail in tails)


OWNER = Role(
    id="8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    name="Owner",
    description="Full access to all resources, including giving others access.",
    actions=("*",),
)
CONTRIBUTOR = Role(
    id="b24988ac-6180-42a0-ab88-20f7382dd24c",
    name="Contributor",
    description="Full access to all resources, but may not give others access.",
    actions=("*",),
    not_actions=(
        "Microsoft.Authorization/*/Delete",
        "Microsoft.Authorization/*/Write",
        "Microsoft.Authorization/elevateAccess/Action",
        "Microsoft.Blueprint/blueprintAssignments/write",
        "Microsoft.Blueprint/blueprintAssignments/delete",
        "Microsoft.Compute/galleries/share/action",
        "Microsoft.Purview/consents/write",
        "Microsoft.Purview/consents/delete",
        "Microsoft.Resources/deploymentStacks/manageDenySetting/action",
        "Microsoft.Subscription/cancel/action",
        "Microsoft.Subscription/enable/action",
    ),
)
READER = Role(
    id="acdd72a7-3385-48ef-bd42-f606fba81ae7",
    name="Reader",
    description="Reads all resources, changes none.",
    actions=("*/read",),
)
USER_ACCESS_ADMINISTRATOR = Role(
    id="18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
    name="User Access Administrator",
    description="Gives others access to resources.",
    actions=("*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"),
)
RBAC_ADMINISTRATOR = Role(
    id="f58310d9-a9f6-439a-9e8d-f62e7b41a168",
    name="Role Based Access Control Administrator",
    description="Gives others access to resources by assigning roles.",
    actions=(
        "Microsoft.Authorization/roleAssignments/write",
        "Microsoft.Authorization/roleAssignments/delete",
        "*/read",
        "Microsoft.Support/*",
    ),
)
DATA_SCIENTIST = Role(
    id="f6c7c914-8db3-469d-8ca1-694a8f32e121",
    name="AzureML Data Scientist",
    description="Works in a workspace, but changes neither its compute nor the workspace itself.",
    actions=_in_workspace("*/read", "*/action", "*/delete", "*/write"),
    not_actions=_in_workspace(
        "delete",
        "write",
        "computes/*/write",
        "computes/*/delete",
        "computes/write",
        "computes/delete",
        "computes/listKeys/action",
        "listKeys/action",
        "hubs/write",
        "hubs/delete",
        "featurestores/write",
        "featurestores/delete",
    ),
)
COMPUTE_OPERATOR = Role(
    id="e503ece1-11d0-4e8e-8e2c-7a6c3bf38815",
    name="AzureML Compute Operator",
    description="Manages the compute of a workspace, and nothing else in it.",
    actions=_in_workspace("computes/*", "notebooks/vm/*"),
)
REGISTRY_USER = Role(
    id="1823dd4f-9b8c-4ab6-ab4e-7397a3684615",
    name="AzureML Registry User",
    description="Reads registries, and reads and writes the assets in them.",
    actions=(f"{_ML}/registries/read", f"{_ML}/registries/assets/*"),
)
CONNECTION_SECRETS_READER = Role(
    id="ea01e6af-a1c1-4350-9563-ad00f8c72ec5",
    name="Azure Machine Learning Workspace Connection Secrets Reader",
    description="Reads the secrets of workspace connections.",
    actions=_in_workspace("connections/listsecrets/action", "metadata/secrets/read"),
)
BLOB_READER = Role(
    id="2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
    name="Storage Blob Data Reader",
    description="Reads blobs and containers.",
    actions=(f"{_CONTAINERS}/read", _DELEGATION),
    data_actions=(f"{_BLOBS}/read",),
)
BLOB_CONTRIBUTOR = Role(
    id="ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    name="Storage Blob Data Contributor",
    description="Reads, writes and deletes blobs and containers.",
    actions=(
        f"{_CONTAINERS}/read",
        f"{_CONTAINERS}/write",
        f"{_CONTAINERS}/delete",
        _DELEGATION,
    ),
    data_actions=(
        f"{_BLOBS}/read",
        f"{_BLOBS}/write",
        f"{_BLOBS}/delete",
        f"{_BLOBS}/move/action",
        f"{_BLOBS}/add/action",
    ),
)
BLOB_OWNER = Role(
    id="b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    name="Storage Blob Data Owner",
    description="Full access to blobs and containers.",
    actions=(f"{_CONTAINERS}/*", _DELEGATION),
    data_actions=(f"{_BLOBS}/*",),
)

ROLES = {
    role.id: role
    for role in (
        OWNER,
        CONTRIBUTOR,
        READER,
        USER_ACCESS_ADMINISTRATOR,
        RBAC_ADMINISTRATOR,
        DATA_SCIENTIST,
        COMPUTE_OPERATOR,
        REGISTRY_USER,
        CONNECTION_SECRETS_READER,
        BLOB_READER,
        BLOB_CONTRIBUTOR,
        BLOB_OWNER,
    )
}
"""The built-in roles by GUID. Source: spec/SECURITY.md 3.7 and Azure's list of built-in roles."""
