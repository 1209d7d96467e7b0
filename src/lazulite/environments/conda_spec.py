"""conda's match specs (`numpy=1.21=py37_0`, `python >=3.8`) in PyPI's words.

Source: conda, docs/source/user-guide/concepts/pkg-specs.rst, "Package match specifications".
"""

from __future__ import annotations

import dataclasses
import re

from lazulite.environments.pythons import PythonRange
from lazulite.environments.written import Written

_SPEC = re.compile(
    r"(?:(?P<channel>[A-Za-z0-9_./:-]+)::)?"
    r"(?P<name>[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"
    r"(?:\[(?P<keys>[^\]]*)\])?"
    r"(?P<rest>\s*[=<>!~].*|\s+\S.*|\s*)"
)
_KEY = re.compile(r"\s*(version|build|channel)\s*=\s*(['\"]?)([^'\"\]]*)\2\s*(?:,|$)")
_EXACT_BUILD = re.compile(r"={0,2}(?P<version>[^=<>!~,]+)=(?P<build>[^=<>!~,]+)")
_CLAUSE = re.compile(
    r"(?P<operator>===|==|>=|<=|!=|~=|=|>|<|)"
    r"(?P<version>\d[A-Za-z0-9!+_-]*(?:\.[A-Za-z0-9!+_-]+)*)(?P<any>\.\*|\*)?"
)
_PYTHON_CLAUSE = re.compile(
    r"(?P<operator>==|>=|<=|!=|~=|>|<)=?(?P<version>\d{1,3}(?:\.\d{1,3}){0,2})(?:\.\*)?"
)
_SPACED = re.compile(r"\s*([<>=!~]=?=?|,)\s+")


@dataclasses.dataclass(frozen=True)
class CondaSpec:
    """One line of a conda file's dependencies, taken apart."""

    name: str
    """Canonical: lower case, dashes."""
    clauses: tuple[str, ...]
    """PEP 440 specifiers, in the order written, such as "==1.21.*"."""
    written: Written
    build: str | None = None


def parse_conda_spec(written: Written) -> CondaSpec:
    """The spec in PyPI's words. Raises SpecError for what PyPI cannot express."""
    found = _SPEC.fullmatch(written.text.strip())
    if found is None:
        raise written.refusal(
            "this is not a conda package. Write name, name=1.2, name==1.2.3 or name>=1.2,<2."
        )
    version, build = found["rest"].strip(), None
    if found["keys"]:
        keys = {key: value for key, _, value in _KEY.findall(found["keys"])}
        version, build = keys.get("version", version), keys.get("build")
    if "|" in version:
        raise written.refusal(
            "alternatives ('|') have no counterpart on PyPI. Write one range, such as >=1.2,<2."
        )
    version, second = _split_build(_SPACED.sub(r"\1", version), written)
    clauses = tuple(text for part in version.split(",") if (text := _clause(part, written)))
    return CondaSpec(_canonical(found["name"]), clauses, written, second or build)


def python_range(spec: CondaSpec) -> PythonRange:
    """What a spec of `python` asks for. Raises SpecError for a version that is not numeric."""
    clauses = []
    for clause in spec.clauses:
        found = _PYTHON_CLAUSE.fullmatch(clause)
        if found is None:
            raise spec.written.refusal("Python versions are numbers, such as python=3.9.")
        parts = tuple(int(number) for number in found["version"].split("."))
        clauses.append((found["operator"], parts))
    return PythonRange(tuple(clauses), spec.written.text, spec.written.place)


def _split_build(version: str, written: Written) -> tuple[str, str | None]:
    """Version and build string of "=1.2=py37_0", "1.2 py37_0" and plain versions."""
    if found := _EXACT_BUILD.fullmatch(version):
        return f"=={found['version']}", found["build"]
    match version.split():
        case []:
            return "", None
        case [only]:
            return only, None
        case [first, build]:
            return first, build
    raise written.refusal("there is too much after the name. Write name=version or name>=1.2,<2.")


def _clause(text: str, written: Written) -> str:
    """One conda clause as a PEP 440 specifier; empty when it allows every version."""
    if text in {"", "*", "=*", "==*"}:
        return ""
    found = _CLAUSE.fullmatch(text)
    if found is None:
        raise written.refusal(f"{text!r} is not a version range. Write =1.2, ==1.2.3 or >=1.2.")
    operator, version = found["operator"], found["version"]
    if operator == "=" or (found["any"] and operator in {"", "=="}):
        return f"=={version}.*"
    if operator == "!=" and found["any"]:
        return f"!={version}.*"
    return f"{operator or '=='}{version}"


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
