"""What MLflow models without code are given: tables and images as the model's signature has them.

Errors name the file, the column, what the signature says and the value that does not fit.
"""

import os

from lazulite_worker import batch_table
from lazulite_worker.batch_inputs import RowRange

TABLES = {".csv": "csv", ".parquet": "parquet", ".pqt": "parquet", ".jsonl": "jsonl",
          ".ndjson": "jsonl"}  # fmt: skip
"""Azure has CSV and Parquet; JSON lines come on top."""
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
_FLOATS = ("float", "double")


class SignatureError(ValueError):
    """The file is not what the model's signature asks for."""


def read(path, schema):
    """The DataFrame or array in a file, by its extension.

    schema: of the model's inputs, or None. Raises ValueError for other extensions and for what does
    not fit the schema, and what the readers raise.
    """
    extension = os.path.splitext(path)[1].lower()
    if extension in TABLES:
        return read_part(RowRange(path, TABLES[extension], 0, 0, -1, 0, 0), schema)
    if extension in IMAGES:
        return read_image(path, schema)
    raise ValueError(
        "Error processing input file: '%s'. File type '%s' is not supported; use one of %s"
        % (path, extension.lstrip("."), ", ".join([*sorted(TABLES), *IMAGES]))
    )


def read_part(part, schema):
    """The rows of a RowRange, with the columns that the signature names and of its types."""
    columns = _columns(schema)
    frame = _csv(part, columns) if part.form == "csv" else batch_table.frame(part)
    _check_names(part.path, frame, columns)
    if part.form == "parquet":  # has types of its own; MLflow refuses a long for a double
        columns = [column for column in columns if column.type.name in _FLOATS]
    for column in columns:
        if column.name in frame.columns:
            frame[column.name] = _typed(part.path, frame[column.name], column)
    return frame


def read_image(path, schema):
    """The image as an array: of the signature's type and shape, else uint8 as it is."""
    import numpy  # noqa: PLC0415 - comes with MLflow in the user's environment
    from PIL import Image  # noqa: PLC0415 - as above

    with Image.open(path) as image:
        pixels = numpy.array(image)
    if schema is None or not schema.is_tensor_spec():
        return pixels.astype(numpy.uint8)
    tensor = schema.inputs[0]
    try:
        return pixels.astype(tensor.type).reshape(tensor.shape)
    except ValueError as error:
        message = "%s: an image of shape %s does not make the %s of the model's signature: %s"
        raise SignatureError(message % (path, pixels.shape, tuple(tensor.shape), error)) from None


def _csv(part, columns):
    """As texts where the signature asks for texts: "007" is no 7."""
    texts = {column.name: "str" for column in columns if column.type.name == "string"}
    file = part.path if part.length < 0 else batch_table.source(part)
    return batch_table.pandas.read_csv(file, dtype=texts)


def _columns(schema):
    """The named columns of a signature."""
    if schema is None or schema.is_tensor_spec():
        return []
    return [column for column in schema.inputs if column.name is not None]


def _check_names(path, frame, columns):
    missing = [
        column.name
        for column in columns
        if column.name not in frame.columns and _is_required(column)
    ]
    if missing:
        message = "%s lacks %s, which the model's signature asks for; its columns are %s"
        raise SignatureError(message % (path, _listed(missing), _listed(frame.columns)))


def _is_required(column):
    return getattr(column, "required", not getattr(column, "optional", False))


def _typed(path, series, column):
    """The values in the signature's type. MLflow itself checks types, but converts little."""
    kind = column.type.name
    if not _is_required(column) and series.isna().any():
        return series
    if kind == "datetime":
        convert = batch_table.pandas.to_datetime
    elif kind in TYPES:
        dtype = TYPES[kind]
        if str(series.dtype) == dtype or kind == "string":
            return series
        convert = _exactly(dtype)
    else:
        return series
    try:
        return convert(series)
    except (TypeError, ValueError, OverflowError):
        message = "%s: the column %r has %r, and the model's signature says %s"
        value = _plain(_first_misfit(series, convert))
        raise SignatureError(message % (path, column.name, value, kind)) from None


def _exactly(dtype):
    """A conversion that loses nothing: 1.5 is no integer, and 2 no boolean."""

    def convert(series):
        converted = series.astype(dtype)
        if dtype.startswith("float"):
            return converted
        if not (converted == series).all():
            raise ValueError(dtype)
        return converted

    return convert


def _first_misfit(series, convert):
    for place in range(len(series)):
        try:
            convert(series.iloc[place : place + 1])
        except (TypeError, ValueError, OverflowError):
            return series.iloc[place]
    return None


def _plain(value):
    """A value of numpy as Python's own, which shows itself better."""
    return value.item() if hasattr(value, "item") else value


def _listed(names):
    return ", ".join(repr(str(name)) for name in names)
