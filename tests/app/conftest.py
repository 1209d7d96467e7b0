"""A control plane in this process: no front door, no socket, no reconcile loop."""

import asyncio
import contextlib
import dataclasses
import json
import shutil
import uuid

import httpx2
import pytest

from lazulite.app.foundation import lay_foundation
from lazulite.app.layout import Layout
from lazulite.app.server import compose
from lazulite.core.clock import utc_now
from lazulite.core.settings import read_settings
from lazulite.operations.reconciler import Step, step
from lazulite.serving.front_door import Addresses
from lazulite.store.database import close_database


@dataclasses.dataclass
class Plane:
    """The app, and what a test asks of it."""

    base: object
    server: object
    client: httpx2.AsyncClient
    bearer: str
    credentials: dict

    @property
    def workspace(self):
        return self.server.workspace

    async def call(self, method, path, body=None, *, api="2021-10-01", headers=None, **query):
        """An authorised ARM call below the workspace, or of a whole path."""
        whole = path.lower().startswith(("/subscriptions", "/tenants", "/providers"))
        path = path if whole else self.workspace + path
        sent = {"authorization": f"Bearer {self.bearer}", **(headers or {})}
        params = {**({"api-version": api} if api else {}), **query}
        content = {"json": body} if isinstance(body, dict) else {"content": body}
        return await self.client.request(method, path, params=params, headers=sent, **content)

    async def graph(self, method, path, body=None, *, bearer=None, **query):
        """A call of Graph, as the administrator unless a token is given."""
        token = bearer or await self.token(self.credentials, "https://graph.microsoft.com")
        sent = {"authorization": f"Bearer {token}"}
        return await self.client.request(
            method, f"/graph/v1.0{path}", json=body, headers=sent, params=query
        )

    async def token(self, client, resource="https://management.azure.com"):
        """An access token for a client's id and secret."""
        form = {"grant_type": "client_credentials", "scope": f"{resource}/.default", **client}
        answer = await self.client.post("/common/oauth2/v2.0/token", data=form)
        return answer.json()["access_token"]

    async def colleague(self, name="colleague"):
        """A new service principal without roles: its object id, and its id and secret."""
        app = (await self.graph("POST", "/applications", {"displayName": name})).json()
        made = await self.graph("POST", "/servicePrincipals", {"appId": app["appId"]})
        secret = await self.graph("POST", f"/applications/{app['id']}/addPassword", {})
        client = {"client_id": app["appId"], "client_secret": secret.json()["secretText"]}
        return made.json()["id"], client

    async def assign(self, object_id, role, scope, name=None):
        """Give a built-in role over REST; the answer."""
        path = f"{scope.rstrip('/')}/providers/Microsoft.Authorization/roleAssignments"
        properties = {"roleDefinitionId": role.id, "principalId": object_id}
        body = {"properties": properties}
        return await self.call("PUT", f"{path}/{name or uuid.uuid4()}", body, api="2022-04-01")

    async def put(self, path, properties, **extra):
        body = {"location": "local", "properties": properties, **extra}
        return await self.call("PUT", path, body)

    async def settle(self):
        """Let every reconcile step that is due run."""
        await self.settle_kinds("")

    async def settle_deployments(self):
        """Only those of deployments: the front door, which endpoints need, is not there."""
        await self.settle_kinds("deployments")

    async def settle_kinds(self, ending):
        """Let the steps that are due run, of the types that end so."""
        known = self.server.registry.reconcilers()
        idle = {name: _idle for name in known if not name.endswith(ending)}
        while await step(self.base.engine, {**known, **idle}, utc_now()):
            pass


async def _idle(resource):
    return Step(observed=resource.observed, converged=True)


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    """A data folder as the first start leaves it: every plane begins with a copy of it."""
    folder = tmp_path_factory.mktemp("first")

    async def start():
        async with in_process(folder):
            pass

    asyncio.run(start())
    return folder / "data"


@pytest.fixture
async def plane(tmp_path, keys):
    async with in_process(tmp_path, keys) as plane:
        yield plane


@contextlib.asynccontextmanager
async def in_process(folder, keys=None, **parts):
    """A plane with its data in a folder. parts: of the foundation, instead of the usual ones."""
    settings = read_settings(
        {}, data_dir=folder / "data", port=8443, http_port=8080, isolation="none"
    )
    if keys is not None:
        shutil.copytree(keys, settings.data_dir, symlinks=True)
    layout = Layout(settings.data_dir, folder / "run")
    layout.make()
    base = await lay_foundation(settings, layout, {"PATH": "/usr/bin:/bin"})
    base = dataclasses.replace(base, **parts)
    addresses = Addresses(https=("127.0.0.1", 8443), http=("127.0.0.1", 8080))
    server = await compose(base, addresses, {"PATH": "/usr/bin:/bin", "HOME": str(folder)})
    transport = httpx2.ASGITransport(app=server.app)
    async with httpx2.AsyncClient(transport=transport, base_url="https://localhost:8443") as client:
        found = json.loads((settings.data_dir / "credentials.json").read_text())
        admin = {name: found[name] for name in ("client_id", "client_secret")}
        plane = Plane(base, server, client, "", admin)
        plane.bearer = await plane.token(admin)
        await plane.settle_kinds("/workspaces")
        yield plane
    await base.front_door.stop()  # a new key starts it
    await base.reach.close()
    await server.delivery.close()
    await server.store.close()
    server.telemetry.close()
    await close_database(base.engine)
