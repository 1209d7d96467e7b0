"""When an image is gone, and when only the engine is: by the recorded answers of one."""

import json

import pytest

from lazulite.core.errors import OutageError
from lazulite.environments.definition import Definition
from lazulite.environments.places import Places
from lazulite.environments.providers import EnvironmentProviders
from lazulite.environments.service import Building, Built, Environments
from lazulite.executors.memory import MemoryExecutor
from tests.engine_answers import answering

ID = "sha256:1234"
BY_ID = ("GET", f"/images/{ID}/json")
BY_NAME = ("GET", "/images/here/json")
ILL = (500, {"message": "the daemon is starting"})
DEFINITION = Definition(image="here")


@pytest.fixture
def engine(tmp_path):
    """One that has the image `here`."""
    with answering(tmp_path / "engine.sock") as answers:
        answers[BY_ID] = answers[BY_NAME] = (200, {"Id": ID})
        yield answers


@pytest.fixture
def providers(engine):
    return EnvironmentProviders(engine=engine.socket, owner="/data")


@pytest.fixture
def environments(tmp_path, providers):
    executor = MemoryExecutor(tmp_path / "tasks")
    return Environments(tmp_path / "envs", executor, lambda _: None, providers=providers)


@pytest.fixture
def places(environments):
    """Of the environment of the image, which has been built."""
    places = Places(environments._root, environments.plan(DEFINITION).hash)
    places.prefix.mkdir(parents=True)
    details = {"image": ID}
    start = {"python": "/usr/bin/python3", "sandbox": {"kind": "docker", "details": details}}
    places.ready.write_text(json.dumps({"start": start}))
    return places


async def test_an_environment_whose_image_was_removed_is_built_again(environments, engine, places):
    assert isinstance(await environments.ensure(DEFINITION), Built)
    del engine[BY_ID]
    assert isinstance(await environments.ensure(DEFINITION), Building)
    assert not places.ready.exists()


async def test_an_engine_that_does_not_answer_costs_no_environment(environments, engine, places):
    engine[BY_ID] = ILL
    with pytest.raises(OutageError, match="the daemon is starting"):
        await environments.ensure(DEFINITION)
    assert places.ready.exists()
    engine[BY_ID] = (200, {"Id": ID})
    assert isinstance(await environments.ensure(DEFINITION), Built)


async def test_whoever_only_looks_forgets_nothing(environments, engine, places):
    del engine[BY_ID]
    environments.plan(DEFINITION)
    await environments.look(DEFINITION)
    assert places.ready.exists()


def test_nothing_is_forgotten_while_it_is_being_built(providers, engine, places):
    del engine[BY_ID]
    with places.held() as is_free:
        assert is_free
        providers.forget_if_gone(places)
    assert places.ready.exists()
    providers.forget_if_gone(places)
    assert not places.ready.exists()


def test_an_engine_that_does_not_answer_is_an_outage_and_no_reason_for_a_venv(providers, engine):
    assert providers.choose(DEFINITION).provider == "docker"
    engine[BY_NAME] = ILL
    with pytest.raises(OutageError) as outage:
        providers.choose(DEFINITION)
    assert outage.value.code == "ContainerEngineUnavailable"


@pytest.mark.parametrize("status", [400, 404])
def test_an_image_that_is_not_there_is_a_venv(providers, engine, status):
    engine[BY_NAME] = (status, {"message": "no such image, or no name of one"})
    assert providers.choose(DEFINITION).provider == "venv"


def test_an_engine_that_has_ended_is_an_outage(tmp_path):
    with answering(tmp_path / "e.sock") as answers:
        gone = EnvironmentProviders(engine=answers.socket)
    with pytest.raises(OutageError):
        gone.choose(DEFINITION)
