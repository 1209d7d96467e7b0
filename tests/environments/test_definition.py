"""Definitions from ARM properties, conda files and requirements files."""

from __future__ import annotations

import pytest

from lazulite.core.errors import SpecError
from lazulite.environments.definition import (
    from_conda_file,
    from_properties,
    from_requirements,
)
from lazulite.environments.written import Written

YAML = """\
name: model-env
channels:
  - conda-forge
dependencies:
  - python=3.10
  - numpy=1.21  # why
  - pip
  - pip:
    - azureml-defaults
"""
JSON = """{
\t"name": "project_environment",
\t"dependencies": [
\t\t"python=3.6.2",
\t\t{"pip": ["azureml-defaults", "six"]},
\t],
}"""


def test_every_entry_of_a_conda_file_knows_its_line_and_column():
    definition = from_properties({"image": "mcr.example/base", "condaFile": YAML})

    assert definition.conda == (
        Written("python=3.10", "condaFile", 5, 5),
        Written("numpy=1.21", "condaFile", 6, 5),
        Written("pip", "condaFile", 7, 5),
    )
    assert definition.pip == (Written("azureml-defaults", "condaFile", 9, 7),)
    assert definition.channels == ("conda-forge",)
    assert definition.image == "mcr.example/base"


def test_a_json_conda_file_may_have_tabs_and_trailing_commas():
    definition = from_conda_file(JSON)

    assert definition.conda == (Written("python=3.6.2", "condaFile", 4, 3),)
    assert [line.text for line in definition.pip] == ["azureml-defaults", "six"]


def test_a_mapping_reads_as_the_text_that_it_would_be():
    definition = from_conda_file({"dependencies": ["python=3.6.2", {"pip": ["six"]}]})

    assert [line.text for line in definition.conda] == ["python=3.6.2"]
    assert [line.text for line in definition.pip] == ["six"]


def test_versions_that_look_like_numbers_keep_their_digits():
    definition = from_conda_file("dependencies:\n- numpy\n- pip:\n  - 3.10\n")

    assert definition.pip[0].text == "3.10"


def test_keys_that_builds_do_not_use_are_noted():
    definition = from_conda_file("dependencies: [numpy]\nprefix: /opt/x\n")

    assert definition.notes == ("condaFile: 'prefix' is not used",)


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("dependencies:\n - numpy\n   x: [", "line 3, column 5", "not YAML or JSON"),
        ("[", "line 1", "not YAML or JSON"),
        ("- numpy", "line 1", "top level"),
        ("", "line 1", "top level"),
        ("name: x", "line 1", "a list named dependencies"),
        ("dependencies: numpy", "line 1", "a list named dependencies"),
        ("dependencies: [a]\ndependencies: [b]", "line 2, column 1", "twice"),
        ("dependencies:\n- ~", "line 2, column 3", "is text"),
        ("dependencies:\n- [a]", "line 2, column 3", "is text"),
        ("dependencies:\n- npm:\n  - a", "line 2, column 3", "is pip"),
        ("dependencies:\n- pip: numpy", "line 2, column 8", "a list is needed"),
        ("dependencies:\n- pip:\n  - {a: b}", "line 3, column 5", "is text"),
    ],
)
def test_a_broken_conda_file_is_refused_at_its_place(text, place, reason):
    with pytest.raises(SpecError, match=reason) as refused:
        from_conda_file(text)

    assert f"condaFile {place}" in refused.value.message
    assert refused.value.target == "condaFile"


@pytest.mark.parametrize("text", ["[" * 5000, "a: \x00", "x" * (2 << 20), "a: !!python/name:os"])
def test_hostile_text_is_refused(text):
    with pytest.raises(SpecError):
        from_conda_file(text)


def test_a_number_is_no_conda_file():
    with pytest.raises(SpecError, match="is a int"):
        from_properties({"condaFile": 3})


def test_an_image_alone_is_a_definition_without_packages():
    definition = from_properties({"image": "mcr.example/base"})

    assert (definition.image, definition.conda, definition.pip) == ("mcr.example/base", (), ())


def test_the_first_preview_named_its_image_below_docker():
    docker = {"dockerSpecificationType": "Image", "dockerImageUri": "mcr.example/base"}

    assert from_properties({"docker": docker}).image == "mcr.example/base"


@pytest.mark.parametrize(
    "properties", [{"build": {"contextUri": "azureml://x"}}, {"docker": {"dockerfile": "FROM x"}}]
)
def test_a_dockerfile_is_known_as_one(properties):
    assert from_properties(properties).builds_image


def test_requirement_lines_are_joined_at_a_backslash():
    definition = from_requirements("six==1.0 \\\n  --hash=sha256:0a\n\n  flask\n")

    assert definition.pip == (
        Written("six==1.0 --hash=sha256:0a", "requirements.txt", 1, 1),
        Written("flask", "requirements.txt", 4, 3),
    )
