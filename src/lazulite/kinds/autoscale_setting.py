"""Microsoft.Insights/autoscaleSettings: rules by which an online deployment is scaled.

Source: Azure's REST reference, Autoscale Settings.
"""

from __future__ import annotations

import re

from lazulite.arm.kind import Kind, Proposal
from lazulite.core.errors import ArmError
from lazulite.core.ids import AUTOSCALE_SETTINGS, ONLINE_DEPLOYMENTS, parse_path
from lazulite.deployments.autoscale_properties import AutoscaleSetting
from lazulite.deployments.autoscaling import Autoscaling
from lazulite.store.resources import Json, Resource

NAME = re.compile(
    r"[^<>*%{}&:\\?+/#|^`'\"\[\];\x00-\x1f]{0,259}[^<>*%{}&:\\?+/#|^`'\"\[\];\x00-\x1f.]"
)


def autoscale_setting(autoscaling: Autoscaling) -> Kind:
    """The kind; what was decided last is shown as lastEvaluation, an extension."""
    provider, _, resource_type = AUTOSCALE_SETTINGS.partition("/")

    async def prepare(proposal: Proposal) -> Proposal:
        properties = proposal.properties
        _check_target(properties["targetResourceUri"])
        _check_profiles(properties["profiles"])
        await autoscaling.check(proposal.actor, properties)
        rival = await autoscaling.rival(proposal.id, properties)
        if rival is not None:
            raise ArmError(
                "Conflict",
                f"{rival.id!r} scales {properties['targetResourceUri']!r} already: change that "
                "setting, or delete it.",
                409,
                target="targetResourceUri",
            )
        return proposal

    async def show(setting: Resource, base: str) -> Json:
        return {
            "name": setting.properties.get("name") or setting.name,
            "lastEvaluation": autoscaling.seen.get(setting.uid),
        }

    return Kind(
        resource_type=resource_type,
        provider=provider,
        since="2014-04-01",
        name=NAME,
        properties=AutoscaleSetting,
        envelope=frozenset({"location", "tags"}),
        prepare=prepare,
        show=show,
        has_state=False,
    )


def _check_target(arm_id: str) -> None:
    """Raise ArmError 400 unless it is the id of an online deployment, which may yet be made."""
    try:
        address = parse_path(arm_id)
        found = f"{address.provider}/{address.resource_type}" if address.is_resource else ""
    except (ArmError, KeyError):
        found = ""
    if found.casefold() != ONLINE_DEPLOYMENTS.casefold():
        raise ArmError(
            "UnsupportedTarget",
            f"targetResourceUri is {arm_id!r}: it must be the id of an online deployment, "
            "/subscriptions/.../onlineEndpoints/<endpoint>/deployments/<deployment>.",
            target="targetResourceUri",
        )


def _check_profiles(profiles: list[Json]) -> None:
    """Raise ArmError 400 for two of one name, and for bounds that contradict each other."""
    names = [profile["name"] for profile in profiles]
    for number, profile in enumerate(profiles):
        place = f"profiles[{number}]"
        if names.count(profile["name"]) > 1:
            message = f"Two profiles are called {profile['name']!r}: give each a name of its own."
            raise ArmError("ValidationError", message, target=f"{place}.name")
        bounds = profile["capacity"]
        least, default, most = (int(bounds[key]) for key in ("minimum", "default", "maximum"))
        if not 1 <= least <= default <= most:
            raise ArmError(
                "ValidationError",
                f"The profile {profile['name']!r} has minimum {least}, default {default} and "
                f"maximum {most}: it must be 1 <= minimum <= default <= maximum.",
                target=f"{place}.capacity",
            )
