"""The whole document of one api-version."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Iterator, Sequence

import lazulite
from lazulite.arm.authorization import Authorization
from lazulite.arm.kind import Registry
from lazulite.arm.reports import Report
from lazulite.arm.watching import BY_SERVICE, COMPUTE_WATCHING, WORKSPACE_WATCHING
from lazulite.core.ids import ML
from lazulite.dataplane.services import Services
from lazulite.graph.service import Operation as GraphOperation
from lazulite.openapi import errors, graph, kinds, plain, roles, security, services
from lazulite.openapi.naming import SUBSCRIPTION
from lazulite.openapi.operations import Answer, Json, Operation, json_body, paths
from lazulite.openapi.parameters import API_VERSION, LASTING, components, headers
from lazulite.openapi.schemas import Schemas

NEWEST_STABLE = "2023-10-01"
ABOUT = """\
An open, self-hosted Azure Machine Learning. Names of properties and values of enumerations are \
read in any case, unknown properties are ignored, numbers may be strings.

Below /mferp/managementfrontend and /rp/workspaces every path of ARM answers, too. Blobs are below \
/{account}/{container}/{blob} and speak the protocol of Azure Blob Storage, whose own description \
holds, so they are not repeated here.
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tables:
    """Where a server looks up who answers."""

    registry: Registry
    roles: Authorization
    services: Services
    graph: Sequence[GraphOperation]


class Document:
    """What a server answers, read from its tables."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.written = functools.lru_cache(maxsize=16)(self._written)
        """The document of an api-version in JSON, made once."""

    def of(self, version: str) -> Json:
        """The document of an api-version."""
        schemas = Schemas()
        described = paths(self._operations(version, schemas))
        return {
            "openapi": "3.1.0",
            "info": {"title": "Lazulite", "version": version, "description": ABOUT},
            "servers": [{"url": "/", "description": f"Lazulite {lazulite.__version__}"}],
            "paths": described,
            "components": {
                "schemas": {**errors.schemas(), **schemas.found},
                "responses": errors.responses(),
                "parameters": components(version, described),
                "headers": headers(),
                "securitySchemes": security.schemes(),
            },
        }

    def _written(self, version: str) -> bytes:
        return json.dumps(self.of(version), separators=(",", ":")).encode()

    def _operations(self, version: str, schemas: Schemas) -> Iterator[Operation]:
        for kind in self._tables.registry.kinds:
            if kind.since <= version[:10] <= kind.until:
                yield from kinds.operations_of(kind, version, schemas)
        for report in self._tables.registry.reports:
            if version[:10] <= report.until:
                yield _report(report)
        yield from _monitors()
        yield from roles.operations(self._tables.roles, schemas)
        for service, route in self._tables.services.routes():
            yield from services.operations_of(service, route, schemas)
        yield from map(graph.operation_of, self._tables.graph)
        yield from plain.operations(schemas)


def _report(report: Report) -> Operation:
    """A document below a provider that is no resource."""
    *above, last = report.path
    noun = above[0] if above else report.provider.partition(".")[2]
    return Operation(
        id=f"{noun.capitalize()}_{f'{above[-1]}Item' if last == '*' else last}",
        method=report.method,
        path=f"{SUBSCRIPTION}/providers/{report.provider}/{report.template}",
        tag=noun.capitalize(),
        summary=f"Needs {report.action}.",
        parameters=(API_VERSION,),
        body=json_body({"type": "object"}, required=False) if report.method == "POST" else None,
        answers={200: OBJECT},
        refusals=kinds.ACTED,
        security=security.BEARER,
    )


def _monitors() -> Iterator[Operation]:
    """Where operations are watched. Source: spec/REST.md 2.4."""
    below = f"{SUBSCRIPTION}/providers/{ML}/locations/{{location}}"
    for part in sorted(MONITORS):
        yield Operation(
            id=f"Operations_{part}",
            method="GET",
            path=f"{below}/{part}/{{operationId}}",
            tag="Operations",
            summary="How an operation goes that a write has started, or what it came to.",
            parameters=(API_VERSION,),
            answers={200: OBJECT, 202: OBJECT, 204: Answer()},
            refusals=kinds.READ | {409},
            security=security.BEARER,
        )


OBJECT = Answer(schema={"type": "object"}, headers=LASTING)
MONITORS = {
    name
    for watching in (BY_SERVICE, COMPUTE_WATCHING, WORKSPACE_WATCHING)
    for name in (watching.status, watching.results)
}
