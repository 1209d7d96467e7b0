"""MLflow models served without a script: JSON to what the model takes, predictions to JSON.

Accepts Azure's {"input_data": ...} and the forms of MLflow's own server, CSV too; column names and
types are those of the model's signature. Runs in the user's environment, so any MLflow from 1.x on.
Source: spec/ONLINE.md 6, DESIGN.md 10; learn.microsoft.com, "Deploy MLflow models".
"""

import base64
import io
import logging
import os

from lazulite_worker.mlflow_bodies import CSV, read_body
from lazulite_worker.script import BadInputError, MethodNotAllowedError
from lazulite_worker.swagger import Schema

_SCHEMAS = {
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer", "format": "int32"},
    "long": {"type": "integer", "format": "int64"},
    "float": {"type": "number", "format": "float"},
    "double": {"type": "number", "format": "double"},
    "datetime": {"type": "string", "format": "date-time"},
    "binary": {"type": "string", "format": "byte"},
}
_NUMBERS = {"integer": "int32", "long": "int64", "float": "float32", "double": "float64"}

logger = logging.getLogger("azmlinfsrv.mlflow")


class MlflowScorer(object):
    """A scorer for a model folder: init() loads it, then inputs() and run() for each request."""

    def __init__(self, folder):
        """folder: holds MLmodel, or one folder that does."""
        self._folder = model_folder(folder)
        self._model = None
        self._columns = None

    def init(self):
        """Load the model. Raises what MLflow raises."""
        # MLflow is the user's and slow to import: only a replica that needs it pays.
        import mlflow.pyfunc  # noqa: PLC0415

        self._model = mlflow.pyfunc.load_model(self._folder)
        self._columns = _columns(self._model)
        logger.info("Loaded the MLflow model in %s", self._folder)

    def schema(self):
        """What the model takes, for swagger.json."""
        if self._columns is None:
            return Schema()
        rows = {"type": "array", "items": {"type": "array", "items": {}}}
        names = [column.name for column in self._columns]
        frame = {
            "type": "object",
            "properties": {
                "columns": {"type": "array", "items": {"type": "string"}},
                "index": {"type": "array", "items": {"type": "integer"}},
                "data": rows,
            },
            "example": {"columns": names, "index": [0], "data": [[None] * len(names)]},
        }
        takes = {"type": "object", "required": ["input_data"], "properties": {"input_data": frame}}
        takes["x-columns"] = {column.name: _SCHEMAS.get(column.kind) for column in self._columns}
        return Schema(takes, {"type": "array", "items": {}})

    def inputs(self, request):
        """The model's input from the body; BadInputError says what the model expects."""
        if request.method != "POST":
            raise MethodNotAllowedError(request.method)
        body = read_body(request)
        try:
            return self._input(body.form, body.value), body.params
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise BadInputError(
                "%r cannot be read: %s. %s" % (body.form, error, self._expectation())
            ) from None

    def run(self, inputs):
        """Predict; a JSON-ready value. BadInputError if the signature refuses the input."""
        value, params = inputs
        given = {"params": params} if params else {}
        try:
            result = self._model.predict(value, **given)
        except Exception as error:
            if getattr(error, "error_code", None) in ("INVALID_PARAMETER_VALUE", "BAD_REQUEST"):
                raise BadInputError("%s %s" % (error, self._expectation())) from None
            raise
        return json_ready(result)

    def _input(self, form, value):
        if form == CSV:
            import pandas  # noqa: PLC0415 - see init()

            frame = pandas.read_csv(io.StringIO(value))
            return frame if self._columns is None else self._typed(frame)
        if self._columns is None and self._has_signature():
            return self._tensors(form, value)
        frame = self._frame(form, value)
        if frame is None:
            return self._tensors(form, value)
        return frame if self._columns is None else self._typed(frame)

    def _frame(self, form, value):
        """A DataFrame, or None for input that is an array rather than a table."""
        import pandas  # noqa: PLC0415 - see init()

        if (
            isinstance(value, dict)
            and "data" in value
            and set(value) <= {"columns", "index", "data"}
        ):
            return pandas.DataFrame(
                value["data"],
                columns=value.get("columns", self._names(value["data"])),
                index=value.get("index"),
            )
        if form == "dataframe_split":
            raise ValueError('it needs "columns" and "data"')
        if isinstance(value, dict):
            if form == "inputs" and self._columns is None:
                return None
            return pandas.DataFrame(
                value if any(isinstance(one, list) for one in value.values()) else [value]
            )
        if not isinstance(value, list):
            raise TypeError("it is neither a list nor an object")
        if all(isinstance(row, dict) for row in value):
            return pandas.DataFrame(value)
        if self._columns is None:
            return None
        return pandas.DataFrame(value, columns=self._names(value))

    def _names(self, rows):
        """The signature's column names for rows without any, if their width fits."""
        width = len(rows[0]) if rows and isinstance(rows[0], list) else 1
        if self._columns is None or len(self._columns) != width:
            return None
        return [column.name for column in self._columns]

    def _typed(self, frame):
        """The frame with the signature's columns, in their order and types."""
        missing = [
            column.name
            for column in self._columns
            if column.required and column.name is not None and column.name not in frame.columns
        ]
        if missing:
            raise BadInputError(
                "Columns are missing: %s. The request has: %s. %s"
                % (_listed(missing), _listed(frame.columns), self._expectation())
            )
        typed = frame.copy()
        for position, column in enumerate(self._columns):
            name = frame.columns[position] if column.name is None else column.name
            if name in frame.columns:
                typed[name] = _converted(frame[name], column)
        return typed

    def _tensors(self, form, value):
        import numpy  # noqa: PLC0415 - see init()

        kinds = self._tensor_types()
        if isinstance(value, dict):
            return {name: numpy.array(one, dtype=kinds.get(name)) for name, one in value.items()}
        if form in ("instances", "input_data") and value and isinstance(value[0], dict):
            names = list(value[0])
            rows = {name: [row[name] for row in value] for name in names}
            return {name: numpy.array(rows[name], dtype=kinds.get(name)) for name in names}
        return numpy.array(value, dtype=kinds.get(None) or next(iter(kinds.values()), None))

    def _has_signature(self):
        signature = self._model.metadata.signature
        return signature is not None and signature.inputs is not None

    def _tensor_types(self):
        if not self._has_signature():
            return {}
        return {spec.name: spec.type for spec in self._model.metadata.signature.inputs.inputs}

    def _expectation(self):
        if self._columns is None:
            if not self._has_signature():
                return "The model has no signature that says what it expects."
            return "The model expects: %s." % self._model.metadata.signature.inputs
        listed = ("%s (%s)" % (column.name, column.kind) for column in self._columns)
        return "The model expects the columns: %s." % ", ".join(listed)


class Column(object):
    """One column of a signature. kind: MLflow's name of the type, such as double."""

    def __init__(self, name, kind, required):
        self.name = name
        self.kind = kind
        self.required = required


def model_folder(folder):
    """The folder that holds MLmodel: this one, or the only one below it that does."""
    if os.path.isfile(os.path.join(folder, "MLmodel")):
        return folder
    below = [
        os.path.join(folder, name)
        for name in sorted(os.listdir(folder))
        if os.path.isfile(os.path.join(folder, name, "MLmodel"))
    ]
    if len(below) != 1:
        raise FileNotFoundError(
            "%s is no MLflow model: there is no MLmodel file in it, and %d folders below have one."
            % (folder, len(below))
        )
    return below[0]


def json_ready(value):
    """Predictions as Azure sends them: arrays as lists, tables as a list of records."""
    kind = type(value).__name__
    if kind == "Series":
        value = value.to_frame()
        kind = "DataFrame"
    if kind == "DataFrame":
        return [_plain(row) for row in value.to_dict(orient="records")]
    return _plain(value)


def _plain(value):
    """Arrays, numpy scalars and times inside a value made into JSON's types."""
    if isinstance(value, dict):
        return {
            name if isinstance(name, str) else str(name): _plain(one) for name, one in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value


def _columns(model):
    """The signature's columns, or None: there is no signature, or it is one of tensors."""
    signature = model.metadata.signature
    if signature is None or signature.inputs is None or signature.inputs.is_tensor_spec():
        return None
    return [
        Column(
            spec.name,
            getattr(spec.type, "name", str(spec.type)),
            getattr(spec, "required", not getattr(spec, "optional", False)),
        )
        for spec in signature.inputs.inputs
    ]


def _converted(series, column):
    """The values in the column's type. ValueError if one does not fit."""
    import pandas  # noqa: PLC0415 - see MlflowScorer.init

    if column.kind == "binary":
        return series.map(lambda text: base64.b64decode(text) if isinstance(text, str) else text)
    if column.kind == "datetime":
        return pandas.to_datetime(series)
    if column.kind == "boolean":
        _check_values(series, column, lambda one: isinstance(one, bool))
        return series
    dtype = _NUMBERS.get(column.kind)
    if dtype is None or (not column.required and series.isna().any()):
        return series
    if column.kind in ("integer", "long"):
        _check_values(series, column, lambda one: float(one).is_integer())
    try:
        return series.astype(dtype)
    except (TypeError, ValueError):
        raise ValueError(
            "column %r must be %s, got %s" % (column.name, column.kind, list(series[:3]))
        ) from None


def _check_values(series, column, fits):
    for one in series:
        try:
            good = fits(one)
        except (TypeError, ValueError):
            good = False
        if not good:
            raise ValueError("column %r must be %s, got %r" % (column.name, column.kind, one))


def _listed(names):
    return ", ".join(str(name) for name in names)
