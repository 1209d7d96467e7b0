"""The environment that a deployment file defines: read, planned for this machine, resolved."""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from lazulite.cli.documents import Document, Key
from lazulite.cli.environment_files import conda_text
from lazulite.core.errors import LazuliteError, OutageError, SpecError
from lazulite.core.settings import Settings
from lazulite.doctor.finding import Finding, Status
from lazulite.doctor.pins import UnresolvedError, resolve
from lazulite.environments.definition import PROVIDER, Definition, from_conda_file
from lazulite.environments.diagnosis import Diagnosis
from lazulite.environments.interpreters import Interpreters, Search
from lazulite.environments.known_images import with_image
from lazulite.environments.plan import Plan, plan_venv
from lazulite.environments.providers import EnvironmentProviders
from lazulite.environments.requirements import requirements_of
from lazulite.environments.selection import VENV, Choice
from lazulite.executors.container_engine import find_engine

KEY: Key = ("environment", "conda_file")
_PLACE = re.compile(r"(\S.*?)(?: line |:)(\d+)(?:, column |:)(\d+)")


def definition(found: Document) -> Definition | Finding:
    """The packages of the environment that the file defines, or why they are not known."""
    inner = found.part(("environment",))
    docker = inner.values.get("docker") or {}
    image = inner.values.get("image") or docker.get("image")
    if inner.values.get("build") or docker.get("build"):
        said = "it is built from a Dockerfile, which is not looked into"
        return Finding(check="environment", status=Status.OK, found=said)
    try:
        text = conda_text(inner)
        read = from_conda_file(text, _source(inner)) if text is not None else Definition()
    except (LazuliteError, OSError, UnicodeDecodeError) as error:
        return _fault(found, error.message if isinstance(error, LazuliteError) else str(error))
    return dataclasses.replace(
        read,
        image=image,
        server=inner.values.get("inference_config"),
        provider=(inner.values.get("tags") or {}).get(PROVIDER),
    )


def packages(
    found: Document, asked: Definition, settings: Settings, env: Mapping[str, str]
) -> Iterator[Finding]:
    """Whether a Python and the packages can be had here, if they are to go into a venv."""
    try:
        choice = _choice(asked, settings, env)
        if choice.provider != VENV:
            said = f"{choice.provider}, which is not looked into, makes it: {choice.reason}"
            yield Finding(check="environment", status=Status.OK, found=said)
            return
        plan = _plan(asked, settings, env)
    except (SpecError, OutageError) as error:
        yield _fault(found, error.message)
        return
    for note in plan.notes:
        yield Finding(check="environment", status=Status.OK, found=f"note: {note}")
    try:
        failure = resolve(plan, env)
    except UnresolvedError as error:
        yield Finding(
            check="environment",
            status=Status.WARNING,
            found=f"whether its packages can be had is not known: {error}",
            remedy="The build on the server will tell.",
        )
        return
    yield _verdict(found, plan, failure)


def _choice(asked: Definition, settings: Settings, env: Mapping[str, str]) -> Choice:
    """What a server with these settings would make it with on this machine."""
    engine = find_engine(env)
    providers = EnvironmentProviders(wanted=settings.environment_provider, engine=engine)
    return providers.choose(asked)


def _plan(asked: Definition, settings: Settings, env: Mapping[str, str]) -> Plan:
    requirements = requirements_of(with_image(asked), settings.indexes)
    interpreters = Interpreters(Search.of(env, Path(sys.executable)))
    return plan_venv(requirements, interpreters.find(requirements.python), sys.platform)


def _source(environment: Document) -> str:
    """What errors call the conda file: its path, or the field that holds it."""
    value = environment.values["conda_file"]
    if isinstance(value, Mapping) or "\n" in str(value):
        return "conda_file"
    return str(environment.file(("conda_file",), str(value).removeprefix("file:")))


def _verdict(found: Document, plan: Plan, failure: Diagnosis | None) -> Finding:
    if failure is None:
        count = len(plan.packages)
        text = f"Python {plan.interpreter.number} and {count} packages can be had together"
        return Finding(check="environment", status=Status.OK, found=text)
    blamed = [package for package in plan.packages if package.text in failure.culprits]
    lines = "; ".join(f"{package.place}: {package.written!r}" for package in blamed)
    text = f"{lines}: {failure.reason}" if lines else failure.reason
    remedy = failure.remedy or "Loosen the version of one of them, or ask for another Python."
    return _fault(found, text, remedy)


def _fault(found: Document, text: str, remedy: str = "") -> Finding:
    """An error at the line of the conda file that it names, else where that file is named."""
    named = _PLACE.match(text)
    return Finding(
        check=":".join(named.groups()) if named else found.place(KEY),
        status=Status.MISSING,
        found=text,
        remedy=remedy,
        is_needed=True,
    )
