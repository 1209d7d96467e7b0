"""Models, environments, data, components and code: versions, labels, archives, pages."""

from pathlib import Path

import yaml
from azure.ai.ml import Input, Output, command, load_component, load_data
from azure.ai.ml.constants import AssetTypes
from azure.ai.ml.entities import BuildContext, Data, Environment, Model
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from session import CONDA, ml_client, refusal, written

ml = ml_client()
IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04:latest"


def models():
    file = written("weights.bin", "1 2 3")
    made = ml.models.create_or_update(
        Model(name="file", path=str(file), description="d", tags={"a": "b"}, properties={"p": "q"})
    )
    assert (made.version, made.type, made.tags) == ("1", "custom_model", {"a": "b"})
    assert made.path.endswith("/weights.bin")
    written("folder/deep/x.txt", "x")
    folder = Model(name="folder", path="folder", type=AssetTypes.CUSTOM_MODEL, version="7")
    assert ml.models.create_or_update(folder).version == "7"
    ml.models.download("folder", "7", download_path="down")
    assert [p.read_text() for p in Path("down").rglob("x.txt")] == ["x"]
    flavors = {"flavors": {"python_function": {"loader_module": "mlflow.sklearn"}}}
    written("mlflow/MLmodel", yaml.safe_dump(flavors))
    mlflow = Model(name="mlflow", path="mlflow", type=AssetTypes.MLFLOW_MODEL)
    assert ml.models.create_or_update(mlflow).type == "mlflow_model"
    assert {m.name for m in ml.models.list()} == {"file", "folder", "mlflow"}


def versions():
    written("weights.bin", "4 5 6")
    second = ml.models.create_or_update(Model(name="file", path="weights.bin"))
    assert second.version == "2"
    assert ml.models.get("file", label="latest").version == "2"
    second.description, second.tags = "better", {"stage": "tested"}
    ml.models.create_or_update(second)
    assert ml.models.get("file", "2").tags == {"stage": "tested"}
    assert {m.version for m in ml.models.list("file")} == {"1", "2"}
    second.path = "azureml://datastores/workspaceblobstore/paths/elsewhere"
    refusal(HttpResponseError, lambda: ml.models.create_or_update(second), "file", "2")
    ml.models.archive("file", version="1")
    assert {m.version for m in ml.models.list("file")} == {"2"}
    ml.models.restore("file", version="1")
    assert {m.version for m in ml.models.list("file")} == {"1", "2"}
    ml.models.archive("file")
    assert "file" not in {m.name for m in ml.models.list()}
    ml.models.restore("file")
    assert "file" in {m.name for m in ml.models.list()}


def environments():
    image = ml.environments.create_or_update(Environment(name="image", image=IMAGE))
    assert (image.version, image.image) == ("1", IMAGE)
    file = written("conda.yml", CONDA)
    conda = Environment(name="conda", image=IMAGE, conda_file=file, version="3")
    made = ml.environments.create_or_update(conda)
    assert made.conda_file["name"] == "plain"
    written("context/Dockerfile", "FROM scratch\n")
    context = BuildContext(path="context", dockerfile_path="Dockerfile")
    built = ml.environments.create_or_update(Environment(name="built", build=context))
    assert built.build.dockerfile_path == "Dockerfile"
    conda.version = None
    written("conda.yml", CONDA.replace("python", "python=3.11"))
    conda = Environment(name="conda", image=IMAGE, conda_file="conda.yml")
    assert ml.environments.create_or_update(conda).version == "4"
    assert ml.environments.get("conda", label="latest").version == "4"
    assert {e.version for e in ml.environments.list("conda")} == {"3", "4"}
    assert {"image", "conda", "built"} <= {e.name for e in ml.environments.list()}
    ml.environments.archive("image")
    assert "image" not in {e.name for e in ml.environments.list()}
    ml.environments.restore("image")
    assert ml.environments.get("AzureML-sklearn-1.5", label="latest").version


def data():
    file = written("table.csv", "a,b\n1,2\n")
    one = ml.data.create_or_update(Data(name="one", path=str(file), type=AssetTypes.URI_FILE))
    assert (one.version, one.type) == ("1", "uri_file")
    assert one.path.endswith("/table.csv")
    written("tables/table.csv", "a,b\n1,2\n")
    many = Data(name="many", path="tables", type=AssetTypes.URI_FOLDER, tags={"a": "b"})
    assert ml.data.create_or_update(many).type == "uri_folder"
    table = {
        "paths": [{"file": "./table.csv"}],
        "transformations": [{"read_delimited": {"delimiter": ","}}],
    }
    written("tables/MLTable", yaml.safe_dump(table))
    table = Data(name="table", path="tables", type=AssetTypes.MLTABLE)
    assert ml.data.create_or_update(table).type == "mltable"
    written("data.yml", "name: of-file\ntype: uri_folder\npath: tables\nversion: '2020-01-01'\n")
    assert ml.data.create_or_update(load_data("data.yml")).version == "2020-01-01"
    remote = Data(name="many", path="https://example.org/x/", type=AssetTypes.URI_FOLDER)
    assert ml.data.create_or_update(remote).version == "2"
    assert ml.data.get("many", label="latest").path == "https://example.org/x/"
    assert {d.version for d in ml.data.list("many")} == {"1", "2"}
    ml.data.archive("many", version="1")
    assert {d.version for d in ml.data.list("many")} == {"2"}
    ml.data.restore("many", version="1")
    assert {d.name for d in ml.data.list()} == {"one", "many", "table", "of-file"}


def components():
    train = command(
        name="train",
        display_name="Train",
        code=str(written("src/train.py", "print('hello')\n").parent),
        command="python train.py --rate ${{inputs.rate}} --out ${{outputs.model}}",
        environment="image@latest",
        inputs={"rate": Input(type="number", default=0.1), "table": Input(type="uri_file")},
        outputs={"model": Output(type="uri_folder")},
    )
    made = ml.components.create_or_update(train.component, version="1")
    assert (made.name, made.version, made.display_name) == ("train", "1", "Train")
    assert set(made.inputs) == {"rate", "table"}
    text = {"$schema": "x", "type": "command", "name": "score", "version": "1"} | {
        "command": "echo ${{inputs.word}}",
        "environment": "azureml:image:1",
        "inputs": {"word": {"type": "string"}},
    }
    written("score.yml", yaml.safe_dump(text))
    ml.components.create_or_update(load_component("score.yml"))
    assert ml.components.get("score").inputs["word"].type == "string"
    assert ml.components.get("train", label="latest").version == "1"
    assert {c.name for c in ml.components.list()} == {"train", "score"}
    ml.components.archive("train")
    assert {c.name for c in ml.components.list()} == {"score"}
    ml.components.restore("train")


def pages():
    for number in range(35):
        path = "azureml://datastores/workspaceblobstore/paths/x"
        ml.models.create_or_update(Model(name="paged", version=str(number), path=path))
    assert {m.version for m in ml.models.list("paged")} == {str(n) for n in range(35)}


def absences():
    refusal(ResourceNotFoundError, lambda: ml.models.get("none", "1"), "none")
    refusal(ResourceNotFoundError, lambda: ml.data.get("none", "1"), "none")
    refusal(ResourceNotFoundError, lambda: ml.environments.get("none", "1"), "none")
    refusal(ResourceNotFoundError, lambda: ml.components.get("none", "1"), "none")
    assert list(ml.models.list("none")) == []


for step in (models, versions, environments, data, components, pages, absences):
    step()
    print(step.__name__, flush=True)
