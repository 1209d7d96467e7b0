"""Which provider makes an environment, and the reason that the build log gives."""

import pytest

from lazulite.core.errors import SpecError
from lazulite.environments.definition import Definition, from_properties
from lazulite.environments.selection import Abilities, choose

NOTHING = Abilities()
ENGINE = Abilities(engine="/run/e.sock", has_image=lambda image: image == "here")


@pytest.mark.parametrize(
    ("definition", "wanted", "abilities", "provider", "reason"),
    [
        (Definition(), "auto", ENGINE, "venv", "no image is asked for"),
        (Definition(image="here"), "auto", ENGINE, "docker", "is on this machine"),
        (Definition(image="far"), "auto", ENGINE, "venv", "lazulite.provider: docker"),
        (Definition(image="here"), "auto", NOTHING, "venv", "no container engine answers"),
        (Definition(builds_image=True), "auto", ENGINE, "docker", "a Dockerfile"),
        (Definition(image="far"), "docker", ENGINE, "docker", "the server's"),
        (Definition(image="here"), "venv", ENGINE, "venv", "the server's"),
        (Definition(image="here", provider="venv"), "docker", ENGINE, "venv", "lazulite.provider"),
    ],
)
def test_the_environment_decides_then_the_server_then_the_need(
    definition, wanted, abilities, provider, reason
):
    choice = choose(definition, wanted, abilities)
    assert choice.provider == provider
    assert reason in choice.reason


@pytest.mark.parametrize(
    ("definition", "abilities", "code"),
    [
        (Definition(provider="moon"), ENGINE, "UnknownEnvironmentProvider"),
        (Definition(image="here", provider="docker"), NOTHING, "DockerNeeded"),
        (Definition(provider="docker"), ENGINE, "ImageMissing"),
    ],
)
def test_what_cannot_be_is_refused(definition, abilities, code):
    with pytest.raises(SpecError) as refused:
        choose(definition, "auto", abilities)
    assert refused.value.code == code


@pytest.mark.parametrize("place", ["tags", "properties"])
def test_a_tag_or_a_property_names_the_provider(place):
    definition = from_properties({"image": "x", place: {"lazulite.provider": "docker"}})
    assert definition.provider == "docker"
