"""What can be brought: a file of a web server, or blobs of a container of another account."""

from __future__ import annotations

import dataclasses

from lazulite.blobs.references import Shape


@dataclasses.dataclass(frozen=True)
class WebFile:
    """One file at a URL."""

    url: str

    @property
    def shown(self) -> str:
        """For people: without the query, which may be a signature."""
        return self.url.partition("?")[0]


@dataclasses.dataclass(frozen=True)
class Blobs:
    """A blob, or those below a prefix. container: its URL; signature: a SAS, "" if public."""

    container: str
    path: str
    signature: str = dataclasses.field(default="", repr=False)
    shape: Shape | None = None
    pattern: str = ""
    """Of the files below the path that are meant."""

    @property
    def shown(self) -> str:
        """For people: without the signature."""
        return "/".join(part for part in (self.container, self.path, self.pattern) if part)


Source = WebFile | Blobs
