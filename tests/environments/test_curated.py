"""Curated names, and images that are known to hold something."""

import pytest

from lazulite.core.errors import SpecError
from lazulite.environments.curated import CURATED, curated_name, find_curated
from lazulite.environments.definition import curated_definition, from_conda_file, from_properties
from lazulite.environments.known_images import python_of_image, with_image
from lazulite.environments.requirements import requirements_of

SKLEARN = "AzureML-sklearn-0.24-ubuntu18.04-py37-cpu"
WORKSPACE = "/subscriptions/s/resourceGroups/g/providers/M/workspaces/w"


@pytest.mark.parametrize(
    "reference",
    [
        f"azureml:{SKLEARN}:9",
        f"azureml:{SKLEARN}@latest",
        f"azureml:{SKLEARN.lower()}",
        f"{SKLEARN}:9",
        f"{WORKSPACE}/environments/{SKLEARN}/versions/9",
        f"{WORKSPACE}/environments/{SKLEARN}/versions/labels/latest",
        "azureml://registries/azureml/environments/sklearn-0.24-ubuntu18.04-py37-cpu/versions/9",
        "azureml://registries/AzureML/environments/sklearn-0.24-ubuntu18.04-py37-cpu/labels/latest",
        "azureml:azureml://registries/azureml/environments/sklearn-0.24-ubuntu18.04-py37-cpu",
    ],
)
def test_a_curated_environment_is_found_in_every_form(reference):
    assert find_curated(curated_name(reference)).name == SKLEARN


@pytest.mark.parametrize(
    "reference",
    ["azureml:env:1", f"{WORKSPACE}/environments/env/versions/1", "azureml:my-AzureML-x"],
)
def test_other_environments_are_not_curated(reference):
    assert curated_name(reference) is None


def test_an_unknown_name_is_answered_with_the_closest_and_all_others():
    with pytest.raises(SpecError) as unknown:
        find_curated("AzureML-sklearn-0.24-ubuntu20.04-py37-cpu")

    assert unknown.value.code == "CuratedEnvironmentNotFound"
    assert f"The closest is {SKLEARN}." in unknown.value.message
    assert all(name in unknown.value.message for name in CURATED)


def test_other_registries_are_refused():
    with pytest.raises(SpecError, match="in the registry 'contoso'"):
        curated_name("azureml://registries/contoso/environments/x/versions/1")


@pytest.mark.parametrize("curated", CURATED.values(), ids=lambda curated: curated.name)
def test_every_set_is_one_that_a_venv_reads(curated):
    requirements = requirements_of(curated_definition(curated, "here"))

    assert requirements.python.text == f"python={curated.python}"
    assert len(requirements.packages) == len(curated.packages)
    assert requirements.notes[0] == f"here: the set of {curated.name}"


@pytest.mark.parametrize(
    ("image", "python"),
    [
        ("mcr.microsoft.com/azureml/openmpi3.1.2-ubuntu18.04:20210727.v1", "3.7"),
        ("mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04", "3.8"),
        ("mcr.microsoft.com/azureml/openmpi4.1.0-cuda11.1-cudnn8-ubuntu20.04:latest", "3.8"),
        ("mcr.microsoft.com/azureml/intelmpi2018.3-ubuntu16.04:20200423.v1", "3.7"),
        ("python:3.9-slim", "3.9"),
        ("localhost:5000/team/scorer-py310-cpu:3", "3.10"),
        ("ubuntu:22.04", None),
        ("mcr.microsoft.com/azureml/other@sha256:abc", None),
    ],
)
def test_an_image_tells_its_python_by_its_name(image, python):
    assert python_of_image(image) == python


def test_the_python_of_an_image_alone_is_a_wish():
    definition = with_image(from_properties({"image": "python:3.9"}))

    assert requirements_of(definition).python.text == "python=3.9"
    assert definition.is_python_a_wish
    assert "image python:3.9: has Python 3.9" in definition.notes


def test_the_image_of_a_curated_environment_brings_its_packages():
    image = "mcr.microsoft.com/azureml/sklearn-0.24.1-ubuntu18.04-py37-cpu-inference:20220111.v1"
    requirements = requirements_of(with_image(from_properties({"image": image})))

    assert "scikit-learn==0.24.1" in [package.text for package in requirements.packages]
    assert not requirements.is_python_a_wish


def test_a_conda_file_counts_more_than_its_image():
    definition = from_properties(
        {"image": "python:3.9", "condaFile": "dependencies: [python=3.8, numpy]"}
    )
    assert with_image(definition) == definition
    assert with_image(from_conda_file("dependencies: []")).conda == ()
