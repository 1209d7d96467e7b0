"""MLflow models without code: real models, real MLflow, in the environment that has it."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.science import science_python

SOURCES = Path(__file__).parents[2] / "src"
pytestmark = pytest.mark.slow
MAKE = """
import sys, json, numpy, pandas, mlflow.pyfunc
from pathlib import Path
from PIL import Image
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema, TensorSpec
folder = Path(sys.argv[1])

class Sum(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        assert model_input["code"].iloc[0].startswith("00")
        return (model_input["a"] + model_input["b"]).to_numpy()

class Two(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return pandas.DataFrame({"x": [1, 2], "y": [0.5, 1.5]})

class Shape(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return [f"{model_input.shape} {model_input.dtype} {model_input.sum():.0f}"]

columns = Schema([ColSpec("double", "a"), ColSpec("double", "b"), ColSpec("string", "code")])
tensor = Schema([TensorSpec(numpy.dtype("float32"), (-1, 2, 2, 3))])
whole = Schema([ColSpec("long", "a"), ColSpec("double", "b"), ColSpec("string", "code")])
for name, model, schema in (("sum", Sum(), columns), ("whole", Sum(), whole), ("two", Two(), None),
                            ("tensor", Shape(), tensor), ("image", Shape(), None)):
    signature = ModelSignature(inputs=schema) if schema is not None else None
    mlflow.pyfunc.save_model(str(folder / name), python_model=model, signature=signature)
frame = pandas.DataFrame({"a": [1, 2], "b": [3.5, 4.5], "code": ["007", "008"]})
frame.to_csv(folder / "t.csv", index=False)
frame.to_parquet(folder / "t.parquet")
frame.to_json(folder / "t.jsonl", orient="records", lines=True)
frame.drop(columns="b").to_csv(folder / "lacks.csv", index=False)
frame.assign(b=["1.5", "much"]).to_csv(folder / "misfit.csv", index=False)
frame.assign(b=[1.5, None]).to_csv(folder / "gap.csv", index=False)
frame.rename(columns={"code": "x"}).assign(code=frame.code, n=[1.5, 2]).to_csv(folder / "more.csv")
Image.fromarray(numpy.ones((5, 1, 3), dtype="uint8")).save(folder / "odd.png")
Image.fromarray(numpy.ones((2, 2, 3), dtype="uint8")).save(folder / "i.png")
(folder / "broken.csv").write_text("")
(folder / "x.avro").write_text("")
"""
SCORE = """
import json, sys
from lazulite_worker import batch_rows, mlflow_batch
scorer = mlflow_batch.scorer(sys.argv[1])
scorer.init()
try:
    text, rows, succeeded = batch_rows.render(scorer.run(sys.argv[2:]), len(sys.argv) - 2)
    print(json.dumps([text.decode(), rows, succeeded]))
except ValueError as error:
    print(json.dumps(str(error)))
"""


def python(*arguments):
    ran = subprocess.run(
        [science_python(), "-W", "ignore", "-c", *map(str, arguments)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    python(MAKE, folder)
    return folder


def score(models, name, *files):
    return json.loads(
        python(SCORE, models / name, *(models / file for file in files)).splitlines()[-1]
    )


def test_tables_give_row_prediction_and_file_name(models):
    assert score(models, "sum", "t.csv", "t.parquet") == [
        "0,4.5,t.csv\n1,6.5,t.csv\n0,4.5,t.parquet\n1,6.5,t.parquet\n",
        4,
        2,
    ]


MISFITS = """
import sys
from pathlib import Path
from lazulite_worker import mlflow_batch
folder = Path(sys.argv[1])
(folder / "n.csv").write_text("a,b,code\\n1.5,1,007\\n")
for case in sys.argv[2:]:
    model, file = case.split(":")
    scorer = mlflow_batch.scorer(str(folder / model))
    scorer.init()
    try:
        scorer.run([str(folder / file)])
    except ValueError as error:
        print(error)
"""


def test_what_does_not_fit_the_signature_is_named(models):
    cases = ("sum:lacks.csv", "sum:misfit.csv", "whole:n.csv", "tensor:odd.png")
    told = python(MISFITS, models, *cases).splitlines()
    for line, expected in zip(
        told[-4:],
        [
            "lacks.csv lacks 'b', which the model's signature asks for; its columns are",
            "misfit.csv: the column 'b' has 'much', and the model's signature says double",
            "n.csv: the column 'a' has 1.5, and the model's signature says long",
            "odd.png: an image of shape (5, 1, 3) does not make the (-1, 2, 2, 3) of the model's",
        ],
        strict=True,
    ):
        assert expected in line


def test_columns_that_the_signature_does_not_name_do_no_harm_and_json_lines_are_tables(models):
    assert score(models, "sum", "more.csv", "t.jsonl")[0] == (
        "0,4.5,more.csv\n1,6.5,more.csv\n0,4.5,t.jsonl\n1,6.5,t.jsonl\n"
    )


PARTS = """
import os, sys
from lazulite.batch.row_cuts import cut
from lazulite_worker import batch_records, batch_rows, mlflow_batch
from lazulite_worker.batch_inputs import RowRange
scorer = mlflow_batch.scorer(sys.argv[1])
scorer.init()
for path in sys.argv[2:]:
    text = ""
    for packed in cut([path.encode()], 1, 3, lambda: None):
        part = RowRange.unpack(packed[:-1])
        result, read = scorer.run_rows(part)
        assert result.succeeded_items == read == part.rows
        text += batch_rows.render(result, read)[0].decode()
    assert text == batch_rows.render(scorer.run([path]), 1)[0].decode()
    print(text.count("\\n"), text.splitlines()[7])
    columns, values = batch_records.render(result, read)[0].decode().splitlines()
    assert columns == '["row", "prediction", "file_name"]', columns
    assert values == '[[6, 7], [9.0, 10.5], ["%s", "%s"]]' % ((os.path.basename(path),) * 2), values
"""
TABLES = """
import pandas, sys
from pathlib import Path
folder = Path(sys.argv[1])
frame = pandas.DataFrame({"a": range(8), "b": [n / 2 for n in range(8)], "code": ["007"] * 8})
frame["note"] = 'two\\nlines, "quoted"'
frame.to_csv(folder / "rows.csv", index=False)
frame.to_json(folder / "rows.jsonl", orient="records", lines=True)
frame.to_parquet(folder / "rows.parquet", row_group_size=2)
"""


def test_rows_of_a_table_give_what_the_whole_table_gives(models):
    """Cut by rows: the same lines, numbered through, however the table is stored."""
    python(TABLES, models)
    names = ("rows.csv", "rows.jsonl", "rows.parquet")
    told = python(PARTS, models / "sum", *(models / name for name in names)).splitlines()
    assert told[-3:] == [f"8 7,10.5,{name}" for name in names]


def test_several_outputs_make_one_field(models):
    text = '0,"[1.0, 0.5]",t.csv\n1,"[2.0, 1.5]",t.csv\n'
    assert score(models, "two", "t.csv") == [text, 2, 1]


def test_images_take_the_signatures_shape_and_type(models):
    assert score(models, "tensor", "i.png")[0] == '0,"(1, 2, 2, 3) float32 12",i.png\n'
    assert score(models, "image", "i.png")[0] == '0,"(2, 2, 3) uint8 12",i.png\n'


def test_a_file_that_cannot_be_scored_counts_as_failed_though_others_give_many_rows(models):
    found = score(models, "sum", "broken.csv", "t.csv", "x.avro")
    assert found == ["0,4.5,t.csv\n1,6.5,t.csv\n", 2, 1]


def test_a_mini_batch_without_any_scored_file_fails_with_the_first_reason(models):
    message = score(models, "sum", "x.avro")
    assert "No objects to concatenate" in message
    assert "File type 'avro' is not supported" in message


COLUMNS = """
import sys
from lazulite_worker import batch_records, mlflow_batch
scorer = mlflow_batch.scorer(sys.argv[1])
scorer.init()
payload, rows, succeeded = batch_records.render(scorer.run(sys.argv[2:]), 2)
print(payload.decode(), rows, succeeded)
"""


def test_output_formats_with_columns_have_the_predictions_as_they_are(models):
    told = python(COLUMNS, models / "sum", models / "t.csv", models / "t.parquet").splitlines()
    assert [json.loads(line) for line in told[-3:-1]] == [
        ["row", "prediction", "file_name"],
        [[0, 1, 0, 1], [4.5, 6.5, 4.5, 6.5], ["t.csv"] * 2 + ["t.parquet"] * 2],
    ]
    assert told[-1] == " 4 2"
