"""URLs of other servers, parsed once and strictly: what two parsers could read in two ways is out.

Source: spec/SECURITY.md 2.1 and 2.4.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from urllib.parse import SplitResult, quote, unquote, urlsplit

from lazulite.fetch.errors import not_allowed

PORTS = {"http": 80, "https": 443}
NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?\.?")
LEGAL = "!$&'()*+,;=:@/?%~-._"


@dataclasses.dataclass(frozen=True)
class Url:
    """host: lower case, an IP address without brackets; query: as on the wire, may be secret."""

    scheme: str
    host: str
    port: int
    path: str
    """Percent-encoded, begins with a slash."""
    query: str = dataclasses.field(default="", repr=False)

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port: what a connection is for."""
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """Host, with the port unless it is the usual one: the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def target(self) -> str:
        """What stands in the request line."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def shown(self) -> str:
        """For people and logs: without the query."""
        return f"{self.scheme}://{self.authority}{self.path}"

    def __str__(self) -> str:
        """The whole URL."""
        return f"{self.scheme}://{self.authority}{self.target}"


def parse_url(text: str) -> Url:
    """Read a URL. Raises FetchError UrlNotAllowed for whatever is not plainly http or https."""
    shown = text.partition("?")[0]
    if any(character <= " " or character == "\x7f" for character in text):
        raise not_allowed(shown, "it has a space or a control character")
    if "\\" in text or "#" in text:
        raise not_allowed(shown, "it has a backslash or a fragment")
    url = _split(text, shown)
    if url.scheme not in PORTS:
        raise not_allowed(shown, "only http: and https: URLs are fetched")
    if "@" in url.netloc:
        raise not_allowed(url.path, "it has a user name or password")
    return Url(
        scheme=url.scheme,
        host=_host(url.hostname or "", shown),
        port=PORTS[url.scheme] if url.port is None else url.port,
        path=quote(_path(url.path, shown), safe=LEGAL),
        query=quote(url.query, safe=LEGAL),
    )


def _split(text: str, shown: str) -> SplitResult:
    try:
        url = urlsplit(text)
        _ = url.port  # raises for what is no port
    except ValueError as error:
        raise not_allowed(shown, f"it is no URL ({error})") from error
    return url


def _host(host: str, shown: str) -> str:
    """A name in ASCII or an IP address in its usual form. Raises FetchError for other forms."""
    if "%" in host:
        raise not_allowed(shown, "its address has a zone")
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        name = host.encode("idna").decode().lower()
    except UnicodeError as error:
        raise not_allowed(shown, f"{host!r} is no host name") from error
    if not HOST.fullmatch(name) or ".." in name:
        raise not_allowed(shown, f"{host!r} is no host name")
    if NUMBER.fullmatch(name.rstrip(".").rpartition(".")[2]):
        raise not_allowed(shown, f"{host!r} is an address in an unusual form")
    return name.rstrip(".")


def _path(path: str, shown: str) -> str:
    decoded = unquote(path)
    if {".", ".."} & set(re.split(r"[/\\]", decoded)) or "\0" in decoded:
        raise not_allowed(shown, "its path has '.', '..' or NUL as a part")
    return path or "/"
