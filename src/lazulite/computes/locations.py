"""Usages, quotas and sizes of a location: every location is this one machine.

Source: spec/REST.md 6 and 6.1; models UsageName, Usage, VirtualMachineSize, ResourceQuota,
UpdateWorkspaceQuotas, WorkspaceSku.
"""

from __future__ import annotations

import dataclasses

from lazulite.arm.kind import said
from lazulite.arm.reports import Asking, Perform, Report
from lazulite.computes.capacity import SIZES, Machine, Size, node_of
from lazulite.core.errors import ArmError
from lazulite.core.ids import COMPUTES, ML
from lazulite.store.resources import Json, Resource, Resources

CORES, MEMORY = "totalDedicatedCores", "totalMemoryGB"
WORDS = {CORES: "Total Cluster Dedicated Regional vCPUs", MEMORY: "Total Memory (GiB)"}


@dataclasses.dataclass(frozen=True)
class Locations:
    """What a location answers."""

    resources: Resources
    machine: Machine

    def reports(self) -> tuple[Report, ...]:
        """Below a subscription."""
        return (
            self._report("usages", "locations/usages/read", self.usages),
            self._report("vmSizes", "locations/vmsizes/read", self.sizes),
            self._report("quotas", "locations/quotas/read", self.quotas),
            dataclasses.replace(
                self._report("updateQuotas", "locations/updateQuotas/action", self.update_quotas),
                method="POST",
            ),
            Report(
                path=("workspaces", "skus"),
                permission="workspaces/read",
                perform=self.skus,
                until="2021-09-30",
            ),
        )

    async def usages(self, asking: Asking) -> Json:
        """How much of the machine nodes hold now. More than there is can be held, none is kept."""
        nodes = await self._nodes(asking.subscription)
        used = {CORES: sum(n.cores for n in nodes), MEMORY: sum(n.memory_gb for n in nodes)}
        return {
            "value": [
                {
                    **self._entry(asking, name, "usages"),
                    "currentValue": round(used[name]),
                    "limit": self._limits()[name],
                }
                for name in (CORES, MEMORY)
            ],
            "nextLink": None,
        }

    async def quotas(self, asking: Asking) -> Json:
        """The machine: workspaces have no quotas of their own."""
        return {
            "value": [
                {**self._entry(asking, name, "quotas"), "limit": self._limits()[name]}
                for name in (CORES, MEMORY)
            ],
            "nextLink": None,
        }

    async def update_quotas(self, asking: Asking) -> Json:
        """Change nothing, and say so of each quota."""
        asked = asking.body.get("value")
        if not isinstance(asked, list) or not all(isinstance(item, dict) for item in asked):
            raise ArmError("ValidationError", "value is not a list of quotas.", target="value")
        value = [
            {
                "id": said(item, "id"),
                "type": said(item, "type"),
                "limit": self.machine.cores,
                "unit": "Count",
                "status": "OperationNotEnabledForRegion",
            }
            for item in asked
        ]
        return {"value": value, "nextLink": None}

    async def sizes(self, asking: Asking) -> Json:
        """Each size with what a node of it gets here."""
        return {"value": [_shown(size, node_of(size.name, self.machine)) for size in SIZES]}

    async def skus(self, asking: Asking) -> Json:
        """The skus of workspaces; they differ in nothing here."""
        return {
            "value": [
                {
                    "resourceType": "workspaces",
                    "name": name,
                    "tier": name,
                    "locations": [],
                    "locationInfo": [],
                    "capabilities": [],
                    "restrictions": [],
                }
                for name in ("Basic", "Enterprise")
            ],
            "nextLink": None,
        }

    def _limits(self) -> dict[str, int]:
        return {CORES: self.machine.cores, MEMORY: int(self.machine.memory_gb)}

    def _entry(self, asking: Asking, name: str, what: str) -> Json:
        place = f"{asking.subscription}/providers/{ML}/locations/{asking.names[0]}"
        return {
            "id": f"{place}/{what}/{name}",
            "type": f"{ML}/{name}/{what}",
            "amlWorkspaceLocation": asking.names[0],
            "unit": "Count",
            "name": {"value": name, "localizedValue": WORDS[name]},
        }

    async def _nodes(self, subscription: str) -> list[Machine]:
        computes = await self.resources.of_type(COMPUTES, under=subscription)
        return [
            node_of(_vm_size(compute), self.machine)
            for compute in computes
            for _ in compute.observed.get("nodes", ())
        ]

    def _report(self, name: str, permission: str, perform: Perform) -> Report:
        return Report(path=("locations", "*", name), permission=permission, perform=perform)


def _vm_size(compute: Resource) -> str:
    inner: Json = compute.properties.get("properties") or {}
    return str(inner.get("vmSize") or "")


def _shown(size: Size, node: Machine) -> Json:
    return {
        "name": size.name,
        "family": size.family,
        "vCPUs": node.cores,
        "gpus": 0,
        "osVhdSizeMB": 0,
        "maxResourceVolumeMB": 0,
        "memoryGB": node.memory_gb,
        "lowPriorityCapable": True,
        "premiumIO": False,
        "supportedComputeTypes": ["AmlCompute", "ComputeInstance"],
    }
