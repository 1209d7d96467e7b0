"""Parts of tables, read for run(): a pandas DataFrame where there is pandas, else plain rows."""

import csv
import io
import json

try:
    import pandas
except ImportError:  # the environment is the user's
    pandas = None


class Rows(list):
    """Rows without pandas: a dict each, in CSV all of them texts."""

    attrs = None


def read(part):
    """The rows of a RowRange; their attrs say which `file` they are of and how many come before.

    A DataFrame if the environment has pandas, else Rows. Raises ImportError for Parquet without
    pandas, and what the readers raise.
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

    with open(part.path, "rb") as file:
        groups = pyarrow.parquet.ParquetFile(file)
        return groups.read_row_groups(range(part.begin, part.begin + part.length)).to_pandas()


def source(part):
    """The bytes of a part of a text table, as if it was a file of its own."""
    with open(part.path, "rb") as file:
        header = file.read(part.header)
        file.seek(part.begin)
        return io.BytesIO(header + file.read(part.length))


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
