"""How far a batch scoring job is, in one line that is kept up to date."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from lazulite.cli.report import Report

INTERVAL_S = 10.0
"""Between lines where nobody watches: in a file, in the log of a build."""


def progress(counts: Mapping[str, Any]) -> str:
    """How far it is, in words; nothing before its inputs are counted."""
    if not counts.get("mini_batches"):
        return ""
    items, left = counts.get("items") or 0, counts.get("left_items") or 0
    text = f"{items - left} of {items} items done, {counts.get('failed_items') or 0} failed"
    text += f", {left} left"
    if counts.get("items_per_s"):
        text += f", {counts['items_per_s']:.5g} items/s"
    if left and counts.get("remaining_s") is not None:
        text += f", {timedelta(seconds=round(counts['remaining_s']))} to go"
    text += f", {counts.get('rows') or 0} rows"
    if counts.get("retries"):
        text += f", {counts['retries']} retried"
    return text


class LiveLine:
    """In place on a terminal, elsewhere a line now and then. Leave it to the end with end()."""

    def __init__(
        self, report: Report, name: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """name: what the lines begin with where they stand among others. clock: seconds."""
        self._report, self._name, self._clock = report, name, clock
        self._said, self._due = "", clock()

    def show(self, counts: Mapping[str, Any], *, last: bool = False) -> None:
        """Say it if it is new. last: the job has ended, so it is said in any case."""
        text = progress(counts)
        if self._report.is_live:
            if text:
                self._report.line.draw(text)
        elif text not in {"", self._said} and (last or self._clock() >= self._due):
            self._said, self._due = text, self._clock() + INTERVAL_S
            self._report.note(f"{self._name}: {text}")

    def clear(self) -> None:
        """Make room for other lines; the next show() draws it again."""
        self._report.line.erase()

    def end(self) -> None:
        """Leave what was said last, and go to the next line."""
        self._report.line.leave()
