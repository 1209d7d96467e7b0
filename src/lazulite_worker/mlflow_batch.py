"""Batch scoring of an MLflow model without code. Source: spec/BATCH.md 1.8.

predict() is called once per file; output rows are `row,prediction,file_name`, comma-separated. Of a
table that is cut by rows, it is called once per part, and `row` counts from the table's first.
"""

import csv
import io
import json
import logging
import os

from lazulite_worker import mlflow_inputs

log = logging.getLogger("mlflow_batch")


def scorer(folder):
    """A scoring script (init and run) for the model in the folder with MLmodel."""
    return Scorer(folder)


class Rows(list):
    """Output rows that know how many files they came from: a file may give many."""

    def __init__(self):
        super().__init__()
        self.succeeded_items, self._parts = 0, []

    def add(self, values, path, first=0):
        """A row for each value, counted from first."""
        name = os.path.basename(path)
        field = _fields(name)
        self += [
            "%d,%s,%s" % (row, _field(value), field) for row, value in enumerate(values, first)
        ]
        self._parts.append((values, name, first))

    def records(self):
        """The same rows with names, for output formats that have columns."""
        return [
            {"row": row, "prediction": value, "file_name": name}
            for values, name, first in self._parts
            for row, value in enumerate(values, first)
        ]


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
                rows.add(self._score(path), path)
                rows.succeeded_items += 1
            except Exception as error:  # whatever model and readers raise
                first = first or error
                log.exception("Error processing input file: '%s'", path)
        if mini_batch and not rows.succeeded_items:
            raise ValueError("No objects to concatenate: no file was scored; first: %s" % first)
        return rows

    def run_rows(self, part):
        """The same for some rows of a table (RowRange), and how many were read."""
        frame = mlflow_inputs.read_part(part, self._schema())
        rows = Rows()
        rows.add(
            _values(self._model.predict(frame)) if len(frame) else [], part.path, part.first_row
        )
        rows.succeeded_items = len(frame)
        return rows, len(frame)

    def shutdown(self):
        """Nothing is left to be done."""

    def _score(self, path):
        return _values(self._model.predict(mlflow_inputs.read(path, self._schema())))

    def _schema(self):
        return self._model.metadata.get_input_schema()


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


def _field(value):
    if isinstance(value, (float, int)):
        return repr(value)
    return _fields(json.dumps(value, default=str) if isinstance(value, (list, dict)) else value)


def _fields(*values):
    """Fields of CSV, quoted where they must be."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(values)
    return line.getvalue()
