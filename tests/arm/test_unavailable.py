"""Features of Azure that are not here say so."""

import pytest

from lazulite.arm.unavailable import UNAVAILABLE, refusal
from lazulite.core.ids import ML, Address


@pytest.mark.parametrize("resource_type", UNAVAILABLE)
@pytest.mark.parametrize("named", [0, 1])
def test_a_known_feature_is_refused_with_what_to_do_instead(resource_type, named):
    types = tuple(resource_type.split("/"))
    address = Address(ML.upper(), types, ("x",) * (len(types) - 1 + named), "/subscriptions/s")
    error = refusal(address)
    assert (error.status, error.code) == (501, "NotImplemented")
    assert resource_type in error.message


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
@pytest.mark.parametrize(
    "path",
    [
        "/FeatureSets",
        "/featuresets/f/versions/1",
        "/outboundRules/r",
        "/codes/c/versions/1/publish",
    ],
)
async def test_every_method_is_answered_alike(plane, path, method):
    answer = await plane.call(method, path, api="2023-10-01")
    assert (answer.status_code, answer.json()["error"]["code"]) == (501, "NotImplemented")


async def test_registries_are_refused_and_what_nobody_knows_is_404(plane):
    scope = plane.workspace.rpartition("/workspaces/")[0]
    assert (await plane.call("GET", f"{scope}/registries/r/models")).status_code == 501
    assert (await plane.call("GET", f"{scope}/registriesX/r")).status_code == 404


async def test_the_table_is_not_for_strangers(plane):
    answer = await plane.client.get(f"{plane.workspace}/featuresets?api-version=2023-10-01")
    assert answer.status_code == 401
