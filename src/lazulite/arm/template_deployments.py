"""Microsoft.Resources/deployments: a template's resources are PUT, one after the other.

The answer comes when they are there, or one has failed; what was there before it stays, as in
Azure. Nothing is kept of a deployment itself. Each resource asks for the caller's rights to it.
Source: azure-ai-ml, workspaces.begin_create.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import re
import time
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from lazulite.arm.errors import not_found
from lazulite.arm.gate import Gate
from lazulite.arm.requests import ArmRequest
from lazulite.arm.templates import Wanted, resources_of
from lazulite.arm.watching import ENDED
from lazulite.core.errors import ArmError
from lazulite.core.ids import RESOURCES
from lazulite.store.resources import Json

TYPE = f"{RESOURCES}/deployments"
PATH = re.compile(
    r"(?P<group>/subscriptions/[^/]+/resourceGroups/[^/]+)(/providers/Microsoft\.Resources)?"
    r"/deployments/(?P<name>[-\w.()]{1,64})(?P<operations>/operations)?/?",
    re.IGNORECASE,
)
PATIENCE_S = 240
LOOK_S = 0.05
"""Until the first look at a resource; each later one comes after twice as long."""
LONGEST_LOOK_S = 1.0


@dataclasses.dataclass(frozen=True)
class TemplateDeployments:
    """Answers for deployments of resource groups."""

    gate: Gate
    answer: Callable[[Request], Awaitable[Response]]
    """Answers any request to ARM."""

    def owns(self, path: str) -> bool:
        """Whether a path is that of a deployment or its operations."""
        return PATH.fullmatch(path) is not None

    async def handle(self, http: Request) -> Response:
        """Deploy, or list the operations, of which none is kept. Raises ArmError."""
        path = http.scope["path"]
        found = PATH.fullmatch(path)
        if found is None:
            raise not_found(TYPE, path)
        verb = "write" if http.method == "PUT" else "read"
        await self.gate.require(http, f"{TYPE}/{verb}", found["group"])
        if found["operations"] and http.method == "GET":
            return JSONResponse({"value": []})
        if http.method != "PUT":
            raise not_found(TYPE, path)
        return await self._deploy(http, found["group"], found["name"])

    async def _deploy(self, http: Request, group: str, name: str) -> Response:
        begun = time.monotonic()
        told = await self._properties(http)
        scope = await self._asked(http, "GET", group, "2021-04-01")
        subscription = group.rpartition("/resource")[0]
        owner = await self._asked(http, "GET", subscription, "2022-12-01")
        wanted = resources_of(told["template"], told.get("parameters") or {}, owner, scope)
        made = [await self._made(http, scope["id"], each) for each in wanted]
        properties = {
            "provisioningState": "Succeeded",
            "mode": "Incremental",
            "duration": f"PT{time.monotonic() - begun:.3f}S",
            "outputs": {},
            "outputResources": [{"id": each} for each in made],
        }
        arm_id = f"{scope['id']}/providers/{TYPE}/{name}"
        body = {"id": arm_id, "name": name, "type": TYPE, "properties": properties}
        return JSONResponse(body, 201)

    async def _properties(self, http: Request) -> Json:
        body = await ArmRequest.of(http).body()
        told: Json = body.get("properties") or {}
        if not isinstance(told, dict):
            message = f"properties must be an object, not {str(told)[:200]!r}."
            raise ArmError("InvalidRequestContent", message, target="properties")
        if str(told.get("mode", "")).lower() != "incremental":
            message = f"mode is {told.get('mode')!r}: only Incremental deploys here."
            raise ArmError("NotImplemented", message, 501, target="mode")
        if not isinstance(told.get("template"), dict):
            message = "A deployment needs its template in the body; links are not followed."
            raise ArmError("InvalidTemplate", message, target="template")
        return told

    async def _made(self, http: Request, group: str, wanted: Wanted) -> str:
        """PUT a resource, and wait for it; its id."""
        arm_id = f"{group}/providers/{wanted.path}"
        await self._asked(http, "PUT", arm_id, wanted.version, wanted.body)
        end, pause = time.monotonic() + PATIENCE_S, LOOK_S
        while (row := await self.gate.resources.find(arm_id)) is not None:
            if row.provisioning_state in ENDED:
                break
            if time.monotonic() > end:
                message = f"{arm_id!r} was not there after {PATIENCE_S} s; it goes on."
                raise ArmError("DeploymentFailed", message, 409)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_LOOK_S)
        if row is not None and row.error is not None:
            raise _failed(arm_id, row.error)
        return arm_id

    async def _asked(
        self, http: Request, method: str, path: str, version: str, body: Json | None = None
    ) -> Json:
        """What ARM answers to the caller; raises ArmError if it refuses."""
        content = b"" if body is None else json.dumps(body).encode()
        try:
            answer = await self.answer(_inside(http, method, path, version, content))
        except ArmError as error:
            raise _failed(path, error.body) from error
        found: Json = json.loads(bytes(answer.body) or b"{}")
        return found


def _inside(http: Request, method: str, path: str, version: str, content: bytes) -> Request:
    """A request of the same caller."""
    kept = {b"authorization", b"host", b"x-forwarded-proto", b"x-forwarded-host"}
    headers = [(name, value) for name, value in http.scope["headers"] if name in kept]
    scope = {
        **http.scope,
        "method": method,
        "path": path,
        "raw_path": quote(path).encode(),
        "query_string": f"api-version={quote(version)}".encode(),
        "headers": [*headers, (b"content-type", b"application/json")],
    }

    async def receive() -> Json:
        return {"type": "http.request", "body": content, "more_body": False}

    return Request(scope, receive)


def _failed(arm_id: str, error: Json) -> ArmError:
    """The whole has failed, and why."""
    why = str(error.get("message") or "")
    detail = ArmError(str(error.get("code") or "Unknown"), why, target=arm_id)
    message = f"The deployment failed at {arm_id!r}: {why}"
    return ArmError("DeploymentFailed", message, 409, target=arm_id, details=(detail,))
