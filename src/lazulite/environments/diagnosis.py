"""Why a build failed, in the user's terms: which lines are to blame, and what would work.

Reads the output of uv 0.4 and later, and of pip 18 to 24. What it does not recognise is still
reported, with the installer's last words.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence

from lazulite.environments.plan import Package, Plan
from lazulite.environments.requirement import canonical

UNSOLVABLE = "UnsolvableRequirements"
BUILD_FAILED = "PackageBuildFailed"
UNREACHABLE = "PackageIndexUnreachable"
DISK_FULL = "DiskFull"
OTHER = "EnvironmentBuildFailed"

_TAIL = 15  # lines of output in a report
_SENTENCE = 600  # characters of the installer's explanation
_NETWORK = re.compile(
    r"error sending request for url|dns error|tcp connect error|Failed to establish a new"
    r" connection|Connection refused|Temporary failure in name resolution|Network is unreachable"
    r"|operation timed out|Read timed out",
    re.IGNORECASE,
)
_FULL = re.compile(r"No space left on device|Disk quota exceeded", re.IGNORECASE)
_UV_BUILD = re.compile(r"Failed to (?:download and )?build `([^`@ ]+)")
_PIP_BUILD = re.compile(
    r"(?:ERROR: )?Failed (?:to build|building wheel for|cleaning build dir for) ['`]?([\w.-]+)"
    r"|/pip-(?:install|req-build)-[^/\s]+/([A-Za-z0-9][\w.-]*?)(?:_[0-9a-f]{32})?/"
)
_PIP_MISSING = re.compile(
    r"Could not find a version that satisfies the requirement (?P<text>[^(]+?)"
    r" (?:\(from -r [^)]*\)\)? )?(?:\(from [^v][^)]*\) )?\(from versions: (?P<versions>[^)]*)\)"
)
_PIP_CONFLICT = re.compile(r"The conflict is caused by:(.*?)(?:To fix this|$)", re.DOTALL)
_UV_CAUSE = re.compile(
    r"No solution found when resolving dependencies:?(.*?)(?=\n\s*hint:|\Z)", re.DOTALL
)
_UV_CHAIN = re.compile(r" and (?=only the following|you require|because)|, we can conclude|, and ")
_WHEEL_TAGS = re.compile(r"only found wheels for .*? with the following Python ABI tags?: (.*)")


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """What a failed build has to say to its user."""

    code: str
    reason: str
    """One or two sentences without the final period."""
    culprits: tuple[str, ...] = ()
    """Normal forms of the requirements to blame, in the definition's order."""
    remedy: str = ""
    """What would work, as whole sentences; empty if unknown."""
    tail: tuple[str, ...] = ()
    """The last lines of the installer's output."""


def diagnose(output: Sequence[str], plan: Plan) -> Diagnosis:
    """What the output of a failed installer means for the plan."""
    text = "\n".join(output)
    for rule in (_disk, _network, _build, _uv_unsolvable, _pip_unsolvable, _unknown):
        if found := rule(text, plan):
            return dataclasses.replace(found, tail=tuple(output[-_TAIL:]))
    raise AssertionError("the last rule always answers")  # pragma: no cover


def pinned_version(text: str) -> str | None:
    """The version that a requirement pins with ==; None if it does not."""
    found = re.search(r"===?([0-9][^,;\s*]*)", text)
    return found[1].rstrip(".") if found else None


def versions_remedy(package: Package, lowest: str | None, newest: str | None, python: str) -> str:
    """Says which versions fit. lowest: the next one from the pin on; python: full version."""
    minor = python.rpartition(".")[0]
    if newest is None:
        return (
            f"The server's indexes have no {package.name} for Python {minor}: check the name. What"
            " only conda has cannot be installed into a venv."
        )
    if lowest is None or lowest == newest or pinned_version(package.text) is None:
        return f"The newest {package.name} that fits Python {minor} is {newest}."
    return (
        f"For Python {minor}, the next {package.name} that has a wheel is {lowest}, and the newest"
        f" is {newest}."
    )


def _disk(text: str, _: Plan) -> Diagnosis | None:
    if not _FULL.search(text):
        return None
    return Diagnosis(DISK_FULL, "the disk is full", remedy="Free some space and try again.")


def _network(text: str, plan: Plan) -> Diagnosis | None:
    if not _NETWORK.search(text):
        return None
    host = re.search(r"https?://(?:[^/\s@]*@)?([^/\s:'\"]+)|host='([^']+)'", text)
    name = f" ({host[1] or host[2]})" if host else ""
    return Diagnosis(
        UNREACHABLE,
        f"the package index{name} cannot be reached from the server",
        remedy="Try again later, or name a reachable index in the server's pip.conf.",
    )


def _build(text: str, plan: Plan) -> Diagnosis | None:
    found = _UV_BUILD.search(text) or _PIP_BUILD.search(text)
    if found is None:
        return None
    name = next(group for group in found.groups() if group)
    culprits = _named_in(name, plan.packages)
    minor = ".".join(map(str, plan.interpreter.version[:2]))
    reason = f"{name} has no wheel for Python {minor}, and building it from its source failed"
    if cause := _last_error(text):
        reason += f" ({cause})"
    return Diagnosis(BUILD_FAILED, reason, culprits)


def _uv_unsolvable(text: str, plan: Plan) -> Diagnosis | None:
    found = _UV_CAUSE.search(text)
    if found is None:
        return None
    culprits = _named_in(_required(found[1]) or found[1], plan.packages)
    # The rest of uv's chain of reasons restates the requirements; it stands in the log.
    first = _UV_CHAIN.split(" ".join(found[1].split()))[0]
    reason = re.sub(r"^\W*(cause: )?Because ", "", first)
    return Diagnosis(UNSOLVABLE, _sentence(reason), culprits, remedy=_other_python(text))


def _pip_unsolvable(text: str, plan: Plan) -> Diagnosis | None:
    if conflict := _PIP_CONFLICT.search(text):
        reason = "; ".join(line.strip() for line in conflict[1].splitlines() if line.strip())
        asked = " ".join(re.findall(r"The user requested (\S+)", reason)) or reason
        culprits = _named_in(f"{asked} {reason}", plan.packages)
        return Diagnosis(UNSOLVABLE, _sentence(reason), culprits)
    found = _PIP_MISSING.search(text)
    if found is None:
        return None
    minor = ".".join(map(str, plan.interpreter.version[:2]))
    reason = f"no version for Python {minor} meets {found['text'].strip()}"
    culprits = _named_in(found["text"], plan.packages)
    blamed = [package for package in plan.packages if package.text in culprits]
    remedy = _nearest(blamed[0], found["versions"], plan) if blamed else ""
    return Diagnosis(UNSOLVABLE, reason, culprits, remedy)


def _unknown(text: str, plan: Plan) -> Diagnosis:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"error\b", line, re.IGNORECASE)]
    said = (errors or lines or ["the installer gave no reason"])[-1]
    return Diagnosis(OTHER, _sentence(said), _named_in(said, plan.packages))


def _named_in(text: str, packages: Iterable[Package]) -> tuple[str, ...]:
    """The packages whose name is a word of the text."""
    words = {canonical(word) for word in re.findall(r"[A-Za-z0-9][A-Za-z0-9._-]*", text)}
    return tuple(package.text for package in packages if package.name in words)


def _required(reason: str) -> str:
    """What uv says "you require" in its explanation."""
    return " ".join(re.findall(r"you require ([A-Za-z0-9][A-Za-z0-9._-]*)", reason))


def _other_python(text: str) -> str:
    """The Pythons for which uv saw wheels of the asked version."""
    found = _WHEEL_TAGS.search(text)
    minors = sorted({int(minor) for minor in re.findall(r"cp3(\d+)", found[1])}) if found else []
    usable = [f"3.{minor}" for minor in minors if minor >= 6]
    return f"There are wheels for Python {', '.join(usable)}." if usable else ""


def _nearest(package: Package, listed: str, plan: Plan) -> str:
    versions = [version.strip() for version in listed.split(",") if re.match(r"\s*\d", version)]
    stable = [version for version in versions if re.fullmatch(r"[\d.]+", version)] or versions
    pin = pinned_version(package.text)
    above = [version for version in stable if pin and _order(version) >= _order(pin)]
    newest = max(stable, key=_order, default=None)
    return versions_remedy(
        package, min(above, key=_order, default=None), newest, plan.interpreter.number
    )


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _last_error(text: str) -> str:
    """The last line that reads like an exception or a compiler's error."""
    pattern = re.compile(r"^\s*((?:\w+\.)*\w*Error: .+|.*\berror: .+)$", re.MULTILINE)
    skipped = re.compile(
        r"command .* failed|subprocess-exited|legacy-install|metadata-generation", re.IGNORECASE
    )
    lines = [line for line in pattern.findall(text) if not skipped.search(line)]
    lines = [line for line in lines if not line.lower().startswith("error: failed to")]
    return _sentence(lines[-1])[:200] if lines else ""


def _sentence(text: str) -> str:
    """The text on one line, without its final period."""
    line = " ".join(text.split()).rstrip(".,")
    return line if len(line) <= _SENTENCE else line[:_SENTENCE] + "..."
