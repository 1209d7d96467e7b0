"""From what run() returned to named columns, for output formats that have columns.

A payload is blocks of at most BLOCK rows. A block is two lines of JSON: the names of the columns,
and one list of values for each; without columns one list of nulls, so that rows are counted. What
JSON has no word for is text; NaN, NaT and NA are null.
"""

import json

from lazulite_worker.batch_rows import elements_of

BLOCK = 4096
ONLY = "value"
"""The column of elements that are neither mappings nor sequences."""
_MISSING = ("NaTType", "NAType")


def render(result, items):
    """As batch_rows.render, which says what is refused, with blocks for lines.

    Columns are those of a DataFrame, the keys of a mapping, the numbers of a sequence's places. A
    result may have better rows for this in records().
    """
    elements = result.records() if hasattr(result, "records") else result
    blocks = _frame(result) if hasattr(result, "to_csv") else _elements(elements_of(elements))
    payload, rows = [], 0
    for columns, values, count in blocks:
        rows += count
        payload += [json.dumps(columns), json.dumps(values or [[None] * count])]
    succeeded = min(getattr(result, "succeeded_items", rows), items)
    return "".join(line + "\n" for line in payload).encode("ascii"), rows, succeeded


def _frame(frame):
    """Of a DataFrame; a Series is one with one column."""
    frame = frame if hasattr(frame, "columns") else frame.to_frame()
    columns = _unique([str(name) for name in frame.columns])
    for begin in range(0, len(frame), BLOCK):
        part = frame.iloc[begin : begin + BLOCK]
        values = [_plain(part.iloc[:, place].tolist()) for place in range(len(columns))]
        yield columns, values, len(part)


def _unique(names):
    """A name that is there twice gets the number of its place."""
    return [
        "%s.%d" % (name, place) if name in names[:place] else name
        for place, name in enumerate(names)
    ]


def _elements(elements):
    for begin in range(0, len(elements), BLOCK):
        records = [_record(element) for element in elements[begin : begin + BLOCK]]
        columns = list(dict.fromkeys(name for record in records for name in record))
        values = [_plain([record.get(name) for record in records]) for name in columns]
        yield columns, values, len(records)


def _record(element):
    """The element as a mapping of names to values."""
    if isinstance(element, dict):
        return {str(name): value for name, value in element.items()}
    names = getattr(element, "_fields", None)
    if hasattr(element, "tolist"):
        element = element.tolist()
    if not isinstance(element, (list, tuple)):
        return {ONLY: element}
    return {names[at] if names else str(at): value for at, value in enumerate(element)}


def _plain(values):
    return [_value(value) for value in values]


def _value(value):
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, float):
        return value if value == value else None
    if isinstance(value, (list, tuple)):
        return _plain(value)
    if isinstance(value, dict):
        return {str(name): _value(item) for name, item in value.items()}
    return _foreign(value)


def _foreign(value):
    """Of another library: numpy's and pandas' values, dates, decimals."""
    if type(value).__name__ in _MISSING:
        return None
    if hasattr(value, "tolist"):
        return _value(value.tolist())
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("utf-8", "backslashreplace")
    return str(value)
