"""From what run() returned to output rows, by Azure's rules. Source: spec/BATCH.md 1.2, 1.4."""

import io


def render(result, items):
    """The rows as bytes, how many there are, and how many of the items succeeded.

    A DataFrame's fields are joined by one space with CSV quoting, without header and index; of
    anything else str(element) is a line. Success is counted by the number of elements, unless the
    result says better in an attribute `succeeded_items`. Raises TypeError for None, text, dict and
    whatever cannot be iterated: those are slips, not lists of results.
    """
    text, rows = _frame(result) if hasattr(result, "to_csv") else _lines(result)
    succeeded = min(getattr(result, "succeeded_items", rows), items)
    return text.encode("utf-8", "surrogateescape"), rows, succeeded


def _frame(frame):
    text = io.StringIO()
    frame.to_csv(text, sep=" ", header=False, index=False)
    return text.getvalue(), len(frame)


def elements_of(result):
    """What run() returned as a list. Raises TypeError as render() does."""
    if result is None or isinstance(result, (str, bytes, bytearray, dict)):
        raise TypeError(_refusal(result))
    try:
        elements = iter(result)
    except TypeError:
        raise TypeError(_refusal(result)) from None
    return list(elements)


def _lines(result):
    elements = elements_of(result)
    lines = list(map(str, elements))
    text = "\n".join([*lines, ""])
    if text.count("\n") != len(lines):
        text = "\n".join([*map(_line, elements), ""])
    return text, len(lines)


def _line(element):
    """One row of an element: numpy wraps long arrays; but a str is the user's own layout."""
    text = str(element)
    if isinstance(element, str):
        return text
    return " ".join(part.strip() for part in text.splitlines())


def _refusal(result):
    return (
        "run() returned %s; it must return one element per processed file in a list, tuple, "
        "array or pandas DataFrame" % type(result).__name__
    )
