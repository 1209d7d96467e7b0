"""Azure's import paths, beside real packages of the same names."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src"
EXTEND = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n"


def run(code, site, cwd=None, **env):
    """Run code as a replica would: the user's packages first, the stand-ins last."""
    begin = f"import sys; sys.path.append({str(SRC / 'lazulite_worker' / 'shims')!r})\n"
    done = subprocess.run(
        [sys.executable, "-c", begin + code],
        env={"PYTHONPATH": f"{site}:{SRC}", **env},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def package(site, name, text=""):
    folder = site.joinpath(*name.split("."))
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(text)


BOTH = (
    "import azureml.core, azureml.contrib.services.aml_request as services\n"
    "print(azureml.core.__file__, services.__file__)"
)


@pytest.mark.parametrize("init", [EXTEND, None])
def test_real_azureml_core_wins_and_the_missing_package_is_filled_in(tmp_path, init):
    package(tmp_path, "azureml.core")
    if init is not None:
        (tmp_path / "azureml" / "__init__.py").write_text(init)

    core, services = run(BOTH, tmp_path)

    assert core.startswith(str(tmp_path))
    assert services.startswith(str(SRC))


def test_real_contrib_package_of_another_kind_leaves_room_for_services(tmp_path):
    package(tmp_path, "azureml", EXTEND)
    package(tmp_path, "azureml.contrib", EXTEND)
    package(tmp_path, "azureml.contrib.other")

    other, services = run(
        "import azureml.contrib.other as o, azureml.contrib.services.aml_response as s\n"
        "print(o.__file__, s.__file__)",
        tmp_path,
    )

    assert other.startswith(str(tmp_path))
    assert services.startswith(str(SRC))


def test_model_path_of_the_v1_sdk_is_found(tmp_path):
    folder = tmp_path / "models" / "digits" / "3"
    folder.mkdir(parents=True)
    (folder / "model.pkl").touch()

    found = run(
        "from azureml.core.model import Model; print(Model.get_model_path('digits'))",
        tmp_path,
        AZUREML_MODEL_DIR=str(folder),
    )

    assert found == [os.fspath(folder / "model.pkl")]
