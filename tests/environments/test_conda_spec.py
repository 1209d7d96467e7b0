"""conda's words in PyPI's, and the Pythons they ask for."""

from __future__ import annotations

import pytest

from lazulite.core.errors import SpecError
from lazulite.environments.conda_spec import parse_conda_spec, python_range
from lazulite.environments.written import Written


@pytest.mark.parametrize(
    ("conda", "name", "clauses"),
    [
        ("numpy", "numpy", ()),
        ("numpy=1.21", "numpy", ("==1.21.*",)),
        ("numpy=1.21.*", "numpy", ("==1.21.*",)),
        ("numpy==1.21", "numpy", ("==1.21",)),
        ("numpy==1.21.*", "numpy", ("==1.21.*",)),
        ("numpy 1.21.2", "numpy", ("==1.21.2",)),
        ("numpy 1.21*", "numpy", ("==1.21.*",)),
        ("numpy=1.21.2=py37h31617e3_0", "numpy", ("==1.21.2",)),
        ("numpy 1.21.2 py37h31617e3_0", "numpy", ("==1.21.2",)),
        ("numpy>=1.18,<2", "numpy", (">=1.18", "<2")),
        ("numpy >= 1.18 , < 2", "numpy", (">=1.18", "<2")),
        ("numpy = 1.21", "numpy", ("==1.21.*",)),
        ("numpy>=1.18.*", "numpy", (">=1.18",)),
        ("numpy!=1.19.*", "numpy", ("!=1.19.*",)),
        ("numpy~=1.19", "numpy", ("~=1.19",)),
        ("numpy=*", "numpy", ()),
        ("conda-forge::Scikit_Learn=0.22", "scikit-learn", ("==0.22.*",)),
        ("pytorch/label/x::pytorch=1.7", "pytorch", ("==1.7.*",)),
        ("numpy[version='>=1.18,<2', build=py*]", "numpy", (">=1.18", "<2")),
    ],
)
def test_a_match_spec_becomes_pep_440(conda, name, clauses):
    spec = parse_conda_spec(Written(conda))

    assert (spec.name, spec.clauses) == (name, clauses)


@pytest.mark.parametrize(
    "conda",
    [
        "numpy=1.2|1.3",
        "numpy=abc",
        "numpy 1.2 build extra",
        "x; touch /tmp/p",
        "numpy $(id)",
        "`id`",
        "git+https://host/x",
        "-e .",
        "",
    ],
)
def test_what_pypi_cannot_express_is_refused_with_its_place(conda):
    with pytest.raises(SpecError, match=r"conda\.yml line 4, column 5") as refused:
        parse_conda_spec(Written(conda, "conda.yml", 4, 5))

    assert refused.value.code == "InvalidRequirement"


@pytest.mark.parametrize(
    ("asked", "allowed", "refused"),
    [
        ("python=3.7", (3, 7, 16), (3, 8, 0)),
        ("python=3.6.2", (3, 6, 15), (3, 7, 2)),
        ("python==3.6.2", (3, 6, 15), (3, 7, 2)),
        ("python=3.1", (3, 1, 5), (3, 10, 1)),
        ("python>=3.8", (3, 13, 0), (3, 7, 16)),
        ("python>=3.8.5,<3.11", (3, 8, 1), (3, 11, 0)),
        ("python<3.10", (3, 9, 18), (3, 10, 0)),
        ("python<=3.10", (3, 10, 13), (3, 11, 0)),
        ("python>3.7", (3, 8, 0), (3, 7, 0)),
        ("python!=3.9.*", (3, 8, 0), (3, 9, 1)),
        ("python~=3.8", (3, 12, 1), (3, 7, 16)),
        ("python~=3.8.4", (3, 8, 1), (3, 9, 0)),
        ("python=3", (3, 12, 1), (4, 0, 0)),
        ("python", (3, 6, 15), None),
    ],
)
def test_pythons_are_chosen_by_minor_version(asked, allowed, refused):
    wanted = python_range(parse_conda_spec(Written(asked)))

    assert wanted.allows(allowed)
    assert refused is None or not wanted.allows(refused)


def test_an_asked_patch_version_is_told_from_its_neighbours():
    wanted = python_range(parse_conda_spec(Written("python=3.6.2")))

    assert wanted.is_met_exactly((3, 6, 2))
    assert not wanted.is_met_exactly((3, 6, 15))


def test_a_python_version_must_be_numeric():
    with pytest.raises(SpecError, match=r"python=3\.9"):
        python_range(parse_conda_spec(Written("python=3.10rc1")))
