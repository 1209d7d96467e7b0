"""Properties of an account's Blob service: kept as sent, and the CORS rules in them applied.

Source: "Set Blob Service Properties" and "CORS support for Azure Storage", learn.microsoft.com.
Logging and metrics are recorded without effect; soft delete and static websites are refused.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from fnmatch import fnmatchcase
from xml.etree.ElementTree import Element, tostring

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from lazulite.blobs.errors import BlobError
from lazulite.blobs.xml_reader import read_xml, text_of
from lazulite.store.blob_tables import services
from lazulite.store.database import reading

ROOT = "StorageServiceProperties"
METRICS = "<Version>1.0</Version><Enabled>false</Enabled>"
RETENTION = "<RetentionPolicy><Enabled>false</Enabled></RetentionPolicy>"
DEFAULTS: Mapping[str, str] = {
    "Logging": "<Logging><Version>1.0</Version><Delete>false</Delete><Read>false</Read>"
    f"<Write>false</Write>{RETENTION}</Logging>",
    "HourMetrics": f"<HourMetrics>{METRICS}{RETENTION}</HourMetrics>",
    "MinuteMetrics": f"<MinuteMetrics>{METRICS}{RETENTION}</MinuteMetrics>",
    "Cors": "<Cors />",
    "DefaultServiceVersion": "",
    "DeleteRetentionPolicy": "<DeleteRetentionPolicy><Enabled>false</Enabled>"
    "</DeleteRetentionPolicy>",
    "StaticWebsite": "<StaticWebsite><Enabled>false</Enabled></StaticWebsite>",
}
"""Every section, as it is where it was never set."""

MOST_RULES = 5
METHODS = frozenset(
    ["GET", "PUT", "POST", "DELETE", "HEAD", "MERGE", "OPTIONS", "PATCH", "CONNECT", "TRACE"]
)
REFUSED = {
    "DeleteRetentionPolicy": "Deleted blobs are not kept here",
    "StaticWebsite": "Static websites are not served here",
}


@dataclasses.dataclass(frozen=True)
class CorsRule:
    """Which pages of other sites may do what. Entries may be "*", and headers end in "*"."""

    origins: tuple[str, ...]
    methods: tuple[str, ...]
    allowed: tuple[str, ...]
    exposed: tuple[str, ...]
    age_s: int

    def admits(self, origin: str, method: str, headers: tuple[str, ...] = ()) -> bool:
        """Whether a request of that page is covered."""
        return (
            any(fnmatchcase(origin, one) for one in self.origins if "*" in one)
            or origin in self.origins
        ) and (
            method in self.methods
            and all(any(_is_header(name, one) for one in self.allowed) for name in headers)
        )


class ServiceProperties:
    """Of all accounts of a store. In memory, because CORS asks at every request of a page."""

    def __init__(self, engine: AsyncEngine) -> None:
        """engine: has the tables of store/blob_tables.py."""
        self._engine, self._reader = engine, reading(engine)
        self._said: dict[str, dict[str, str]] = {}
        self._rules: dict[str, tuple[CorsRule, ...]] = {}

    async def load(self) -> None:
        """Read what the last process left. Before any other call."""
        async with self._reader.connect() as tx:
            for row in await tx.execute(sa.select(services)):
                self._remember(row.account, row.properties)

    def document(self, account: str) -> str:
        """The body of Get Blob Service Properties, without its declaration."""
        said = {**DEFAULTS, **self._said.get(account, {})}
        return f"<{ROOT}>{''.join(said.values())}</{ROOT}>"

    def rules(self, account: str) -> tuple[CorsRule, ...]:
        """The CORS rules of an account, in order."""
        return self._rules.get(account, ())

    async def set(self, account: str, body: bytes) -> None:
        """Replace the sections that the document has. Durable on return. Raises BlobError 400."""
        tree = read_xml(body, ROOT)
        for section in tree:
            _check(section)
        new = {section.tag: tostring(section, encoding="unicode") for section in tree}
        said = {**self._said.get(account, {}), **new}
        async with self._engine.begin() as tx:
            await tx.execute(sa.delete(services).where(services.c.account == account))
            await tx.execute(sa.insert(services).values(account=account, properties=said))
        self._remember(account, said)

    async def forget(self, account: str) -> None:
        """Begin with the defaults again, for an account that is new. Safe to repeat."""
        async with self._engine.begin() as tx:
            await tx.execute(sa.delete(services).where(services.c.account == account))
        self._said.pop(account, None)
        self._rules.pop(account, None)

    def _remember(self, account: str, said: dict[str, str]) -> None:
        self._said[account] = said
        cors = read_xml(said.get("Cors", DEFAULTS["Cors"]).encode(), "Cors")
        self._rules[account] = tuple(_rule(one) for one in cors)


def _check(section: Element) -> None:
    if section.tag not in DEFAULTS:
        raise BlobError("InvalidXmlDocument", f"There is no section {section.tag!r}.")
    if section.tag in REFUSED and text_of(section, "Enabled") == "true":
        message = f"{REFUSED[section.tag]}: leave {section.tag} disabled."
        raise BlobError("InvalidXmlNodeValue", message)
    if section.tag == "Cors":
        if len(section) > MOST_RULES:
            raise BlobError("InvalidXmlDocument", f"{len(section)} CORS rules; 5 are allowed.")
        for rule in section:
            _rule(rule)


def _rule(element: Element) -> CorsRule:
    """Raises BlobError for a rule that is none."""
    origins, methods = _listed(element, "AllowedOrigins"), _listed(element, "AllowedMethods")
    age = text_of(element, "MaxAgeInSeconds")
    if not origins or not methods or not set(methods) <= METHODS:
        message = "A CORS rule needs AllowedOrigins, and AllowedMethods that HTTP knows."
        raise BlobError("InvalidXmlNodeValue", message)
    if not (age.isascii() and age.isdigit() and len(age) < 10):
        message = f"MaxAgeInSeconds {age[:40]!r} of a CORS rule is not a number of seconds."
        raise BlobError("InvalidXmlNodeValue", message)
    allowed, exposed = _listed(element, "AllowedHeaders"), _listed(element, "ExposedHeaders")
    return CorsRule(origins, methods, allowed, exposed, int(age))


def _listed(element: Element, name: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in text_of(element, name).split(",") if one.strip())


def _is_header(name: str, allowed: str) -> bool:
    name, allowed = name.lower(), allowed.lower()
    return name == allowed or (allowed.endswith("*") and name.startswith(allowed[:-1]))
