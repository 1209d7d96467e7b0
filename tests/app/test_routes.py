"""Every route of the control plane: who may come in without a token, and who may not."""

import re

import pytest

from lazulite.app.asgi import PUBLIC


async def test_only_the_listed_routes_answer_without_a_token(plane):
    open_routes = set()
    for route in plane.server.app.routes:
        path = re.sub(r"{\w+}", "x", route.path)
        for method in route.methods - {"HEAD"}:
            answer = await plane.client.request(method, path)
            if not refused(answer):
                open_routes.add(route.path)
    assert open_routes == PUBLIC


def refused(answer):
    if answer.status_code != 401:
        return False
    return isinstance(answer.json()["error"], dict)  # of the token service it is a text


async def test_every_verb_of_every_kind_needs_a_token(plane):
    scope = plane.workspace.partition("/providers/")[0]
    walked = 0
    for kind in plane.server.registry.kinds:
        parts = kind.resource_type.split("/")
        under = (
            "" if kind.provider == "Microsoft.Resources" else f"{scope}/providers/{kind.provider}"
        )
        item = under + "".join(f"/{part}/x" for part in parts)
        paths = [(method, item) for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE")]
        paths.append(("GET", item.rpartition("/")[0]))
        paths += [(action.method, f"{item}/{name}") for name, action in kind.actions.items()]
        for method, path in paths:
            answer = await plane.client.request(method, path, params={"api-version": "2021-10-01"})
            assert answer.status_code == 401, (method, path)
            walked += 1
    assert walked > 100


async def test_operations_need_a_token(plane):
    path = "/subscriptions/x/providers/Microsoft.MachineLearningServices/locations/l/{}/a:1"
    for part in ("mfeOperationsStatus", "mfeOperationResults"):
        answer = await plane.client.get(path.format(part), params={"api-version": "2021-10-01"})
        assert answer.status_code == 401


async def test_blobs_need_a_credential(plane):
    (account,) = [
        item.name
        for item in await plane.base.resources.of_type("Microsoft.Storage/storageAccounts")
    ]
    for path in (f"/{account}/azureml-blobstore/x", f"/{account}.blob.core.local/azureml/x"):
        for method in ("GET", "PUT", "HEAD", "DELETE"):
            assert (await plane.client.request(method, path)).status_code == 401


@pytest.mark.parametrize("path", ["/", "/favicon.ico", "/inference/e/score", "/api/2.0/mlflow"])
async def test_nothing_else_is_there(plane, path):
    answer = await plane.client.get(path)
    assert answer.status_code in {401, 404}
    assert "error" in answer.text or answer.headers.get("x-ms-error-code")


async def test_a_token_for_scoring_opens_no_arm_route(plane):
    answer = await plane.client.get(
        plane.workspace,
        params={"api-version": "2021-10-01"},
        headers={"authorization": "Bearer e30.e30.e30"},
    )
    assert answer.status_code == 401
    assert "authorization_uri" in answer.headers["www-authenticate"]
