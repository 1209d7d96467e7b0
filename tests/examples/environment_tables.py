"""The tables of docs/environments.md, read from those that builds use."""

from lazulite.environments.known_images import PYTHONS
from lazulite.environments.curated import CURATED
from lazulite.environments.pypi_names import (
    BUNDLED,
    BUNDLED_PREFIXES,
    CONDA_ONLY,
    PROGRAMS,
    PYPI_NAMES,
)


def names_table():
    """conda's name and PyPI's."""
    return _table("conda", "PyPI", ((_code(a), _code(b)) for a, b in PYPI_NAMES.items()))


def bundled_list():
    """Libraries that are left out."""
    families = (f"`{prefix}...`" for prefix in BUNDLED_PREFIXES)
    return ", ".join([*map(_code, sorted(BUNDLED)), *families])


def programs_list():
    """Programs that are left out."""
    return ", ".join(map(_code, sorted(PROGRAMS)))


def conda_only_table():
    """What is refused, and why."""
    return _table("package", "remedy", ((_code(a), b) for a, b in CONDA_ONLY.items()))


def images_table():
    """Patterns of image names and the Python in them."""
    rows = ((_code(pattern.replace("|", "\\|")), _python(python)) for pattern, python in PYTHONS)
    return _table("image (a regular expression)", "Python", rows)


def curated_table():
    """Curated environments with their packages."""
    rows = ((each.name, each.python, each.packages) for each in CURATED.values())
    lines = (f"| {_code(a)} | {b} | {', '.join(map(_code, c))} |" for a, b, c in rows)
    return "\n".join(["| name | Python | packages |", "|---|---|---|", *lines])


def _python(text):
    return text if text[0].isdigit() else "the one in its name or tag"


def _code(text):
    return f"`{text}`"


def _table(first, second, rows):
    lines = (f"| {a} | {b} |" for a, b in rows)
    return "\n".join([f"| {first} | {second} |", "|---|---|", *lines])
