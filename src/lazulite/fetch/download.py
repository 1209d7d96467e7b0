"""Downloads to files: whole or not at all, and where possible from where the last try ended."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from lazulite.fetch.errors import not_reachable
from lazulite.fetch.session import Answer, Session
from lazulite.store.files import read_json, write_json

Progress = Callable[[int], None]
"""Told of bytes that have arrived."""


@dataclasses.dataclass(frozen=True)
class Head:
    """What a server says of a file. etag: "" if it has none; size: None if it does not say."""

    etag: str
    size: int | None
    modified: str = ""

    @classmethod
    def of(cls, answer: Answer) -> Head:
        """From the headers."""
        size, headers = answer.headers.get("Content-Length"), answer.headers
        length = int(size) if size is not None and size.isdecimal() else None
        return cls(headers.get("ETag", ""), length, headers.get("Last-Modified", ""))

    @property
    def is_stable(self) -> bool:
        """Whether the same words mean the same bytes: a part can be continued."""
        return bool(self.etag) and not self.etag.startswith("W/")


def head(session: Session, url: str, headers: Mapping[str, str] | None = None) -> Head | None:
    """What is at the URL; None if there is nothing. Raises FetchError if it does not say."""
    with session.get(url, headers, method="HEAD") as answer:
        if answer.status == 404:
            return None
        if answer.status in {405, 501}:
            return Head("", None)
        check_status(answer, 200)
        return Head.of(answer)


def download(
    session: Session,
    url: str,
    target: Path,
    part: Path,
    *,
    headers: Mapping[str, str] | None = None,
    arrived: Progress = lambda size: None,
) -> Head:
    """Fetch a file, in full and on disk on return. Raises FetchError and OSError.

    part: where the file grows, for it alone and on the disk of the target; the server's ETag is
    noted beside it. What a broken try has left there is continued if the ETag is still the same; a
    target that is there already is replaced.
    """
    noted = part.with_name(f"{part.name}.etag")
    done = _begun(part, noted)
    asked = dict(headers or {})
    if done:
        asked |= {"Range": f"bytes={part.stat().st_size}-", "If-Range": done}
    with session.get(url, asked) as answer:
        if answer.status == 416 and done:
            part.unlink()
            raise not_reachable(answer.url.shown, "it changed while it was fetched", 416)
        check_status(answer, 200, 206)
        found = Head.of(answer)
        goes_on = answer.status == 206 and found.etag == done
        if answer.status == 206 and not goes_on:
            part.unlink(missing_ok=True)
            raise not_reachable(answer.url.shown, "it changed while it was fetched", 206)
        write_json(noted, found.etag if found.is_stable else "")
        with part.open("ab" if goes_on else "wb") as file:
            for chunk in answer.chunks():
                file.write(chunk)
                arrived(len(chunk))
            file.flush()
            os.fsync(file.fileno())
    part.replace(target)
    noted.unlink(missing_ok=True)
    return dataclasses.replace(found, size=target.stat().st_size)


def check_status(answer: Answer, *wanted: int) -> None:
    """Raise FetchError for another status, saying what it usually means."""
    if answer.status in wanted:
        return
    remedy = {
        401: "it wants credentials: use a datastore with a key or SAS",
        403: "it forbids it: use a datastore with a key or SAS that may read and list",
        404: "there is nothing: check the path",
        409: "public access may be off there: use a datastore with a key or SAS",
        412: "it changed while it was fetched: try again",
    }.get(answer.status, "try again later")
    raise not_reachable(
        answer.url.shown, f"the server answered {answer.status}; {remedy}", answer.status
    )


def _begun(part: Path, noted: Path) -> str:
    """The ETag of a part that can be continued; "" if there is none."""
    if not part.exists() or not part.stat().st_size:
        return ""
    return str(read_json(noted) or "")
