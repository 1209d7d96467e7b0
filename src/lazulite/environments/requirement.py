"""One line of pip's language: a package with its versions, or an option from the allow-list.

Lines come from users, and pip's language can read files, run repositories, and change where
packages come from; so what is not known to be harmless is refused, with the reason (SEC-023).
"""

from __future__ import annotations

import dataclasses
import re
from urllib.parse import SplitResult, urlsplit

from lazulite.environments.written import Written

NO_INDEXES: tuple[str, ...] = ()
"""Package indexes a definition may name; all pages below them are allowed, too."""

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_ONE = r"(?:===|==|~=|!=|<=|>=|<|>)\s*[A-Za-z0-9][A-Za-z0-9.*+!_-]*"
_MANY = rf"{_ONE}(?:\s*,\s*{_ONE})*\s*,?"
_REQUIREMENT = re.compile(
    rf"(?P<name>{_NAME})\s*(?:\[(?P<extras>[A-Za-z0-9._,\s-]*)\])?"
    rf"\s*(?P<versions>{_MANY}|\(\s*{_MANY}\s*\))?"
    r"\s*(?:;\s*(?P<marker>[A-Za-z0-9_.'\"<>=!~()\s,+-]+))?"
)
_HASHES = re.compile(r"((?:\s+--hash=[a-z0-9]+:[0-9a-f]+)+)\s*$")
_COMMENT = re.compile(r"(^|\s)#.*$")
_REFUSED = (
    (
        re.compile(r"(-r|-c|--requirement|--constraint)\b"),
        "another file is not part of the definition. Write its lines here.",
    ),
    (
        re.compile(r"(-e|--editable)\b"),
        "an editable install needs sources on the server. Put them into the code folder of the"
        " deployment or job, or name a published package.",
    ),
    (
        re.compile(
            r"(\S+\s*@\s*)?([a-z+]+:/|\.{0,2}/)|.*@\s*\S*:/|.*\.(whl|zip|tar\.gz)$",
            re.IGNORECASE,
        ),
        "packages come by name from the server's package index, never from a file or a URL."
        " Publish it on an index, or put its sources into the code folder.",
    ),
)
_INDEX_OPTIONS = {
    "-i": "--index-url",
    "--index-url": "--index-url",
    "--extra-index-url": "--extra-index-url",
    "-f": "--find-links",
    "--find-links": "--find-links",
}


@dataclasses.dataclass(frozen=True)
class Requirement:
    """A package to install: its normal form, and what the user wrote."""

    name: str
    """Canonical (PEP 503)."""
    text: str
    """Normal form (PEP 508): equal for lines that mean the same."""
    written: Written


@dataclasses.dataclass(frozen=True)
class Option:
    """An allowed option of pip that holds for the whole installation."""

    name: str
    value: str = ""


def canonical(name: str) -> str:
    """The one spelling of a package name. Source: PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def parse_requirement(
    written: Written, indexes: tuple[str, ...] = NO_INDEXES
) -> Requirement | Option | None:
    """What a line asks for; None for an empty one or a comment. Raises SpecError when refused."""
    line = _COMMENT.sub("", written.text).strip()
    if not line:
        return None
    if "${" in line:  # pip would fill in a variable of the server
        raise written.refusal("variables are not filled in. Write the value itself.")
    if line.startswith("-") and (option := _option(line, written, indexes)):
        return option
    for pattern, reason in _REFUSED:
        if pattern.match(line):
            raise written.refusal(reason)
    hashes = _HASHES.search(line)
    found = _REQUIREMENT.fullmatch(line[: hashes.start()] if hashes else line)
    if found is None:
        raise written.refusal(
            "this is not a requirement that pip reads. Write name, name==1.2.3 or name>=1.2,<2."
        )
    return Requirement(
        canonical(found["name"]), _normal(found) + (hashes[1] if hashes else ""), written
    )


def _normal(found: re.Match[str]) -> str:
    extras = sorted(canonical(extra.strip()) for extra in (found["extras"] or "").split(","))
    text = canonical(found["name"])
    if any(extras):
        text += f"[{','.join(filter(None, extras))}]"
    versions = re.sub(r"[\s()]", "", found["versions"] or "")
    text += ",".join(sorted(filter(None, versions.split(","))))
    if found["marker"]:
        text += f"; {' '.join(found['marker'].split())}"
    return text


def _option(line: str, written: Written, indexes: tuple[str, ...]) -> Option | None:
    """The option a line holds; None when the line is refused for another reason."""
    name, _, value = line.replace("=", " ", 1).partition(" ")
    value = value.strip()
    if name in {"--pre", "--prefer-binary"} and not value:
        return Option(name)
    if name in {"--only-binary", "--no-binary"}:
        return _binary_option(name, value, written)
    if name in _INDEX_OPTIONS:
        _check_index(value, written, indexes)
        return Option(_INDEX_OPTIONS[name], value)
    if any(pattern.match(line) for pattern, _ in _REFUSED):
        return None
    raise written.refusal(
        "this option of pip is not allowed. Allowed are --pre, --prefer-binary, --only-binary,"
        " --no-binary, --index-url, --extra-index-url and --find-links."
    )


def _binary_option(name: str, value: str, written: Written) -> Option:
    if not re.fullmatch(rf"(:all:|:none:|{_NAME})(,{_NAME})*", value):
        raise written.refusal(f"{name} takes :all:, :none:, or package names with commas.")
    return Option(name, value)


def _check_index(url: str, written: Written, indexes: tuple[str, ...]) -> None:
    """Raise unless the URL lies below an allowed index and carries no credentials."""
    parts = _split_url(url, written)
    if parts.username or parts.password:
        raise written.refusal(
            "a definition must not hold credentials. Set the index in the server's pip.conf or"
            " uv.toml, where only the server reads it."
        )
    plain = f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")
    allowed = (index.rstrip("/") for index in indexes)
    if "/.." in plain or not any(plain == good or plain.startswith(good + "/") for good in allowed):
        raise written.refusal(
            f"packages may come from {', '.join([*indexes, 'the indexes of the server'])} only. Add"
            " this one to the server's setting package_indexes, or to its pip.conf."
        )


def _split_url(url: str, written: Written) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError as error:
        raise written.refusal(f"this is not a URL ({error}).") from error
