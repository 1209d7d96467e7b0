"""Batch scoring of an MLflow model without code. Source: spec/BATCH.md 1.8.

predict() is called once per file; output rows are `row,prediction,file_name`, comma-separated.
"""

import csv
import io
import json
import logging
import os

TABLES = (".csv", ".parquet", ".pqt")
IMAGES = (".png", ".jpg", ".jpeg", ".tiff", ".bmp", ".gif")
TYPES = {
    "string": "str",
    "double": "float64",
    "float": "float32",
    "long": "int64",
    "integer": "int32",
    "boolean": "bool",
}
"""What a column of MLflow's type is read as; those left out are inferred."""

log = logging.getLogger("mlflow_batch")


def scorer(folder):
    """A scoring script (init and run) for the model in the folder with MLmodel."""
    return Scorer(folder)


class Rows(list):
    """Output rows that know how many files they came from: a file may give many."""

    succeeded_items = 0


class Scorer:
    """Scores files with one pyfunc model."""

    def __init__(self, folder):
        self._folder, self._model = folder, None

    def init(self):
        """Load the model; once per process."""
        import mlflow.pyfunc  # noqa: PLC0415 - takes a second, and exists in these environments only

        self._model = mlflow.pyfunc.load_model(self._folder)

    def run(self, mini_batch):
        """Score each file; one that cannot be scored is logged and counts as failed.

        Raises ValueError if none of them could be.
        """
        rows, first = Rows(), None
        for path in mini_batch:
            try:
                rows += self._score(path)
                rows.succeeded_items += 1
            except Exception as error:  # whatever model and readers raise
                first = first or error
                log.exception("Error processing input file: '%s'", path)
        if mini_batch and not rows.succeeded_items:
            raise ValueError("No objects to concatenate: no file was scored; first: %s" % first)
        return rows

    def _score(self, path):
        name = os.path.basename(path)
        predictions = self._model.predict(self._read(path))
        return [_row(number, value, name) for number, value in enumerate(_values(predictions))]

    def _read(self, path):
        extension = os.path.splitext(path)[1].lower()
        if extension in TABLES:
            return read_table(path, extension, _schema(self._model))
        if extension in IMAGES:
            return read_image(path, _schema(self._model))
        raise ValueError(
            "Error processing input file: '%s'. File type '%s' is not supported; use one of %s"
            % (path, extension.lstrip("."), ", ".join(TABLES + IMAGES))
        )


def read_table(path, extension, schema):
    """The DataFrame in a CSV or Parquet file; its columns typed as the signature says."""
    import pandas  # noqa: PLC0415 - comes with MLflow in the user's environment

    kinds = {} if schema is None or schema.is_tensor_spec() else _column_kinds(schema)
    if extension != ".csv":
        frame = pandas.read_parquet(path)
        floats = {name: kind for name, kind in kinds.items() if kind in ("float", "double")}
        return frame.astype(_typed(floats, frame.columns))
    # MLflow checks types but converts little: it refuses 7 for a double, and "007" read as 7.
    present = pandas.read_csv(path, nrows=0).columns
    times = [name for name, kind in kinds.items() if kind == "datetime" and name in present]
    return pandas.read_csv(path, dtype=_typed(kinds, present), parse_dates=times)


def read_image(path, schema):
    """The image as an array: of the signature's type and shape, else uint8 as it is."""
    import numpy  # noqa: PLC0415 - as pandas above
    from PIL import Image  # noqa: PLC0415

    with Image.open(path) as image:
        pixels = numpy.array(image)
    if schema is None or not schema.is_tensor_spec():
        return pixels.astype(numpy.uint8)
    tensor = schema.inputs[0]
    return pixels.astype(tensor.type).reshape(tensor.shape)


def _schema(model):
    return model.metadata.get_input_schema()


def _typed(kinds, columns):
    """Pandas types of those columns that are there."""
    return {name: TYPES[kind] for name, kind in kinds.items() if kind in TYPES and name in columns}


def _column_kinds(schema):
    return {column.name: column.type.name for column in schema.inputs if column.name is not None}


def _values(predictions):
    """One value per row, of what pyfunc models return: frames, series, arrays, lists."""
    if hasattr(predictions, "to_numpy"):
        predictions = predictions.to_numpy()
    if hasattr(predictions, "tolist"):
        predictions = predictions.tolist()
    if not isinstance(predictions, (list, tuple)):
        return [predictions]
    return [_single(value) for value in predictions]


def _single(value):
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _row(number, value, name):
    text = json.dumps(value, default=str) if isinstance(value, (list, dict)) else value
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([number, text, name])
    return line.getvalue()
