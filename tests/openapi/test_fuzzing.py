"""Random requests, made from the document: whatever comes, the answer is one that it describes."""

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from lazulite.openapi.plain import FRONT_DOOR
from tests.openapi.world import ORIGIN

CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
ORDER = ("PUT", "PATCH", "POST", "GET", "HEAD", "DELETE")
KEPT = ("workspaceName", "resourceGroupName", "subscriptionId")


VERSIONS = ("2021-03-01-preview", "2021-10-01", "2022-05-01", "2023-10-01")
HEAVY = {"POST /graph/v1.0/tokenSigningKeys"}
"""Each call makes an RSA key, which takes a second."""


@pytest.mark.timeout(300)
def test_a_thousand_requests_find_no_answer_that_is_not_described(world):
    before = world.sent
    refuse_faults(world, VERSIONS[-1], max_examples=3, derandomize=True)
    assert world.sent - before >= 1000


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("version", VERSIONS)
def test_five_thousand_requests_of_a_version_find_none_either(world, version):
    before = world.sent
    refuse_faults(world, version, max_examples=16, print_blob=True)
    assert world.sent - before >= 5000


def refuse_faults(world, version, **chosen):
    faults = []
    for operation in fuzzed(world, version):
        try:
            fuzz(world, operation, settings(**chosen, **SETTINGS))
        except (BaseExceptionGroup, TimeoutError) as fault:
            faults.append(f"{operation.label}: {fault}")
    assert not faults, "\n\n".join(faults)


SETTINGS = {"database": None, "suppress_health_check": list(HealthCheck)}


def fuzzed(world, version):
    """The operations that the control plane answers; those that delete come last."""
    schema = schemathesis.openapi.from_dict(world.described(version))
    found = [each.ok() for each in schema.get_all_operations()]
    mine = [each for each in found if FRONT_DOOR not in each.tags and each.label not in HEAVY]
    return sorted(mine, key=lambda each: ORDER.index(each.method.upper()))


def fuzz(world, operation, chosen):
    @chosen
    @given(case=cases(world, operation))
    def answers_as_described(case):
        asked = case.as_transport_kwargs(base_url=ORIGIN)
        answer = world.ask(authorized(world, requests.Request(**asked).prepare()))
        case.validate_response(answer, checks=CHECKS)

    answers_as_described()


def authorized(world, prepared):
    prepared.headers.update(world.authorized)
    return prepared


def cases(world, operation):
    """In the world's workspace; half of them ask for what is there."""
    named = [each.name for each in operation.path_parameters]
    scope = {name: world.scope[name] for name in named if name in world.scope}
    if operation.method.upper() == "DELETE" and named and named[-1] in KEPT:
        scope.pop(named[-1])
    there = dict.fromkeys(named, "example") | ({"version": "1"} if "version" in named else {})
    return st.one_of(
        operation.as_strategy(mode, path_parameters=where or None)
        for where in (scope, there | scope)
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    )
