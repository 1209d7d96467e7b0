"""What makes two images of a Dockerfile and its context differ."""

import os

import pytest

from lazulite.environments.base_image import BaseImage


def identity(folder):
    return BaseImage(engine="", owner="", context=str(folder)).identity()["context"]


@pytest.fixture
def contexts(tmp_path):
    """Two folders with the same files."""
    for name in ("one", "two"):
        (tmp_path / name / "inner").mkdir(parents=True)
        (tmp_path / name / "Dockerfile").write_text("FROM scratch")
        (tmp_path / name / "link").symlink_to("gone")
    return tmp_path / "one", tmp_path / "two"


def relink(folder):
    (folder / "link").unlink()
    (folder / "link").symlink_to("elsewhere")


def materialise(folder):
    (folder / "link").unlink()
    (folder / "link").write_text("gone")


CHANGES = {
    "another text": lambda folder: (folder / "Dockerfile").write_text("FROM other"),
    "a mode": lambda folder: (folder / "Dockerfile").chmod(0o755),
    "an empty folder": lambda folder: (folder / "more").mkdir(),
    "no folder": lambda folder: (folder / "inner").rmdir(),
    "a link that leads nowhere": lambda folder: (folder / "more").symlink_to("gone"),
    "a link that leads elsewhere": relink,
    "a file in place of a link": materialise,
    "a name that is no text": lambda folder: (folder / os.fsdecode(b"\xff")).touch(),
}


def test_equal_contexts_are_one_image(contexts):
    one, two = contexts
    assert identity(one) == identity(two)


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_the_context_is_another_image(contexts, change):
    one, two = contexts
    CHANGES[change](two)
    assert identity(one) != identity(two)
