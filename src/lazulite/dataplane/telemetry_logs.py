"""telemetry/v1.0: the log tables of a workspace's online endpoints, by what is usually asked for.

An extension: Azure answers Kusto queries only. So pages can be turned, and a log followed.
"""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from urllib.parse import quote, urlencode

from starlette.responses import JSONResponse, Response

from lazulite.core.clock import Clock
from lazulite.core.errors import ArmError
from lazulite.dataplane.refusals import arm_error
from lazulite.dataplane.requests import Asked
from lazulite.dataplane.services import Service, ServiceRoute
from lazulite.telemetry.logs import MOST, Question, page
from lazulite.telemetry.questions import Questions
from lazulite.telemetry.spans import parse_span

LEVELS = ("Debug", "Information", "Warning", "Error", "Critical")
_DAY = timedelta(days=1)


@dataclasses.dataclass(frozen=True)
class TelemetryLogs:
    """Answers for the tables."""

    questions: Questions
    clock: Clock

    def service(self) -> Service:
        """The routes."""
        permission = "onlineEndpoints/deployments/read"
        return Service(
            name="telemetry",
            version="v1.0",
            routes=(ServiceRoute("GET", "logs/{table}", permission, self.rows),),
            refusal=arm_error,
        )

    async def rows(self, asked: Asked) -> Response:
        """A page: the last rows, or with `after` the first behind that number.

        nextLink leads to earlier rows, or with `after` to later ones; `last` is the number to
        follow from. Raises ArmError 400.
        """
        question = self._question(asked)
        value = await self.questions.answer(lambda reader: page(reader, question))
        last = value[-1]["number"] if value else question.after
        return JSONResponse(
            {"value": value, "last": last, "nextLink": _next(asked, question, value)}
        )

    def _question(self, asked: Asked) -> Question:
        query = asked.query
        said = query.get("timespan", "")
        top = _number(query.get("$top", ""), "$top")
        return Question(
            table=asked.names["table"],
            scope=asked.workspace.id,
            endpoint=query.get("endpoint", ""),
            deployment=query.get("deployment", ""),
            instance=query.get("instance", ""),
            levels=tuple(_level(word) for word in query.get("level", "").split(",") if word),
            text=query.get("text", ""),
            span=parse_span(said, self.clock(), _DAY) if said else None,
            after=_number(query.get("after", ""), "after"),
            before=_number(query.get("before", ""), "before"),
            top=100 if top is None else max(1, min(top, MOST)),
        )


def _next(asked: Asked, question: Question, value: list[dict[str, object]]) -> str | None:
    if len(value) < question.top:
        return None
    forward = question.after is not None
    place = {"after": value[-1]["number"]} if forward else {"before": value[0]["number"]}
    kept = {name: text for name, text in asked.query.items() if name not in {"after", "before"}}
    return f"{asked.base}{quote(asked.http.url.path)}?{urlencode({**kept, **place})}"


def _number(text: str, name: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or len(text) > 18:
        message = f"{name} is {text[:40]!r}: it must be a whole number."
        raise ArmError("BadArgumentError", message, target=name)
    return int(text)


def _level(word: str) -> str:
    for level in LEVELS:
        if word.strip().casefold() == level.casefold():
            return level
    message = f"level is {word[:40]!r}: it must be some of {', '.join(LEVELS)}, with commas."
    raise ArmError("BadArgumentError", message, target="level")
