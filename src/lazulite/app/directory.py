"""Identity as a server has it: who is known, what they may do, and the routes for that."""

from __future__ import annotations

import dataclasses

from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.routing import Route

from lazulite.core.clock import Clock
from lazulite.graph.applications import ApplicationRoutes
from lazulite.graph.device_codes import DeviceCodeRoutes
from lazulite.graph.principals import PrincipalRoutes
from lazulite.graph.service import Operation, graph_routes
from lazulite.graph.signing_keys import SigningKeyRoutes
from lazulite.identity.access import Access
from lazulite.identity.applications import Applications, SecretHasher
from lazulite.identity.assignments import RoleAssignments
from lazulite.identity.authorize import Guard
from lazulite.identity.client_secrets import ClientSecrets
from lazulite.identity.device_codes import DeviceCodes
from lazulite.identity.device_sign_in import DeviceSignIn
from lazulite.identity.oauth import TokenService
from lazulite.identity.principals import Principals
from lazulite.identity.role_definitions import RoleDefinitions
from lazulite.identity.tokens import Tokens


@dataclasses.dataclass(frozen=True, kw_only=True)
class Directory:
    """The parts of identity, which share one cache of what callers may do."""

    tokens: Tokens
    access: Access
    guard: Guard
    applications: Applications
    principals: Principals
    assignments: RoleAssignments
    definitions: RoleDefinitions
    service: TokenService
    hasher: SecretHasher
    codes: DeviceCodes
    clock: Clock

    @classmethod
    def of(
        cls, engine: AsyncEngine, tokens: Tokens, hasher: SecretHasher, clock: Clock
    ) -> Directory:
        """All parts over one database."""
        access = Access(engine, clock)
        applications = Applications(engine, access)
        principals = Principals(engine, access, clock)
        secrets, codes = ClientSecrets(hasher, clock), DeviceCodes(clock)
        devices = DeviceSignIn(codes, applications, principals, hasher, clock, tokens)
        return cls(
            tokens=tokens,
            access=access,
            guard=Guard(tokens, access),
            applications=applications,
            principals=principals,
            assignments=RoleAssignments(engine, access, clock),
            definitions=RoleDefinitions(engine, access),
            service=TokenService(tokens, principals, applications, secrets, clock, devices),
            hasher=hasher,
            codes=codes,
            clock=clock,
        )

    def routes(self) -> list[Route]:
        """Those of the token service, which are public, and those of Graph."""
        return [*self.service.routes(), *graph_routes(self.guard, self.operations())]

    def operations(self) -> list[Operation]:
        """What Graph answers."""
        applications, principals = self.applications, self.principals
        tenant_id = self.tokens.tenant_id
        return [
            *ApplicationRoutes(applications, principals, self.hasher, self.clock).operations(),
            *PrincipalRoutes(applications, principals, tenant_id).operations(),
            *DeviceCodeRoutes(self.codes, principals).operations(),
            *SigningKeyRoutes(self.tokens.keys, self.clock).operations(),
        ]
