"""Writing rows as their kinds want it: the same for a request to ARM and to another service."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from lazulite.arm.conditions import failed
from lazulite.arm.kind import Kind, Proposal, Registry
from lazulite.arm.proposals import check_name, refuse_changes, validated
from lazulite.core.ids import name_of, parent_of, parse_path
from lazulite.store.resources import Draft, Json, Resource, Resources


@dataclasses.dataclass(frozen=True)
class Writer:
    """Puts and deletes rows. Whether the caller may is for whoever calls this to ask."""

    registry: Registry
    resources: Resources
    wake: Callable[[], None]
    """Called after a write that a reconcile step must follow."""

    def kind(self, full_type: str) -> Kind:
        """The kind of a type with its provider. Raises KeyError if the server has none."""
        provider, _, resource_type = full_type.partition("/")
        found = self.registry.find(provider, resource_type)
        if found is None:
            raise KeyError(full_type)
        return found

    async def propose(
        self, kind: Kind, parent: str, name: str, properties: Json, actor: str
    ) -> Proposal:
        """A proposal to write properties in their internal form. Raises ArmError 400.

        parent: the id of what it is in, which has to be there.
        """
        check_name(kind, name)
        arm_id = f"{parent}/{name_of(kind.resource_type)}/{name}"
        return Proposal(
            id=arm_id,
            properties=validated(kind, properties),
            envelope={},
            secrets={},
            existing=await self.resources.find(arm_id),
            actor=actor,
        )

    async def put(self, kind: Kind, proposal: Proposal, **conditions: Any) -> tuple[Resource, bool]:
        """Check and write; True if it is new. conditions: those of Resources.put.

        The first version of an asset makes the asset. Raises ArmError, 412 for a condition.
        """
        existing = proposal.existing
        ready = await kind.prepare(proposal)
        refuse_changes(kind, ready)
        await self._container(kind, ready)
        draft = Draft(
            resource_type=kind.full_type,
            id=existing.id if existing else ready.id,
            properties=ready.properties,
            envelope=ready.envelope,
            secrets=ready.secrets,
            uid=existing.uid if existing else None,
            under=parent_of(ready.id),
            reconciled=kind.reconcile is not None,
        )
        written = await self.resources.put(draft, ready.actor, **conditions)
        if written is None:
            header = "If-None-Match" if conditions.get("only_new") else "If-Match"
            raise failed(draft.id, header)
        self.wake()
        return written

    async def delete(
        self, kind: Kind, found: Resource, actor: str, *, if_revision: int | None = None
    ) -> Resource:
        """Delete it and what is in it, or mark it for deletion.

        Raises ArmError: if it may not be, and 412 if it is no longer in that revision.
        """
        await kind.may_delete(found)
        types = self.registry.reconcilers().keys()
        marked = await self.resources.delete(
            found.id, actor, reconciled=types, if_revision=if_revision
        )
        if marked is None and if_revision is not None:
            raise failed(found.id, "If-Match")
        self.wake()
        return marked or found

    async def _container(self, kind: Kind, proposal: Proposal) -> None:
        above = parse_path(proposal.id).parent
        owner = self.registry.find(above.provider, above.resource_type)
        if owner is None or not owner.made_by_versions:
            return
        if await self.resources.find(above.id) is not None:
            return
        check_name(owner, above.names[-1])
        taken = {name: proposal.properties[name] for name in owner.inherited}
        draft = Draft(
            resource_type=owner.full_type,
            id=above.id,
            properties=validated(owner, taken),
            under=parent_of(above.id),
            reconciled=False,
        )
        await self.resources.put(draft, proposal.actor, only_new=True)
