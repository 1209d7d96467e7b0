"""Makes the front door serve what the resource table and the directory say."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence

from lazulite.identity.access import Access, Principal
from lazulite.identity.tokens import Tokens
from lazulite.serving.access_tokens import SCORE, believed
from lazulite.serving.front_door import Addresses, FrontDoor
from lazulite.serving.published import published
from lazulite.serving.routing import Endpoint
from lazulite.store.resources import Resources


@dataclasses.dataclass(frozen=True, kw_only=True)
class Publisher:
    """Publishes all endpoints at once.

    Called after each change and once a second: so roles and secrets that were given or taken back
    count within a second for endpoints that take access tokens.
    """

    front_door: FrontDoor
    resources: Resources
    tokens: Tokens
    access: Access
    turn: asyncio.Lock = dataclasses.field(default_factory=asyncio.Lock)

    async def publish(self) -> Addresses:
        """Let the front door serve what is so now. Raises FrontDoorError; what was before stays.

        One at a time: what was read earlier must not be applied later.
        """
        async with self.turn:
            endpoints = await published(self.resources)
            if all(endpoint.auth_mode != "aad_token" for endpoint in endpoints):
                return await self.front_door.apply(endpoints)
            people = await self.access.everyone()
            admitting = [admitted(endpoint, people) for endpoint in endpoints]
            return await self.front_door.apply(admitting, believed(self.tokens, people))


def admitted(endpoint: Endpoint, people: Sequence[Principal]) -> Endpoint:
    """The endpoint with those who may score on it, if it asks for access tokens."""
    if endpoint.auth_mode != "aad_token":
        return endpoint
    callers = sorted(who.object_id for who in people if who.may(SCORE, endpoint.scope))
    return dataclasses.replace(endpoint, callers=tuple(callers))
