"""The endpoint files of 2021-05: an endpoint of either type with its deployments in one file."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

from lazulite.cli.documents import Document, Key
from lazulite.cli.endpoint_types import EndpointType
from lazulite.cli.shapes import checked


@dataclasses.dataclass(frozen=True)
class EndpointFile:
    """An endpoint in its file's words, and its deployments in those of version 2."""

    endpoint: Document
    deployments: Mapping[str, Document]
    is_whole: bool
    """Whether the file says which deployments there are: one that it leaves out is to go."""


def read_endpoint(found: Document, kind: EndpointType) -> EndpointFile:
    """The checked parts of a document. Raises CommandError at its first fault."""
    form = checked(found, kind.shape)
    parts = [_named(read_deployment(part, kind)) for part in _parts(form)]
    names = [part.values["name"].lower() for part in parts]
    for name in names:
        if names.count(name) > 1:
            raise form.error(("deployments",), f"two deployments have the name {name!r}")
    said = endpoint_fields(form.values, kind)
    by_name = {part.values["name"]: part for part in parts}
    return EndpointFile(form.changed(said), by_name, form.values.get("deployments") is not None)


def read_deployment(found: Document, kind: EndpointType) -> Document:
    """A deployment's own file, in the words of version 2."""
    form = checked(found, kind.deployment_shape)
    return form.changed(kind.modern_deployment(form.values))


def check_traffic(found: Document, kind: EndpointType, known: Collection[str] | None) -> None:
    """Refuse shares that the type does not allow, or of deployments that there will not be.

    found: the endpoint; known: names of deployments, None if they are not told.
    Source: seeds 001 and 002, key `traffic`.
    """
    shares = found.values.get("traffic") or {}
    names = None if known is None else {name.lower() for name in known}
    for name, share in shares.items():
        if share not in kind.shares:
            rule = "0 or 100" if len(kind.shares) == 2 else "0 to 100"
            raise found.error(("traffic", name), f"{share} is not {rule} percent")
        if share and names is not None and name.lower() not in names:
            there = ", ".join(sorted(names)) or "none"
            raise found.error(
                ("traffic", name), f"there is no such deployment; there will be: {there}"
            )
    if sum(shares.values()) not in {0, 100}:
        said = f"the shares add up to {sum(shares.values())}; they must add up to 100, or to 0"
        raise found.error(("traffic",), said)


def shown(
    endpoint: Mapping[str, Any], made: list[dict[str, Any]], kind: EndpointType
) -> dict[str, Any]:
    """An endpoint and its deployments, given in version 2, as `ml endpoint` prints them."""
    inner = [_stated(kind.old_deployment(each)) for each in made]
    return {**_stated(kind.old(dict(endpoint))), "type": kind.word, "deployments": inner}


def fields_of(values: Mapping[str, Any], kind: EndpointType) -> dict[str, Any]:
    """What a file could say of what is shown: without ids, states and times."""
    made = [
        {name: item for name, item in each.items() if name in kind.deployment_shape}
        for each in values["deployments"]
    ]
    return {**endpoint_fields(values, kind), "deployments": made}


def endpoint_fields(values: Mapping[str, Any], kind: EndpointType) -> dict[str, Any]:
    """The same of the endpoint alone."""
    names = kind.shape.keys() - {"type", "deployments"}
    return {name: item for name, item in values.items() if name in names and item is not None}


def _stated(values: dict[str, Any]) -> dict[str, Any]:
    """With the state also under the name that the documents of 2021-05 have for it."""
    state = values.get("provisioning_state")
    return values if state is None else {**values, "provisioning_status": state}


def _parts(form: Document) -> list[Document]:
    """The deployments, be they a list of mappings with names or a mapping of names."""
    given = form.values.get("deployments") or []
    if not isinstance(given, Mapping | list):
        raise form.error(("deployments",), "a list of deployments is needed")
    steps = list(given) if isinstance(given, Mapping) else list(range(len(given)))
    return [_part(form, ("deployments", step)) for step in steps]


def _part(form: Document, key: Key) -> Document:
    value = form.values["deployments"][key[-1]]
    if not isinstance(value, Mapping):
        raise form.error(key, "a deployment is a mapping of its fields")
    part = form.part(key)
    named = {} if isinstance(key[-1], int) else {"name": key[-1]}
    return part.changed({**named, **part.values})


def _named(found: Document) -> Document:
    if not found.values.get("name"):
        raise found.error((), "a deployment needs a `name`")
    return found
