"""What is written in one api-version reads correctly in every other one, for every kind."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lazulite.app.kinds import all_kinds
from lazulite.arm.proposals import propose, validated
from lazulite.arm.requests import ArmRequest
from lazulite.core.errors import ArmError
from lazulite.core.ids import Address
from lazulite.store.resources import Resource
from tests.arm.generated import properties_of

VERSIONS = (
    "2019-11-01",
    "2020-09-01-preview",
    "2021-03-01-preview",
    "2021-10-01",
    "2022-02-01-preview",
    "2022-05-01",
    "2022-10-01",
    "2023-04-01-preview",
    "2023-08-01-preview",
    "2023-10-01",
    "2024-10-01-preview",
)


class Unused:
    """Stands for every part that kinds are built from: views of versions need none."""

    def __getattr__(self, name):
        return self

    def __call__(self, *given):
        return self


KINDS = [kind for kind in all_kinds(Unused()) if "PUT" in kind.verbs and kind.shape is None]


def versions_of(kind):
    return [version for version in VERSIONS if kind.since <= version[:10] <= kind.until]


def pairs(kind):
    known = versions_of(kind)
    return [(first, second) for first in known for second in known]


def put(kind, properties, version, existing=None):
    """The internal form after a PUT of what a version says."""
    names = tuple("names" for _ in kind.resource_type.split("/"))
    address = Address(
        kind.provider, tuple(kind.resource_type.split("/")), names, "/subscriptions/s"
    )
    request = ArmRequest(http=None, address=address, version=version, query={})
    body = {"location": "local", "properties": properties}
    return propose(kind, request, body, existing, "somebody").properties


def row(properties):
    columns = dict.fromkeys(Resource._fields)
    return Resource(**{**columns, "properties": properties, "envelope": {"location": "local"}})


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.called or kind.resource_type)
@settings(max_examples=40)
@given(data=st.data())
def test_no_version_loses_what_another_one_wrote(kind, data):
    try:
        internal = validated(kind, data.draw(properties_of(kind.properties)))
    except ArmError:
        assume(False)
    for first, second in pairs(kind):
        said = kind.wire.write(internal, first)
        written = put(kind, said, first)
        assert kind.wire.write(written, first) == said, (first, "reads what it wrote")
        seen = kind.wire.write(written, second)
        again = put(kind, seen, second, row(written))
        assert again == written, (first, second, "writes back what it read")
