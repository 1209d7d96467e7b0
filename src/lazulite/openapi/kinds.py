"""The operations of the kinds: what the dispatch table of ARM answers, said of each type."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from lazulite.arm.kind import Action, Kind
from lazulite.openapi.naming import collections_of, item_of, parameter_of, title_of
from lazulite.openapi.operations import Answer, Json, Operation, json_body, place, query
from lazulite.openapi.parameters import API_VERSION, IF_MATCH, IF_NONE_MATCH, LASTING, LIST, filters
from lazulite.openapi.schemas import Schemas
from lazulite.openapi.security import BEARER
from lazulite.openapi.shapes import Shape, shape_of

READ = frozenset({400, 401, 403, 404, 405, 429})
ACTED = READ | {409, 413, 415, 501}
WRITTEN = ACTED | {412}
VERBS = {
    "GET": ("Get", "Show one."),
    "HEAD": ("Check", "Whether it is there."),
    "PUT": ("CreateOrUpdate", "Create it, or replace what can change."),
    "PATCH": ("Update", "Merge into it: given names replace, null removes, absent ones stay."),
    "DELETE": ("Delete", "Delete it and what is inside. Safe to repeat."),
}

FLAG: Json = {"type": "boolean"}
WAYS: Json = {"enum": ["Delete", "Detach"]}
QUERIES: Mapping[tuple[str, str], tuple[Json, ...]] = {
    ("DELETE", "workspaces/computes"): (
        query("underlyingResourceAction", WAYS, "Detach leaves alone what is attached."),
    ),
    ("PUT", "workspaces/datastores"): (
        query("skipValidation", FLAG, "Keep credentials that do not open the place."),
    ),
}
"""What the query of a write says. Source: spec/REST.md 7.2 and 7.3."""


def operations_of(kind: Kind, version: str, schemas: Schemas) -> Iterator[Operation]:
    """Every operation of a kind: verbs, lists, actions."""
    described = _Described(kind, schemas, shape_of(kind, version, schemas))
    for verb in VERBS:
        if verb in kind.verbs:
            yield described.verb(verb)
    for number, path in enumerate(collections_of(kind)):
        yield described.list(path, "ListBySubscription" if number else "List")
    for name, action in kind.actions.items():
        yield described.action(name, action)


@dataclasses.dataclass(frozen=True)
class _Described:
    kind: Kind
    schemas: Schemas
    shape: Shape

    def verb(self, verb: str) -> Operation:
        """PUT, GET and the like of one resource."""
        name, summary = VERBS[verb]
        writes = verb in {"PUT", "PATCH"}
        return self._operation(
            name,
            verb,
            item_of(self.kind),
            summary=summary,
            parameters=self._parameters(verb),
            body=self._body(verb) if writes else None,
            answers=self._answers(verb),
            refusals=READ if verb in {"GET", "HEAD"} else WRITTEN,
        )

    def list(self, path: str, name: str) -> Operation:
        """A collection."""
        properties = {
            "value": {"type": "array", "items": self.shape.shown},
            "nextLink": {"type": ["string", "null"]},
        }
        listed = {"type": "object", "properties": properties, "required": ["value"]}
        return self._operation(
            name,
            "GET",
            path,
            summary="Show all that the caller may read, in pages.",
            parameters=(*LIST, *filters(self.kind.listing)),
            answers={200: Answer(schema=listed)},
            refusals=READ,
        )

    def action(self, name: str, action: Action) -> Operation:
        """What the kind can do beyond the verbs."""
        answer = Answer(schema={"type": "object"} if action.shows else None, headers=LASTING)
        return self._operation(
            name[0].upper() + name[1:],
            action.method,
            f"{item_of(self.kind)}/{name}",
            summary=(action.perform.__doc__ or name).strip().partition("\n")[0],
            body=self._asked_of(action) if action.method == "POST" else None,
            answers={200: answer, 202: Answer(headers=LASTING), 204: Answer()},
            refusals=ACTED,
        )

    def _asked_of(self, action: Action) -> Json:
        if action.form is None:
            return json_body({"type": "object"}, required=False)
        name = f"{title_of(self.kind)}.{action.form.__name__}"
        asked = self.schemas.add(name, self.schemas.of_model(action.form, name))
        return json_body(asked, required=False)

    def _answers(self, verb: str) -> Mapping[int, Answer]:
        lasts, watching = self.kind.reconcile is not None, self.kind.watching
        headers = LASTING if lasts else ()
        one, accepted = self._one(headers), Answer(headers=headers)
        match verb:
            case "HEAD":
                return {204: Answer()}
            case "DELETE":
                return {(202 if lasts else 200): accepted, 204: Answer()}
            case "PUT":
                more = {202: accepted} if lasts and watching.accepts else {}
                return {200: one, self.kind.created: one, **more}
            case "PATCH" if lasts:
                return {200: one, watching.patched: one}
            case _:
                return {200: one}

    def _one(self, headers: tuple[str, ...]) -> Answer:
        return Answer(schema=self.shape.shown, headers=("ETag", *headers))

    def _parameters(self, verb: str) -> tuple[Json, ...]:
        own = QUERIES.get((verb, self.kind.resource_type), ())
        return (*own, *((IF_MATCH, IF_NONE_MATCH) if verb in {"PUT", "PATCH"} else ()))

    def _body(self, verb: str) -> Json:
        asked = dict(self.shape.asked)
        if verb == "PATCH":
            asked.pop("required")
        return json_body(asked, self.shape.example)

    def _operation(self, name: str, method: str, path: str, **rest: Any) -> Operation:
        own = place(parameter_of(self.kind), f"^(?:{self.kind.name.pattern})$")
        named = (own,) if f"{{{own['name']}}}" in path else ()
        given = rest.pop("parameters", ())
        return Operation(
            id=f"{title_of(self.kind)}_{name}",
            method=method,
            path=path,
            tag=title_of(self.kind),
            parameters=(*named, API_VERSION, *given),
            security=BEARER,
            **rest,
        )
