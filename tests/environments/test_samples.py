"""The environments of the samples of 2021, built from the package index of this machine."""

from __future__ import annotations

import asyncio
import base64
import os
import subprocess
from pathlib import Path

import pytest

import lazulite
from lazulite.core.errors import SpecError
from lazulite.environments.definition import from_conda_file
from lazulite.environments.mlflow_model import from_mlflow_model
from lazulite.environments.service import Building, Built, Environments
from lazulite.executors.local import LocalExecutor

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PICKLE = base64.b64decode((Path(__file__).parent / "sklearn_0_24_2.txt").read_text())
"""A LogisticRegression of one feature, which scikit-learn 0.24.2 learned: 1 from 1.5 on."""
SKLEARN = """
name: model-env
channels: [conda-forge]
dependencies:
- python=3.7.10
- numpy=1.19
- pip
- scikit-learn=0.24.2
"""
TENSORFLOW = """
name: mnist-env
channels: [conda-forge]
dependencies:
- python=3.6.2
- pip:
  - tensorflow==1.15.2
  - pillow
"""
MLFLOW = "python: 3.8.10\nbuild_dependencies: [pip]\ndependencies: [-r requirements.txt]\n"


@pytest.fixture
async def built(tmp_path, interpreters):
    """Builds a definition with what pip of this machine is told; its python and its log."""
    env = {**os.environ, "PYTHONPATH": str(Path(lazulite.__file__).parents[1])}
    executor = LocalExecutor(tmp_path / "tasks", env)
    environments = Environments(tmp_path / "envs", executor, interpreters.find)

    async def build(definition):
        try:
            found = await environments.ensure(definition)
        except SpecError as error:
            pytest.skip(f"this machine lacks the Python: {error.message}")
        while isinstance(found, Building):
            await asyncio.sleep(0.1)
            found = await environments.ensure(definition)
        if not isinstance(found, Built) and found.error.code == "PackageIndexUnreachable":
            pytest.skip(f"no package index: {found.error.message}")
        assert isinstance(found, Built), found.error.message
        return found.python, environments.tail(found.hash, 100)

    yield build
    for name in executor.names():
        await executor.stop(name, kill=True)


def run(python, code, *arguments):
    ran = subprocess.run(
        [python, "-I", "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


async def test_a_model_of_scikit_learn_0_24_2_runs_on_python_3_7(built, tmp_path):
    python, log = await built(from_conda_file(SKLEARN))
    (tmp_path / "model.pkl").write_bytes(PICKLE)
    code = """
import pickle, sklearn, sys, warnings
warnings.simplefilter("error")
model = pickle.load(open(sys.argv[1], "rb"))
print(sys.version_info[:2], sklearn.__version__, model.predict([[0.0], [9.0]]).tolist())
"""

    assert run(python, code, str(tmp_path / "model.pkl")) == "(3, 7) 0.24.2 [0, 1]"
    assert "'python=3.7.10' is met by Python 3.7." in log


async def test_tensorflow_1_15_2_runs_on_python_3_6(built):
    python, log = await built(from_conda_file(TENSORFLOW))
    code = """
import sys, warnings
warnings.simplefilter("ignore")
import tensorflow as tf
with tf.Session() as session:
    print(sys.version_info[:2], tf.__version__, session.run(tf.constant(20) + 22))
"""

    assert run(python, code) == "(3, 6) 1.15.2 42"
    assert "'python=3.6.2' is met by Python 3.6." in log


async def test_an_mlflow_model_gets_the_packages_that_it_was_logged_with(built, tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model/python_env.yaml").write_text(MLFLOW)
    (tmp_path / "model/requirements.txt").write_text("cloudpickle==2.2.1\n")

    python, _ = await built(from_mlflow_model(tmp_path / "model"))

    code = "import cloudpickle, sys; print(sys.version_info[:2], cloudpickle.__version__)"
    assert run(python, code) == "(3, 8) 2.2.1"
