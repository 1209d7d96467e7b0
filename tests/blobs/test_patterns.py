"""Patterns of file names."""

import pytest

from lazulite.blobs.patterns import matches


@pytest.mark.parametrize(
    ("pattern", "path", "is_meant"),
    [
        ("", "a/b.csv", True),
        ("*.csv", "b.csv", True),
        ("*.csv", "a/b.csv", False),
        ("*.csv", "b.csvx", False),
        ("**", "a/b.csv", True),
        ("**/*.csv", "b.csv", True),
        ("**/*.csv", "a/b/c.csv", True),
        ("**/*.csv", "a/b/c.png", False),
        ("*/b/*", "a/b/c", True),
        ("*/b/*", "b/c", False),
        ("a/**/b", "a/b", True),
        ("a/**/b", "a/x/y/b", True),
        ("a/**/b", "a/x/y/c", False),
        ("x[1]?.csv*", "x[1]?.csv", True),
        ("x[1]?.csv*", "x1a.csv", False),
        ("*.CSV", "b.csv", False),
    ],
)
def test_stars_stand_for_names_and_folders(pattern, path, is_meant):
    assert matches(pattern, path) is is_meant


def test_a_pattern_of_many_stars_takes_no_time_that_grows_without_bound():
    assert not matches("*a" * 100, "a" * 5000 + "!")
    assert not matches("**/" * 300 + "x", "/".join("a" * 500))
