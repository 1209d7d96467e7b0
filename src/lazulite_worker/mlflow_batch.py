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

LONGEST_ERROR = 2000

log = logging.getLogger("mlflow_batch")


def scorer(folder):
    """A scoring script (init and run) for the model in the folder with MLmodel."""
    return Scorer(folder)


class Rows(list):
    """Output rows that know how many items they came from: a file may give many."""

    def __init__(self):
        super().__init__()
        self.succeeded_items, self._parts = 0, []

    def add(self, predictions, path, first=0):
        """The rows of a file, or of a part of a table that begins with this row."""
        values, file_name = _values(predictions), os.path.basename(path)
        self._parts.append((first, values, file_name))
        name = _fields(file_name)
        self.extend("%d,%s,%s" % (row, _field(one), name) for row, one in enumerate(values, first))

    def records(self):
        """The rows as mappings, for output formats that have columns."""
        return [
            {"row": row, "prediction": value, "file_name": file_name}
            for first, values, file_name in self._parts
            for row, value in enumerate(values, first)
        ]


class Scorer:
    """Scores files with one pyfunc model."""

    def __init__(self, folder):
        self._folder, self._model, self.failures = folder, None, []

    def init(self):
        """Load the model; once per process."""
        import mlflow.pyfunc  # noqa: PLC0415 - takes a second, and exists in these environments only

        self._model = mlflow.pyfunc.load_model(self._folder)

    def run(self, mini_batch):
        """Score each file; one that cannot be scored is logged, and is among the failures then.

        Raises ValueError if none of them could be.
        """
        rows, first, self.failures = Rows(), None, []
        for path in mini_batch:
            try:
                frame = mlflow_inputs.read(path, self._schema())
                rows.add(self._model.predict(frame), path)
                rows.succeeded_items += 1
            except Exception as error:  # whatever model and readers raise
                first = first or error
                log.exception("Error processing input file: '%s'", path)
                told = "%s: %s" % (type(error).__name__, error)
                self.failures.append([path, told[:LONGEST_ERROR]])
        if mini_batch and not rows.succeeded_items:
            raise ValueError("No objects to concatenate: no file was scored; first: %s" % first)
        return rows

    def run_rows(self, part):
        """The same for some rows of a table (RowRange), and how many were read."""
        self.failures = []
        frame = mlflow_inputs.read_part(part, self._schema())
        rows = Rows()
        if len(frame):
            rows.add(self._model.predict(frame), part.path, part.first_row)
        rows.succeeded_items = len(frame)
        return rows, len(frame)

    def shutdown(self):
        """Nothing is left to be done."""

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
