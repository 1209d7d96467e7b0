"""Definitions in the words of a venv."""

from __future__ import annotations

import pytest

from lazulite.core.errors import SpecError
from lazulite.environments.definition import Definition, from_conda_file, from_properties
from lazulite.environments.pypi_names import BUNDLED, CONDA_ONLY, PROGRAMS, PYPI_NAMES
from lazulite.environments.requirement import canonical
from lazulite.environments.requirements import requirements_of


@pytest.mark.parametrize(
    ("conda", "pypi"),
    [
        ("scikit-learn=0.22", "scikit-learn==0.22.*"),
        ("pytorch==1.7.1", "torch==1.7.1"),
        ("opencv", "opencv-python-headless"),
        ("pillow>=8", "pillow>=8"),
        ("py-xgboost-cpu=1.3", "xgboost==1.3.*"),
        ("psycopg2", "psycopg2-binary"),
        ("ray-serve>=2", "ray[serve]>=2"),
        ("ruamel_yaml", "ruamel-yaml"),
        ("conda-forge::numpy=1.21.2=py38h_0", "numpy==1.21.2"),
        ("pytorch::pytorch==1.7.1", "torch==1.7.1"),
        ("azureml-defaults==1.34.0", "azureml-defaults==1.34.0"),
        ("cuda-python", "cuda-python"),
    ],
)
def test_conda_packages_get_their_names_on_pypi(conda, pypi):
    requirements = requirements_of(from_conda_file({"dependencies": [conda]}))

    assert [package.text for package in requirements.packages] == [pypi]


def test_conda_packages_come_first_in_the_order_of_the_file():
    file = "dependencies:\n- pip:\n  - flask\n- numpy\n- pip:\n  - six\n"

    requirements = requirements_of(from_conda_file(file))

    assert [package.name for package in requirements.packages] == ["numpy", "flask", "six"]
    assert requirements.packages[0].written.place == "condaFile line 4, column 3"


@pytest.mark.parametrize(
    "name",
    [
        *("cudatoolkit=11.1", "mkl", "_libgcc_mutex", "ffmpeg", "pip=19.*", "cuda-nvrtc=12.1"),
        *("ld_impl_linux-64=2.40", "snappy"),
    ],
)
def test_what_a_venv_needs_not_is_noted_and_left_out(name):
    requirements = requirements_of(from_conda_file({"dependencies": [name]}))

    assert requirements.packages == ()
    [note] = requirements.notes
    assert note.startswith("condaFile line 3, column 3: ")


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("r-essentials", "run the script in an image that has R"),
        ("gdal=3.4", "rasterio, fiona and pyogrio carry it inside"),
        ("anaconda", "name those that you import"),
    ],
)
def test_what_only_conda_has_is_refused_with_its_line_and_what_would_work(name, remedy):
    with pytest.raises(SpecError) as refused:
        requirements_of(from_conda_file(f"dependencies:\n- numpy\n- {name}\n"))

    assert f"condaFile line 3, column 3: '{name}'" in refused.value.message
    assert remedy in refused.value.message


@pytest.mark.parametrize(
    "line", ["azureml-core", "azureml-defaults", "inference-schema[numpy-support]"]
)
def test_azures_own_packages_are_installed_as_asked(line):
    requirements = requirements_of(from_conda_file({"dependencies": [{"pip": [line]}]}))

    assert [package.text for package in requirements.packages] == [line]


def test_a_pinned_pip_in_the_pip_section_is_left_out():
    requirements = requirements_of(from_conda_file({"dependencies": [{"pip": ["pip==19.1"]}]}))

    assert requirements.packages == ()
    assert "this version of pip is not used" in requirements.notes[0]


def test_image_channels_and_build_strings_are_noted():
    properties = {
        "image": "mcr.example/base",
        "condaFile": "channels: [pytorch]\ndependencies: [numpy=1.2=py37_0]",
    }

    notes = " ".join(requirements_of(from_properties(properties)).notes)

    assert "mcr.example/base is not used" in notes
    assert "pytorch" in notes
    assert "py37_0" in notes


def test_an_image_alone_gives_an_empty_environment_on_any_python():
    requirements = requirements_of(from_properties({"image": "mcr.example/base"}))

    assert (requirements.python, requirements.packages) == (None, ())


def test_a_dockerfile_needs_docker():
    with pytest.raises(SpecError, match="no Docker engine") as refused:
        requirements_of(Definition(builds_image=True))

    assert refused.value.code == "DockerNeeded"


def test_the_tables_hold_canonical_names_once():
    names = [*PYPI_NAMES, *BUNDLED, *PROGRAMS, *CONDA_ONLY]

    assert [name for name in names if name != canonical(name)] == []
    assert len(names) == len(set(names))
