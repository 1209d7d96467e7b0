"""Device codes as an administrator sees and approves them. An addition of this server's own."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from lazulite.core.errors import ArmError
from lazulite.graph.bodies import needed, read_object
from lazulite.graph.errors import NOT_FOUND
from lazulite.graph.service import Operation
from lazulite.graph.views import Json, moment
from lazulite.identity.device_codes import DeviceCode, DeviceCodes
from lazulite.identity.principals import Principals


class DeviceCodeRoutes:
    """Answers below /deviceCodes."""

    def __init__(self, codes: DeviceCodes, principals: Principals) -> None:
        self._codes, self._principals = codes, principals

    def operations(self) -> Iterator[Operation]:
        """All of them."""
        path = "/deviceCodes/{userCode}"
        yield Operation("GET", path, "deviceCodes/read", self._show)
        yield Operation("POST", f"{path}/approve", "deviceCodes/write", self._approve)

    async def _show(self, http: Request) -> Response:
        return JSONResponse(_view(self._found(http)))

    async def _approve(self, http: Request) -> Response:
        """Let the device sign in as the principal of appId. Once only."""
        found, body = self._found(http), await read_object(http)
        app_id = needed(body, "appId").lower()
        principal = await self._principals.find(app_id)
        if principal is None:
            raise ArmError("BadArgument", f"There is no service principal with appId {app_id!r}.")
        if found.approved is not None:
            raise ArmError("Conflict", "The device code is approved already.", 409)
        found.approved = principal.client_id
        return JSONResponse(_view(found))

    def _found(self, http: Request) -> DeviceCode:
        found = self._codes.find(http.path_params["userCode"])
        if found is None:
            message = "There is no such device code, or no more: they last 15 minutes."
            raise ArmError(NOT_FOUND, message, 404)
        return found


def _view(found: DeviceCode) -> Json:
    return {
        "userCode": found.user_code,
        "client": found.client,
        "address": found.address,
        "createdDateTime": moment(found.began_at),
        "expirationDateTime": moment(found.ends_at),
        "appId": found.approved,
    }
