"""What a line of pip's language may say."""

from __future__ import annotations

import pytest

from lazulite.core.errors import SpecError
from lazulite.environments.requirement import Option, parse_requirement
from lazulite.environments.written import Written

INDEXES = ("https://mirror.example/simple", "https://wheels.example/whl")


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("numpy", "numpy"),
        ("Scikit_Learn == 1.0", "scikit-learn==1.0"),
        ("numpy>=1.2 , <2", "numpy<2,>=1.2"),
        ("numpy (>=1.2)", "numpy>=1.2"),
        ("ray[Serve, data]>=2", "ray[data,serve]>=2"),
        ("six  # why", "six"),
        ("six ;  python_version < '3.8'", "six; python_version < '3.8'"),
        ("azureml-dataset-runtime[fuse]~=1.41.0", "azureml-dataset-runtime[fuse]~=1.41.0"),
        ("six===1.0+local", "six===1.0+local"),
        ("six==1.0 --hash=sha256:0ab1", "six==1.0 --hash=sha256:0ab1"),
    ],
)
def test_lines_that_mean_the_same_have_one_normal_form(line, text):
    assert parse_requirement(Written(line)).text == text


@pytest.mark.parametrize(
    ("line", "option"),
    [
        ("--pre", Option("--pre")),
        ("--only-binary=:all:", Option("--only-binary", ":all:")),
        ("--no-binary six,flask", Option("--no-binary", "six,flask")),
        (
            "--extra-index-url https://wheels.example/whl/cpu",
            Option("--extra-index-url", "https://wheels.example/whl/cpu"),
        ),
        (
            "-i https://mirror.example/simple/",
            Option("--index-url", "https://mirror.example/simple/"),
        ),
    ],
)
def test_harmless_options_are_allowed(line, option):
    assert parse_requirement(Written(line), INDEXES) == option


@pytest.mark.parametrize("line", ["", "   ", "# a comment"])
def test_an_empty_line_asks_for_nothing(line):
    assert parse_requirement(Written(line)) is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("-r /etc/passwd", "another file"),
        ("--requirement=other.txt", "another file"),
        ("-c constraints.txt", "another file"),
        ("-e git+ssh://host/x", "editable"),
        ("--editable .", "editable"),
        ("x @ file:///etc", "by name"),
        ("x@https://host/x.zip", "by name"),
        ("git+https://github.com/a/b", "by name"),
        ("https://host/x-1.0.whl", "by name"),
        ("file:///tmp/x.tar.gz", "by name"),
        ("./x", "by name"),
        ("../x", "by name"),
        ("/srv/x", "by name"),
        ("x-1.0-py3-none-any.whl", "by name"),
        ("x==${SECRET}", "variables"),
        ("--index-url https://mirror.example/simple/${SECRET}", "variables"),
        ("--index-url http://evil", "may come from"),
        ("--extra-index-url https://mirror.example.evil/simple", "may come from"),
        ("--extra-index-url https://mirror.example/simple/../../x", "may come from"),
        ("--find-links /etc", "may come from"),
        ("--extra-index-url https://me:secret@mirror.example/simple", "credentials"),
        ("--trusted-host evil", "not allowed"),
        ("--install-option=x", "not allowed"),
        ("-rother.txt", "not allowed"),
        ("--only-binary $(id)", "package names"),
        ("foo bar", "not a requirement"),
        ("six==", "not a requirement"),
        ("x; touch /tmp/p", "not a requirement"),
        ("$(id)", "not a requirement"),
        ("--pre --trusted-host=evil", "not allowed"),
    ],
)
def test_harmful_and_broken_lines_are_refused_with_the_reason(line, reason):
    with pytest.raises(SpecError, match=reason) as refused:
        parse_requirement(Written(line, "condaFile", 3, 7), INDEXES)

    assert refused.value.code == "InvalidRequirement"
    assert "condaFile line 3, column 7" in refused.value.message
    assert "secret" not in refused.value.message


def test_an_administrator_may_allow_another_index():
    line = Written("--extra-index-url https://mirror.example/simple")

    option = parse_requirement(line, ("https://mirror.example/simple",))

    assert option == Option("--extra-index-url", "https://mirror.example/simple")


def test_without_a_setting_no_definition_may_name_an_index():
    with pytest.raises(SpecError, match="package_indexes"):
        parse_requirement(Written("--index-url https://mirror.example/simple"))
