"""Requests to the regional host, as its clients send them."""

import contextlib
import dataclasses
import json

import httpx2
from starlette.requests import Request

from lazulite.arm.turns import Turns
from lazulite.dataplane.services import Services
from lazulite.identity.authorize import Guard

UNSET = object()


async def ask(plane, method, where, body=None, /, *, token=UNSET, headers=None, **query):
    """One request of the administrator, or of whose token is given; None: without one."""
    token = plane.bearer if token is UNSET else token
    sent = {"authorization": f"Bearer {token}"} if token else {}
    content = {"content": body} if isinstance(body, bytes | str) else {"json": body}
    content = {} if body is None else content
    return await plane.client.request(
        method, where, params=query or None, headers={**sent, **(headers or {})}, **content
    )


async def token_for(plane, resource):
    """The administrator's token for another audience."""
    folder = plane.base.settings.data_dir
    found = json.loads((folder / "credentials.json").read_text())
    form = {"grant_type": "client_credentials", "resource": resource}
    form |= {"client_id": found["client_id"], "client_secret": found["client_secret"]}
    answer = await plane.client.post(f"/{found['tenant_id']}/oauth2/token", data=form)
    return answer.json()["access_token"]


class Demoted(Guard):
    """A guard that takes every caller to have one role and no other, where they had theirs."""

    def __init__(self, guard, role):
        vars(self).update(vars(guard))
        self.role = role

    async def authenticate(self, headers, audience):
        caller = await super().authenticate(headers, audience)
        given = (dataclasses.replace(one, role_id=self.role.id) for one in caller.assignments)
        return dataclasses.replace(caller, assignments=tuple(given))


@contextlib.asynccontextmanager
async def in_role(plane, role):
    """The plane with its services only, where everybody has that role."""
    known = plane.server.app.services
    services = Services(known.services, plane.base.resources, Demoted(known.guard, role), Turns(0))
    async with only(services, plane) as client:
        yield dataclasses.replace(plane, client=client)


@contextlib.asynccontextmanager
async def only(services, plane):
    """The plane with nothing but these services to ask."""

    async def app(scope, receive, send):
        response = await services.handle(Request(scope, receive))
        await response(scope, receive, send)

    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="https://localhost:8443") as client:
        yield client
