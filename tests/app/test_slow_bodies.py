"""Who sends a body slowly does not choose how old the decision about it is."""

import asyncio
import json

MODEL = "/models/m/versions/1"
URI = "azureml://datastores/workspaceblobstore/paths/"


def slow(body, go):
    """The body's bytes, the last of them only when go is set."""
    text = json.dumps(body).encode()

    async def parts():
        yield text[:-1]
        await go.wait()
        yield text[-1:]

    return parts()


async def begun(plane, method, path, body):
    """A request whose body is under way, and what lets it end."""
    go = asyncio.Event()
    headers = {"content-type": "application/json"}
    call = plane.call(method, path, slow(body, go), headers=headers)
    task = asyncio.create_task(call)
    await asyncio.sleep(0.05)
    return task, go


async def test_an_immutable_version_is_not_replaced_by_a_put_that_began_before_it(plane):
    late, go = await begun(plane, "PUT", MODEL, {"properties": {"modelUri": URI + "b"}})
    assert (await plane.put(MODEL, {"modelUri": URI + "a"})).status_code == 201
    go.set()
    answer = await late
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "ImmutablePropertyChanged")
    assert (await plane.call("GET", MODEL)).json()["properties"]["modelUri"] == URI + "a"


async def test_a_key_that_was_replaced_meanwhile_stays_replaced(plane):
    await plane.put("/onlineEndpoints/e", {"authMode": "Key"})
    before = (await plane.call("POST", "/onlineEndpoints/e/listKeys")).json()
    late, go = await begun(
        plane, "POST", "/onlineEndpoints/e/regenerateKeys", {"keyType": "Primary"}
    )
    other = {"keyType": "Secondary"}
    await plane.call("POST", "/onlineEndpoints/e/regenerateKeys", other)
    go.set()
    await late
    after = (await plane.call("POST", "/onlineEndpoints/e/listKeys")).json()
    assert after["primaryKey"] != before["primaryKey"]
    assert after["secondaryKey"] != before["secondaryKey"]
