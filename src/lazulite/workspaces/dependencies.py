"""The resources that a workspace depends on: named by ids in any spelling, checked to be there.

Source: spec/REST.md 11.
"""

from __future__ import annotations

import dataclasses
import uuid

from lazulite.core.errors import ArmError
from lazulite.core.ids import (
    INSIGHTS,
    KEY_VAULTS,
    REGISTRIES,
    STORAGE_ACCOUNTS,
    name_of,
    parse_path,
    segment_of,
)
from lazulite.identity.sealing import SecretBox
from lazulite.store.resources import Json, Resource, Resources

PASSWORDS = ("password", "password2")


@dataclasses.dataclass(frozen=True)
class Dependency:
    """One of the four."""

    property: str
    full_type: str
    called: str
    is_required: bool = True
    """Whether it must be given when any of them is."""


DEPENDENCIES = (
    Dependency("storageAccount", STORAGE_ACCOUNTS, "storage account"),
    Dependency("keyVault", KEY_VAULTS, "key vault"),
    Dependency("applicationInsights", INSIGHTS, "Application Insights component"),
    Dependency("containerRegistry", REGISTRIES, "container registry", is_required=False),
)


def with_plain_ids(properties: Json) -> Json:
    """The properties with each id in its plain form. Raises ArmError 400 for what is no such id."""
    ids = {
        each.property: _plain_id(each, properties[each.property])
        for each in DEPENDENCIES
        if properties.get(each.property)
    }
    return {**properties, **ids}


def refuse_missing(properties: Json) -> None:
    """Raise ArmError 400 if some required ones are named and others are not."""
    required = [each for each in DEPENDENCIES if each.is_required]
    absent = [each for each in required if not properties.get(each.property)]
    named = [each for each in DEPENDENCIES if properties.get(each.property)]
    if not absent or not named:
        return
    missing = ", ".join(each.property for each in absent)
    raise ArmError(
        "ValidationError",
        f"Missing dependent resources in workspace json: {missing}. Name these too, or name none "
        "of them: then the workspace gets a storage account of its own.",
        target=absent[0].property,
        details=[
            ArmError("MissingDependency", f"The {each.called} is missing.", target=each.property)
            for each in absent
        ],
    )


async def refuse_absent(resources: Resources, properties: Json) -> None:
    """Raise ArmError 400 that names every one that is not there, or is of no use as it is."""
    faults = []
    for each in DEPENDENCIES:
        if arm_id := properties.get(each.property):
            fault = fault_of(each, arm_id, await resources.find(arm_id))
            faults.extend([fault] if fault else [])
    if faults:
        first = faults[0]
        raise ArmError(first.code, first.message, target=first.target, details=faults)


def instrumentation_key(component: Resource) -> str:
    """A component's GUID; nothing listens for what is sent with it."""
    return str(uuid.uuid5(uuid.UUID(component.uid), "InstrumentationKey"))


def registry_credentials(box: SecretBox, registry: Resource) -> Json:
    """User name and passwords of a registry. Raises ArmError 400 if its admin user is disabled."""
    if not registry.properties["adminUserEnabled"]:
        raise ArmError("UnAuthorizedForCredentialOperations", _without_admin(registry.id))
    passwords = [
        {"name": name, "value": box.open(registry.secrets[name]).decode()} for name in PASSWORDS
    ]
    return {"username": registry.name, "passwords": passwords}


def _plain_id(each: Dependency, given: str) -> str:
    """Without a leading slash, in any case, with a provider as Azure's articles misspell it."""
    text = "/" + given.strip().strip("/")
    try:
        address = parse_path(text)
        said = f"{address.provider}/{address.resource_type}"
        is_whole = address.is_resource and bool(segment_of(text, "resourceGroups"))
    except (ArmError, KeyError):
        said, is_whole = "", False
    if not is_whole or said.casefold() != each.full_type.casefold():
        raise ArmError(
            "InvalidArgument",
            f"{each.property} is {given!r}: it must be the id of a {each.called}, "
            f"/subscriptions/.../resourceGroups/.../providers/{each.full_type}/<name>.",
            target=each.property,
        )
    return text


def fault_of(each: Dependency, arm_id: str, found: Resource | None) -> ArmError | None:
    if found is None or found.deleting:
        return ArmError(
            "ResourceNotFound",
            f"The {each.called} {name_of(arm_id)!r} ({each.full_type}) that {each.property} names "
            f"was not found: {arm_id}. Create it with a PUT of this id, or correct the name.",
            target=each.property,
        )
    if each.full_type == REGISTRIES and not found.properties["adminUserEnabled"]:
        return ArmError("InvalidDependency", _without_admin(arm_id), target=each.property)
    return None


def _without_admin(arm_id: str) -> str:
    return (
        f"The admin user of the container registry {arm_id!r} is disabled: PUT it with "
        "properties.adminUserEnabled true."
    )
