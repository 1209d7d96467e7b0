"""Parts of tables, read for run(): a pandas DataFrame where there is pandas, else plain rows."""

import contextlib
import csv
import io
import json
import os

try:
    import pandas
except ImportError:  # the environment is the user's
    pandas = None


class InputChanged(Exception):  # noqa: N818 - the word of the error codes
    """The file is not the one that was cut: its parts are not what they were."""


class Rows(list):
    """Rows without pandas: a dict each, in CSV all of them texts."""

    attrs = None


def read(part):
    """The rows of a RowRange; their attrs say which `file` they are of and how many come before.

    A DataFrame if the environment has pandas, else Rows. Raises ImportError for Parquet without
    pandas, InputChanged if the file is not as it was when it was cut, and what the readers raise.
    """
    table = _rows(part) if pandas is None else frame(part)
    if hasattr(table, "attrs"):  # pandas has them since 1.0
        table.attrs = {"file": part.path, "first_row": part.first_row}
    return table


def frame(part):
    """The rows as a DataFrame; types are what pandas makes of these rows."""
    if part.form == "csv":
        return pandas.read_csv(source(part))
    if part.form == "jsonl":
        return pandas.DataFrame.from_records(_objects(part))
    return row_groups(part)


def row_groups(part):
    """The row groups of Parquet as a DataFrame."""
    if part.length < 0:
        return pandas.read_parquet(part.path)
    import pyarrow.parquet  # noqa: PLC0415 - what pandas reads Parquet with, mostly

    with _opened(part) as file:
        groups = pyarrow.parquet.ParquetFile(file)
        return groups.read_row_groups(range(part.begin, part.begin + part.length)).to_pandas()


def source(part):
    """The bytes of a part of a text table, as if it was a file of its own."""
    with _opened(part) as file:
        header = file.read(part.header)
        file.seek(part.begin)
        return io.BytesIO(header + file.read(part.length))


@contextlib.contextmanager
def _opened(part):
    """The file, which must be the one that was cut, before it is read and after it."""
    with open(part.path, "rb") as file:
        _refuse_changed(part, file)
        yield file
        _refuse_changed(part, file)


def _refuse_changed(part, file):
    if not part.is_of(os.fstat(file.fileno())):
        raise InputChanged(
            "%s has changed since the job cut it into rows: its parts are not what they were. "
            "Invoke the endpoint again, and leave the table as it is until the job ends."
            % part.path
        )


def _rows(part):
    if part.form == "csv":
        text = io.TextIOWrapper(source(part), "utf-8-sig", newline="")
        return Rows(csv.DictReader(text))
    if part.form == "jsonl":
        return Rows(_objects(part))
    raise ImportError("%s: rows of Parquet need pandas and pyarrow in the environment" % part.path)


def _objects(part):
    lines = source(part).read().decode("utf-8-sig").split("\n")
    return [json.loads(line) for line in lines if line.strip()]
