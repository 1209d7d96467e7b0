"""What a deployment's file needs of this machine."""

import pytest

from lazulite.cli import deployments, online_deployments
from lazulite.cli.arguments import Arguments
from lazulite.cli.errors import CommandError
from lazulite.local.plan import read_plan


def planned(folder, text):
    (folder / "d.yml").write_text(f"name: blue\nendpoint_name: ep\n{text}")
    arguments = Arguments(file=str(folder / "d.yml"))
    return read_plan(deployments.document(arguments, online_deployments.SHAPE))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "code" / "inner").mkdir(parents=True)
    (tmp_path / "code" / "inner" / "score.py").write_text("")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "MLmodel").write_text("")
    (tmp_path / "model" / "conda.yaml").write_text("dependencies:\n- python=3.11\n")
    return tmp_path


def test_an_mlflow_model_needs_neither_code_nor_environment(folder):
    plan = planned(folder, "model: {path: model, type: mlflow_model}\n")
    assert plan.mlflow_model == folder / "model"
    assert (plan.script, plan.definition.conda[0].text) == (None, "python=3.11")


def test_paths_of_the_record_mean_the_same_anywhere(folder):
    code = "code_configuration: {code: {local_path: ./code}, scoring_script: inner/score.py}\n"
    conda = "environment: {conda_file: file:model/conda.yaml, image: i}\n"
    plan = planned(folder, f"model: file:./model\n{code}{conda}")
    assert plan.script == folder / "code/inner/score.py"
    assert plan.values["model"] == f"file:{folder}/model"
    assert plan.values["code_configuration"]["code"] == {"local_path": f"{folder}/code"}
    assert plan.values["environment"]["conda_file"] == f"file:{folder}/model/conda.yaml"


def test_a_curated_environment_is_known_without_a_server(folder):
    code = "code_configuration: {code: code, scoring_script: inner/score.py}\n"
    curated = "azureml:AzureML-sklearn-1.0-ubuntu20.04-py38-cpu:1"
    assert planned(folder, f"{code}environment: {curated}\n").definition.pip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("environment: {image: i}\n", "needs a code_configuration"),
        ("code_configuration: {code: code}\n", "scoring_script is needed"),
        ("code_configuration: {code: code, scoring_script: ../model/MLmodel}\n", "is not a file"),
        ("code_configuration: {code: code, scoring_script: inner/score.py}\n", "`environment`"),
        (
            "environment: {image: i, inference_config: {scoring_route: {path: /, port: 1}}}\n",
            "an image with its own server is not run by --local",
        ),
    ],
)
def test_what_cannot_be_is_told_with_its_place(folder, text, said):
    with pytest.raises(CommandError, match=r"d\.yml") as told:
        planned(folder, text)
    assert said in told.value.message
