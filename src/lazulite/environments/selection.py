"""Which provider makes an environment, and why: the environment's word, the server's, the need."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from lazulite.core.errors import SpecError
from lazulite.environments.definition import PROVIDER, Definition

AUTO, VENV, CONDA, DOCKER = "auto", "venv", "conda", "docker"
CHOICES = (AUTO, VENV, CONDA, DOCKER)


@dataclasses.dataclass(frozen=True)
class Choice:
    """A provider and the reason for it, a line of the build log."""

    provider: str
    reason: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Abilities:
    """What this machine has for making environments."""

    engine: str | None = None
    """The socket of a container engine."""
    has_conda: bool = False
    """Whether conda packages can be solved."""
    has_image: Callable[[str], bool] = lambda _image: False
    """Whether the engine has an image already."""


def choose(definition: Definition, wanted: str, abilities: Abilities) -> Choice:
    """The provider for a definition. wanted: the server's setting.

    An image that is not on the machine is never fetched unasked: it may be gigabytes, and a venv
    takes seconds. Raises SpecError for a provider that is unknown or not to be had.
    """
    asked, by = (
        (definition.provider, f"the environment's {PROVIDER}")
        if definition.provider
        else (
            wanted,
            "the server's environment_provider",
        )
    )
    if asked not in CHOICES:
        raise SpecError(
            "UnknownEnvironmentProvider",
            f"{by} is {asked!r}: it must be one of {', '.join(CHOICES)}.",
            target=PROVIDER,
        )
    if definition.server is not None:
        _require_docker(definition, "what the environment's inferenceConfig needs", abilities)
        return Choice(DOCKER, "the image brings its own server")
    if asked == AUTO:
        return _fitting(definition, abilities)
    if asked == DOCKER:
        _require_docker(definition, by, abilities)
    if asked == CONDA and not abilities.has_conda:
        raise SpecError(
            "CondaNeeded",
            f"{by} is conda, and the server cannot solve conda packages: install it as "
            "lazulite[conda], or choose venv.",
            target=PROVIDER,
        )
    return Choice(asked, f"{by} says so")


def _fitting(definition: Definition, abilities: Abilities) -> Choice:
    if definition.builds_image and abilities.engine:
        return Choice(DOCKER, f"a Dockerfile is to be built, and {abilities.engine} answers")
    if not definition.image:
        return Choice(VENV, "no image is asked for")
    if abilities.engine is None:
        return Choice(VENV, "no container engine answers on this machine")
    if abilities.has_image(definition.image):
        return Choice(DOCKER, f"the image {definition.image} is on this machine")
    return Choice(
        VENV,
        f"the image {definition.image} is not on this machine: pull it, or give the environment "
        f"the tag {PROVIDER}: docker to have it pulled",
    )


def _require_docker(definition: Definition, by: str, abilities: Abilities) -> None:
    if abilities.engine is None:
        raise SpecError(
            "DockerNeeded",
            f"{by} is docker, and no container engine answers on this machine: start Docker or "
            "Podman, set DOCKER_HOST to its socket (unix://...), or choose venv.",
            target=PROVIDER,
        )
    if not definition.image and not definition.builds_image:
        raise SpecError(
            "ImageMissing",
            f"{by} is docker, and the environment names neither an image nor a Dockerfile: "
            "add one, or choose venv.",
            target="image",
        )
