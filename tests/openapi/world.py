"""A plane to be asked at random: every kind has its example in it, and nothing is ever run."""

import asyncio
import contextlib
import dataclasses
import re

import requests
from anyio.from_thread import start_blocking_portal

from lazulite.core.ids import RESOURCES
from lazulite.openapi.examples import EXAMPLES
from lazulite.openapi.kinds import operations_of
from lazulite.openapi.schemas import Schemas
from tests.app.conftest import in_process

VERSION = "2023-10-01"
PATIENCE_S = 20  # no request waits for anything
ORIGIN = "https://localhost:8443"


@dataclasses.dataclass
class World:
    """The plane in a thread of its own, asked from this one."""

    portal: object
    plane: object
    sent: int = 0

    def send(self, method, path, **request):
        """Ask what requests would ask; no token is added."""
        prepared = requests.Request(method, f"{ORIGIN}{path}", **request).prepare()
        return self.ask(prepared)

    def ask(self, prepared):
        self.sent += 1
        return self.portal.call(self._answer, prepared)

    async def _answer(self, prepared):
        headers, body = [*map(_encoded, prepared.headers.items())], prepared.body
        asking = self.plane.client.request(
            prepared.method, prepared.url, headers=headers, content=body
        )
        return await asyncio.wait_for(asking, PATIENCE_S)

    @property
    def authorized(self):
        return {"authorization": f"Bearer {self.plane.bearer}"}

    @property
    def scope(self):
        """What the first parameters of paths are called here."""
        _, _, subscription, _, group, *_, workspace = self.plane.workspace.split("/")
        return {
            "subscriptionId": subscription,
            "resourceGroupName": group,
            "workspaceName": workspace,
            "location": "local",
            "tenant": "common",
        }

    def kinds(self):
        return [kind for kind in self.plane.server.registry.kinds if kind.provider != RESOURCES]

    def path(self, template, **names):
        """A path of the document, in this workspace; what is not named is the example."""
        known = {**self.scope, "version": "1", **names}
        return re.sub(r"\{(\w+)\}", lambda found: known.get(found[1], "example"), template)

    def described(self, version=VERSION):
        """The document."""
        return self.send("GET", "/openapi.json", params={"api-version": version}).json()

    def puts(self, version=VERSION):
        """Path and body of every example, in their order."""
        found = {kind.shown_type: kind for kind in self.kinds()}
        for name in EXAMPLES:
            if not found[name].since <= version[:10] <= found[name].until:
                continue
            (put,) = [
                each
                for each in operations_of(found[name], version, Schemas())
                if each.method == "PUT"
            ]
            yield self.path(put.path), put.body["content"]["application/json"]["example"]

    def put_examples(self, version=VERSION):
        for path, body in self.puts(version):
            yield self.send(
                "PUT", path, params={"api-version": version}, json=body, headers=self.authorized
            )


def _encoded(header):
    """As requests sends it."""
    return tuple(part if isinstance(part, bytes) else part.encode("latin-1") for part in header)


class ClosedDoor:
    """Stands for the front door, which would start processes."""

    async def apply(self, endpoints, trusted=None):
        return None

    async def stop(self):
        return None


@contextlib.contextmanager
def world_in(folder, keys):
    """A world with all examples, and its front door closed."""
    with start_blocking_portal() as portal:
        running = in_process(folder, keys, front_door=ClosedDoor())
        with portal.wrap_async_context_manager(running) as plane:
            world = World(portal, plane)
            for answer in world.put_examples():
                assert answer.status_code in {200, 201}, answer.text
            yield world
