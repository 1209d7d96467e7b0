"""The tables of docs/rest.md, read from the kinds and services themselves."""

from lazulite.dataplane.telemetry_logs import TelemetryLogs
from lazulite.app.kinds import all_kinds
from lazulite.app.services import ServiceParts, all_services
from lazulite.arm.wire import Renamed, Reshaped, Respelled, Unknown
from lazulite.dataplane.batch_scoring import BatchScoring

METHODS = ("GET", "HEAD", "PUT", "PATCH", "DELETE")
OLDEST, NEWEST = "2018-11-19", "9999-99-99"


class Absent:
    """Stands for what kinds and services would work with: they are only read."""

    def __getattr__(self, name):
        return self

    def __call__(self, *given):
        return self


def kinds():
    """The kinds of a server."""
    return all_kinds(Absent())


def kinds_table() -> str:
    """Every resource type: which api-versions have it, its methods and its actions."""
    lines = ["| resource type | api-versions | methods | actions |", "|---|---|---|---|"]
    for kind in kinds():
        methods = " ".join(method for method in METHODS if method in kind.verbs)
        actions = ", ".join(f"`{each.method} {name}`" for name, each in kind.actions.items())
        span = versions(kind.since, kind.until)
        lines.append(f"| `{kind.shown_type}` | {span} | {methods} | {actions} |")
    return "\n".join(lines)


def versions_table() -> str:
    """What api-versions say otherwise, row by row."""
    lines = ["| resource type | api-versions | what differs |", "|---|---|---|"]
    for kind in kinds():
        for row in kind.wire.rows:
            if row.until < kind.since or row.since > kind.until or is_internal(kind, row):
                continue
            span = versions(row.since, row.until)
            lines.append(f"| `{kind.called or kind.resource_type}` | {span} | {difference(row)} |")
    return "\n".join(lines)


def services_table() -> str:
    """Every route of the services."""
    lines = ["| method | path | permission |", "|---|---|---|"]
    nothing = Absent()
    scoring = BatchScoring(nothing, nothing, nothing)
    parts = ServiceParts(arm=nothing, scoring=scoring, artifacts=nothing, jobs=nothing, logs=TelemetryLogs(nothing, nothing))
    for service in all_services(parts):
        for route in service.routes:
            path = f"{service.name}/{service.version}/.../{route.path.replace(':path', '')}"
            lines.append(f"| {route.method} | `{path}` | `{route.permission}` |")
    return "\n".join(lines)


def versions(since, until) -> str:
    """The span in words."""
    if since == until:
        return since
    first = "" if since <= OLDEST else f"from {since}"
    last = "" if until == NEWEST else f"to {until}"
    return " ".join(part for part in (first, last) if part) or "all"


def is_internal(kind, row) -> bool:
    """Whether a row hides what no version has."""
    return isinstance(row, Unknown) and row.since <= kind.since and row.until >= kind.until


def difference(row) -> str:
    """One row in words."""
    if isinstance(row, Unknown):
        return f"no {names(row.names)}"
    if isinstance(row, Renamed):
        return f"`{row.name}` is called `{row.called}`"
    if isinstance(row, Respelled):
        pairs = (f"`{ours}` is `{theirs}`" for ours, theirs in row.spellings.items())
        return f"`{row.name}`: {', '.join(pairs)}"
    if not isinstance(row, Reshaped):
        return type(row).__doc__.partition("\n")[0]
    fields = [field.alias or name for name, field in row.form.model_fields.items()]
    return f"arranged otherwise: {names(fields)}"


def names(given) -> str:
    """As code."""
    return ", ".join(f"`{name}`" for name in given)
