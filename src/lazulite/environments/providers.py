"""What this server makes environments with, and the plans of all but venvs."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from pathlib import Path
from typing import Any

from lazulite.core.errors import OutageError
from lazulite.environments import conda, selection
from lazulite.environments.base_image import BaseImage
from lazulite.environments.conda_wish import Channels
from lazulite.environments.definition import Definition
from lazulite.environments.docker_image import REPOSITORY
from lazulite.environments.places import Places
from lazulite.environments.plan import Plan, plan_conda, plan_docker
from lazulite.environments.requirement import NO_INDEXES
from lazulite.environments.requirements import requirements_of
from lazulite.executors.container import OWNER
from lazulite.executors.container_engine import MALFORMED, Engine, EngineError
from lazulite.executors.holders import sweep


@dataclasses.dataclass(frozen=True, kw_only=True)
class EnvironmentProviders:
    """What there is besides interpreters: channels of conda and a container engine."""

    wanted: str = selection.AUTO
    """The server's setting."""
    indexes: tuple[str, ...] = NO_INDEXES
    """Package indexes that definitions may name, besides the server's own."""
    channels: Channels = Channels.of(())  # noqa: RUF009 - frozen
    """Where conda packages are looked for."""
    engine: str | None = None
    """The socket of the container engine."""
    owner: str = ""
    """The server's data folder."""

    def choose(self, definition: Definition) -> selection.Choice:
        """The provider for a definition. Asks the engine, some milliseconds.

        Raises SpecError, and OutageError if the choice is the engine's and it does not answer.
        """
        abilities = selection.Abilities(
            engine=self.engine, has_image=self._has_named, has_conda=conda.is_available()
        )
        return selection.choose(definition, self.wanted, abilities)

    def plan_conda(self, definition: Definition, platform: str) -> Plan:
        """The plan for conda. Raises SpecError for lines that cannot be installed."""
        pip = dataclasses.replace(definition, image=None, builds_image=False, channels=(), conda=())
        wish = self.channels.wish(definition)
        return plan_conda(requirements_of(pip, self.indexes), wish, platform)

    def plan_docker(self, definition: Definition, platform: str) -> Plan:
        """The plan for Docker. Raises SpecError for lines that cannot be installed."""
        packages = dataclasses.replace(definition, image=None, builds_image=False, channels=())
        base = BaseImage(
            engine=self.engine or "",
            owner=self.owner,
            image=definition.image,
            context=definition.context,
            dockerfile=definition.dockerfile,
            dockerfile_text=definition.dockerfile_text,
            serves=definition.server is not None,
            conda_file=conda_file(definition),
        )
        if base.serves:
            packages = dataclasses.replace(packages, conda=(), pip=())
        return plan_docker(requirements_of(packages, self.indexes), base, platform)

    def forget_if_gone(self, places: Places) -> None:
        """Have the environment made anew if its image has been removed from the engine.

        Only if the engine says so: raises OutageError if it does not answer. Nothing happens while
        the environment is being built.
        """
        if not places.ready.exists():
            return
        with places.held() as is_free:
            start = places.start()
            image = start.container.details.get("image") if start and start.container else None
            if is_free and image and not self._has(image):
                places.ready.unlink(missing_ok=True)

    def sweep(self, root: Path) -> None:
        """Remove containers that nobody holds any more, and images of environments that are gone.

        root: of the environments. Of this server only; nothing happens if the engine is away.
        """
        with contextlib.suppress(EngineError):
            if self.engine:
                engine = Engine(self.engine)
                sweep(engine, self.owner)
                for name in engine.images(f"{OWNER}={self.owner}"):
                    repository, _, hash_ = name.rpartition(":")
                    if repository == REPOSITORY and not Places(root, hash_).log.exists():
                        engine.remove_image(name)

    def _has_named(self, name: str) -> bool:
        return self._has(name, without=(MALFORMED,))

    def _has(self, image: str, without: tuple[int, ...] = ()) -> bool:
        """without: statuses of the engine, besides 404, that say that it has not."""
        if self.engine is None:
            return False
        try:
            return Engine(self.engine).image(image) is not None
        except EngineError as error:
            if error.status in without:
                return False
            raise OutageError(
                "ContainerEngineUnavailable",
                f"The container engine at {self.engine} does not say whether it has the image "
                f"{image}: {error}. See that it runs; it is asked again.",
            ) from error


def conda_file(definition: Definition) -> str | None:
    """The definition as a conda file again; None if it asks for no packages."""
    if not definition.conda and not definition.pip:
        return None
    dependencies: list[Any] = [each.text for each in definition.conda]
    if definition.pip:
        if not any(text.split("=")[0].strip() == "pip" for text in dependencies):
            dependencies.append("pip")
        dependencies.append({"pip": [each.text for each in definition.pip]})
    file = {"channels": list(definition.channels) or ["defaults"], "dependencies": dependencies}
    return json.dumps(file)
