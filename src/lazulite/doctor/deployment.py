"""A deployment file, looked at before anything is sent: its fields, files, script, environment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lazulite.cli import assets, batch_deployments, computes, online_deployments
from lazulite.cli.codes import is_reference
from lazulite.cli.documents import Document, Key, read
from lazulite.cli.errors import CommandError
from lazulite.cli.models import is_uri
from lazulite.cli.shapes import checked
from lazulite.cli.workspace import Workspace
from lazulite.computes.capacity import this_machine
from lazulite.core.settings import Settings
from lazulite.doctor import definitions, scripts
from lazulite.doctor.finding import Finding, Status
from lazulite.environments.definition import Definition

_SCHEMA = re.compile(r"^\$schema:.*?(batch|online)", re.MULTILINE | re.IGNORECASE)
_PLACED = re.compile(r"(?P<place>\S+?:\d+:\d+): (?P<text>.*)", re.DOTALL)


class Preflight:
    """The checks of one file."""

    def __init__(
        self, path: Path, settings: Settings, env: Mapping[str, str], workspace: Workspace | None
    ) -> None:
        """workspace: of the running server, if there is one, to look references up."""
        self._path, self._settings, self._env = path, settings, env
        self._workspace = workspace

    def findings(self) -> Iterator[Finding]:
        """All that is wrong with the file, and what was found right."""
        try:
            found = read(self._path)
        except CommandError as error:
            yield _fault(error, str(self._path))
            return
        is_batch = _is_batch(found)
        shape = batch_deployments.SHAPE if is_batch else online_deployments.SHAPE
        values: dict[str, Any] = {}
        for name, value in found.values.items():
            try:
                values |= checked(found.changed({name: value}), shape).values
            except CommandError as error:
                yield _fault(error, str(self._path))
        sort = "batch" if is_batch else "online"
        yield Finding(check="file", status=Status.OK, found=f"{sort} deployment")
        document = found.changed(batch_deployments.flattened(values) if is_batch else values)
        yield from self._names(document, sort)
        yield from self._code(document)
        yield from self._model(document)
        yield from self._environment(document)
        yield from self._size(document)
        yield from self._compute(document) if is_batch else ()

    def _names(self, found: Document, sort: str) -> Iterator[Finding]:
        for name in ("name", "endpoint_name"):
            if not found.values.get(name):
                option = f"--{name.replace('_', '-')}"
                text = f"the field `{name}` is missing"
                yield _warning(found, (name,), text, f"Add it, or give {option} to `create`.")
        endpoint = found.values.get("endpoint_name")
        if endpoint and self._workspace and not self._workspace.find(f"{sort}Endpoints/{endpoint}"):
            text = f"there is no {sort} endpoint {endpoint!r} on the server"
            remedy = f"Create it: lazulite ml {sort}-endpoint create -n {endpoint}"
            yield _warning(found, ("endpoint_name",), text, remedy)

    def _code(self, found: Document) -> Iterator[Finding]:
        code = found.values.get("code_configuration")
        if not code:
            return
        key: Key = ("code_configuration", "scoring_script")
        script, folder = code.get("scoring_script"), code.get("code")
        if isinstance(folder, Mapping):
            folder = folder.get("local_path") or folder.get("path")
        if not script or not folder:
            lacking = "`code`, the folder of the script" if script else "`scoring_script`"
            yield _error(found, key, f"code_configuration lacks {lacking}", "Add it.")
        elif not is_reference(folder):
            yield from self._script(found, key, folder, script)

    def _script(self, found: Document, key: Key, folder: str, script: str) -> Iterator[Finding]:
        try:
            place = found.file(("code_configuration", "code"), folder)
        except CommandError as error:
            yield _fault(error, str(self._path))
            return
        path = place / script if place.is_dir() else place
        if not path.is_file():
            there = ", ".join(sorted(each.name for each in place.glob("*.py"))) or "no script"
            remedy = f"scoring_script is a path inside `code`; there is {there}."
            yield _error(found, key, f"there is no {script} in {place}", remedy)
            return
        wrong = list(scripts.faults(path))
        for line, column, text, remedy in wrong:
            yield Finding(
                check=f"{path}:{line}:{column}",
                status=Status.MISSING,
                found=text,
                remedy=remedy,
                is_needed=True,
            )
        if not wrong:
            yield Finding(check="script", status=Status.OK, found=f"{path} has init() and run()")

    def _model(self, found: Document) -> Iterator[Finding]:
        model = found.values.get("model")
        if isinstance(model, str):
            yield from self._reference(found, "models", "model", model)
        elif model:
            field = "local_path" if model.get("local_path") else "path"
            path = model.get(field)
            if not path:
                yield _error(found, ("model",), "the model has no `path`", "Add it.")
            elif not is_uri(path):
                yield from self._file(found, ("model", field), path)

    def _environment(self, found: Document) -> Iterator[Finding]:
        environment = found.values.get("environment")
        if isinstance(environment, str):
            yield from self._reference(found, "environments", "environment", environment)
        elif environment:
            defined = definitions.definition(found)
            if isinstance(defined, Definition):
                yield from definitions.packages(found, defined, self._settings, self._env)
            else:
                yield defined
        elif found.values.get("code_configuration"):
            remedy = "Add one: only MLflow models without a script bring their own."
            yield _error(found, (), "the field `environment` is missing", remedy)

    def _reference(self, found: Document, what: str, field: str, text: str) -> Iterator[Finding]:
        if self._workspace is None:
            said = f"{text} is not looked up: no server is running"
            yield Finding(check=field, status=Status.OK, found=said)
            return
        try:
            assets.reference(self._workspace, what, found, (field,), text)
        except CommandError as error:
            yield _fault(error, found.place((field,)))
        else:
            yield Finding(check=field, status=Status.OK, found=f"{text} is registered")

    def _file(self, found: Document, key: Key, path: str) -> Iterator[Finding]:
        try:
            there = found.file(key, path)
        except CommandError as error:
            yield _fault(error, str(self._path))
        else:
            yield Finding(check=str(key[0]), status=Status.OK, found=f"{there} is there")

    def _size(self, found: Document) -> Iterator[Finding]:
        values, cores = found.values, this_machine().cores
        count = values.get("instance_count") or 1
        workers = str((values.get("environment_variables") or {}).get("WORKER_COUNT", "1"))
        processes = count * (int(workers) if re.fullmatch("[0-9]{1,9}", workers) else 1)
        if processes > cores:
            text = f"{processes} processes on a machine with {cores} cores"
            remedy = "They share the cores, and each loads the model: lower instance_count."
            yield _warning(found, ("instance_count",), text, remedy)

    def _compute(self, found: Document) -> Iterator[Finding]:
        compute = found.values.get("compute")
        if not compute:
            remedy = "Add `compute: azureml:<name>`."
            yield _error(found, (), "a batch deployment needs a `compute`", remedy)
        elif self._workspace is not None:
            try:
                computes.reference(self._workspace, found, compute)
            except CommandError as error:
                yield _fault(error, found.place(("compute",)))


def _is_batch(found: Document) -> bool:
    """By its schema, else by fields that only one of both has."""
    said = _SCHEMA.search(found.path.read_text(encoding="utf-8")) if found.path else None
    if said:
        return said[1].lower() == "batch"
    own = batch_deployments.SHAPE.keys() - online_deployments.SHAPE.keys()
    return not own.isdisjoint(found.values)


def _fault(error: CommandError, place: str) -> Finding:
    """An error of the command line, as it would be told on `create`."""
    placed = _PLACED.fullmatch(error.message)
    return Finding(
        check=placed["place"] if placed else place,
        status=Status.MISSING,
        found=placed["text"] if placed else error.message,
        is_needed=True,
    )


def _error(found: Document, key: Key, text: str, remedy: str) -> Finding:
    return Finding(
        check=found.place(key), status=Status.MISSING, found=text, remedy=remedy, is_needed=True
    )


def _warning(found: Document, key: Key, text: str, remedy: str) -> Finding:
    return Finding(check=found.place(key), status=Status.WARNING, found=text, remedy=remedy)
