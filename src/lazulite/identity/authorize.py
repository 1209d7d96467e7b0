"""The guard of every route: a verified caller, with a role for the action at the scope."""

from __future__ import annotations

from collections.abc import Mapping

from lazulite.core.errors import ArmError
from lazulite.identity.access import Access, Principal
from lazulite.identity.tokens import Audience, TokenError, Tokens


class Guard:
    """Turns the headers of a request into a principal, or into Azure's 401 or 403."""

    def __init__(self, tokens: Tokens, access: Access) -> None:
        self._tokens, self._access = tokens, access

    async def require(
        self, headers: Mapping[str, str], action: str, scope: str, audience: Audience
    ) -> Principal:
        """The caller, who may do the action at the scope. Raises ArmError 401 or 403.

        action: such as "Microsoft.MachineLearningServices/workspaces/read"; scope: the ARM id of
        what is acted on; audience: the kinds of token that the route takes.
        """
        principal = await self.authenticate(headers, audience)
        if not principal.may(action, scope):
            raise _forbidden(principal, action, scope)
        return principal

    async def authenticate(self, headers: Mapping[str, str], audience: Audience) -> Principal:
        """The caller, whatever they may do: for lists that show each caller their own.

        Raises ArmError 401. A removed principal is refused at once, and so are tokens got with a
        secret that is gone.
        """
        token = self._bearer(headers)
        try:
            claims = self._tokens.verify(token, audience)
        except TokenError as error:
            raise self._unauthorized(error.code, error.message) from error
        principal = await self._access.principal(claims.object_id)
        if principal is None or claims.credential not in principal.credentials:
            message = "The access token is invalid: its principal or credential was revoked."
            raise self._unauthorized("InvalidAuthenticationToken", message)
        return principal

    def _bearer(self, headers: Mapping[str, str]) -> str:
        given = [value for name, value in headers.items() if name.lower() == "authorization"]
        if not given:
            message = "Authentication failed. The 'Authorization' header is missing."
            raise self._unauthorized("AuthenticationFailed", message)
        scheme, _, token = given[0].strip().partition(" ")
        if len(given) > 1 or scheme.lower() != "bearer" or not token.strip():
            message = (
                "Authentication failed. The 'Authorization' header must be one 'Bearer <token>'."
            )
            raise self._unauthorized("AuthenticationFailed", message)
        return token.strip()

    def _unauthorized(self, code: str, message: str) -> ArmError:
        realm = f"{self._tokens.origins[0]}/{self._tokens.tenant_id}"
        description = "".join(c for c in message if " " <= c <= "~" and c not in '"\\')
        challenge = (
            f'Bearer authorization_uri="{realm}", error="invalid_token", '
            f'error_description="{description}"'
        )
        return ArmError(code, message, 401, headers={"WWW-Authenticate": challenge})


def _forbidden(principal: Principal, action: str, scope: str) -> ArmError:
    """Azure's wording. Source: spec/REST.md 2.5."""
    message = (
        f"The client '{principal.client_id}' with object id '{principal.object_id}' does not have "
        f"authorization to perform action '{action}' over scope '{scope}' or the scope is invalid. "
        "If access was recently granted, please refresh your credentials."
    )
    return ArmError("AuthorizationFailed", message, 403)
