"""Online endpoints that take access tokens: who may score, by roles."""

import dataclasses
import uuid

from lazulite.identity.roles import DATA_SCIENTIST, READER
from tests.live import wait_for

ECHO = "def init():\n    pass\n\ndef run(data):\n    return 'open'\n"
ML = "https://ml.azure.com"


class Recorder:
    """Stands for the front door, and keeps what it was told last."""

    async def apply(self, endpoints, trusted=None):
        self.endpoints, self.trusted = {each.name: each for each in endpoints}, trusted


def recording(plane):
    return dataclasses.replace(plane.server.publisher, front_door=Recorder())


async def test_those_with_the_permission_are_admitted_where_they_have_it(plane):
    publisher = recording(plane)
    await plane.put("/onlineEndpoints/open", {"authMode": "AADToken"})
    await plane.put("/onlineEndpoints/other", {"authMode": "AADToken"})
    await plane.put("/onlineEndpoints/keyed", {"authMode": "Key"})
    reader, _ = await plane.colleague("reader")
    scientist, _ = await plane.colleague("scientist")
    await plane.assign(reader, READER, plane.workspace)
    name = str(uuid.uuid4())
    scope = f"{plane.workspace}/onlineEndpoints/open"
    assert (await plane.assign(scientist, DATA_SCIENTIST, scope, name)).status_code == 201

    await publisher.publish()

    admitted = {name: each.callers for name, each in publisher.front_door.endpoints.items()}
    assert scientist in admitted["open"]
    assert scientist not in admitted["other"]
    assert len(admitted["other"]) == 1  # the administrator
    assert reader not in admitted["open"]
    assert admitted["keyed"] == ()
    holders = [holder.partition("/")[0] for holder in publisher.front_door.trusted.holders]
    assert {reader, scientist} <= set(holders)

    path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"
    assert (await plane.call("DELETE", path, api="2022-04-01")).status_code == 200
    await publisher.publish()
    assert scientist not in publisher.front_door.endpoints["open"].callers


async def test_the_directory_is_not_asked_for_endpoints_with_keys(plane):
    publisher = recording(plane)
    await plane.put("/onlineEndpoints/keyed", {"authMode": "Key"})

    await publisher.publish()

    assert publisher.front_door.trusted is None


def test_a_colleague_scores_once_they_may_and_no_longer(server):
    server.deploy("open", ECHO)
    server.put("/onlineEndpoints/open", {"authMode": "AADToken", "traffic": {"blue": 100}})
    server.settled("/onlineEndpoints/open")
    colleague, sign_in = new_colleague(server)

    def status(token):
        return server.score("open", authorization=f"Bearer {token}").status_code

    assert status(server.token(ML)) == 200
    assert status(server.token()) == 401
    mine = sign_in()
    wait_for(lambda: status(mine) == 403)  # a new principal is known within a second
    scope = f"{server.workspace}/onlineEndpoints/open"
    path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
    properties = {"roleDefinitionId": DATA_SCIENTIST.id, "principalId": colleague}
    body = {"properties": properties}
    assert server.call("PUT", path, body, api="2022-04-01").status_code == 201
    wait_for(lambda: status(mine) == 200)
    assert server.call("DELETE", path, api="2022-04-01").status_code == 200
    wait_for(lambda: status(mine) == 403)


def new_colleague(server):
    """A principal without roles: its object id, and what signs it in."""

    def graph(path, body):
        token = server.token("https://graph.microsoft.com")
        sent = {"authorization": f"Bearer {token}"}
        return server.http.post(f"{server.base}/graph/v1.0{path}", json=body, headers=sent).json()

    app = graph("/applications", {"displayName": "colleague"})
    made = graph("/servicePrincipals", {"appId": app["appId"]})
    secret = graph(f"/applications/{app['id']}/addPassword", {})["secretText"]

    def sign_in():
        form = {"grant_type": "client_credentials", "resource": ML}
        form |= {"client_id": app["appId"], "client_secret": secret}
        url = f"{server.base}/common/oauth2/token"
        return server.http.post(url, data=form).json()["access_token"]

    return made["id"], sign_in
