"""The environments of MLflow models."""

from __future__ import annotations

import pytest

from lazulite.core.errors import SpecError
from lazulite.environments.mlflow_model import from_mlflow_model
from lazulite.environments.requirements import requirements_of

CONDA = """\
channels:
- conda-forge
dependencies:
- python=3.11.7
- pip<=23.2.1
- pip:
  - mlflow==2.9.2
  - scikit-learn==1.3.2
name: mlflow-env
"""
PYTHON_ENV = """\
python: 3.10
build_dependencies:
- pip==23.2.1
- setuptools==65.5.0
dependencies:
- -r requirements.txt
"""


def test_conda_yaml_is_read_before_the_others(tmp_path):
    (tmp_path / "conda.yaml").write_text(CONDA)
    (tmp_path / "requirements.txt").write_text("mlflow==1.0\n")

    requirements = requirements_of(from_mlflow_model(tmp_path))

    assert requirements.python.allows((3, 11, 2))
    assert [each.text for each in requirements.packages] == ["mlflow==2.9.2", "scikit-learn==1.3.2"]


def test_python_env_yaml_includes_the_requirements_file_beside_it(tmp_path):
    (tmp_path / "python_env.yaml").write_text(PYTHON_ENV)
    (tmp_path / "requirements.txt").write_text("mlflow==2.9.2\n\nnumpy==1.26.0\n")

    requirements = requirements_of(from_mlflow_model(tmp_path))

    assert requirements.python.allows((3, 10, 13))
    assert [(each.text, each.written.place) for each in requirements.packages] == [
        ("setuptools==65.5.0", "python_env.yaml line 4, column 3"),
        ("mlflow==2.9.2", "requirements.txt line 1, column 1"),
        ("numpy==1.26.0", "requirements.txt line 3, column 1"),
    ]


def test_requirements_alone_run_on_the_servers_python(tmp_path):
    (tmp_path / "requirements.txt").write_text("mlflow\n")

    requirements = requirements_of(from_mlflow_model(tmp_path))

    assert (requirements.python, requirements.packages[0].text) == (None, "mlflow")


def test_a_folder_without_any_of_them_is_refused(tmp_path):
    with pytest.raises(SpecError, match="Log the model with MLflow"):
        from_mlflow_model(tmp_path)


def test_a_file_that_links_out_of_the_model_is_refused(tmp_path):
    (tmp_path / "secret").write_text("token")
    (tmp_path / "model").mkdir()
    (tmp_path / "model/requirements.txt").symlink_to(tmp_path / "secret")

    with pytest.raises(SpecError, match="link to another place"):
        from_mlflow_model(tmp_path / "model")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x" * (2 << 20)])
def test_a_file_that_is_no_text_is_refused(tmp_path, content):
    (tmp_path / "requirements.txt").write_bytes(content)

    with pytest.raises(SpecError, match=r"requirements\.txt"):
        from_mlflow_model(tmp_path)
