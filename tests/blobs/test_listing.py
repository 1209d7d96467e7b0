"""Listing, held against a sort of all names."""

from __future__ import annotations

import os
import tempfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazulite.blobs.errors import BlobError
from lazulite.blobs.folder_names import FolderNames, version_of
from lazulite.blobs.listing import Query, list_page
from lazulite.blobs.tree import Tree
from lazulite.blobs.walk import Walk

SEGMENT = st.text("ab-./0é\uffff\U0001f600", min_size=1, max_size=3).filter(
    lambda text: "/" not in text and text not in {".", ".."}
)
NAMES = st.sets(st.lists(SEGMENT, min_size=1, max_size=4).map("/".join), max_size=25)
CONTAINER = ("acc", "con")


def write(root: Path, names: set[str]) -> set[str]:
    """Create the files; of a blob and a folder with one name, the first stays."""
    written = set()
    for name in sorted(names):
        path = root.joinpath(*CONTAINER, name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            continue
        written.add(name)
    return {name for name in written if root.joinpath(*CONTAINER, name).is_file()}


def expected(names: set[str], prefix: str, delimiter: str) -> list[str]:
    found = set()
    for name in names:
        if name.startswith(prefix):
            head, cut, _ = name[len(prefix) :].partition(delimiter) if delimiter else (name, "", "")
            found.add(prefix + head + cut if cut else name)
    return sorted(found)


def page_of(root: Path, query: Query, known: FolderNames | None = None):
    return list_page(Walk(Tree(root), CONTAINER, query, known), query)


def all_pages(root: Path, query: Query, known: FolderNames | None = None) -> list[str]:
    found, marker = [], ""
    while True:
        rest = Query(query.prefix, query.delimiter, marker, query.limit)
        page, marker = page_of(root, rest, known)
        assert len(page) <= query.limit
        found += [item.name for item in page]
        if not marker:
            return found
        assert len(page) == query.limit


@settings(max_examples=150)
@given(
    names=NAMES,
    prefix=st.text("ab-./0", max_size=4),
    delimiter=st.sampled_from(["", "/", "-", "a/", "b"]),
    limit=st.integers(1, 6),
)
def test_pages_together_are_the_sorted_names(names, prefix, delimiter, limit):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        root.joinpath(*CONTAINER).mkdir(parents=True)
        written = write(root, names)
        wanted, query = expected(written, prefix, delimiter), Query(prefix, delimiter, "", limit)
        assert all_pages(root, query) == wanted
        known = FolderNames(least=1, quiet_ns=0)
        assert all_pages(root, query, known) == wanted
        assert all_pages(root, query, known) == wanted


def test_names_that_no_client_could_say_are_left_out(tmp_path):
    folder = tmp_path.joinpath(*CONTAINER)
    folder.mkdir(parents=True)
    (folder / "good").touch()
    (folder / "back\\slash").touch()
    os.close(os.open(os.fsencode(folder) + b"/\xff\xfe", os.O_CREAT))
    assert [item.name for item in page_of(tmp_path, Query())[0]] == ["good"]


def test_empty_folders_do_not_shorten_a_page(tmp_path):
    folder = tmp_path.joinpath(*CONTAINER)
    for n in range(20):
        (folder / f"a{n:02}").mkdir(parents=True)
    (folder / "z").touch()
    assert all_pages(tmp_path, Query(limit=1)) == ["z"]


def test_foreign_marker_is_refused(tmp_path):
    with pytest.raises(BlobError) as refused:
        page_of(tmp_path, Query(marker="é"))
    assert refused.value.code == "InvalidQueryParameterValue"


def test_page_of_a_big_folder_takes_the_memory_of_a_page(tmp_path):
    folder = tmp_path.joinpath(*CONTAINER)
    folder.mkdir(parents=True)
    for n in range(20_000):
        os.close(os.open(folder / f"{n:06}{'x' * 100}", os.O_CREAT | os.O_WRONLY))
    tracemalloc.start()
    try:
        page, marker = page_of(tmp_path, Query(limit=100))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (len(page), bool(marker)) == (100, True)
    assert peak < 500_000  # bytes; the 20,000 names alone are over 3 MB


def test_names_in_memory_are_those_of_the_folder_as_it_is_now(tmp_path):
    folder = tmp_path.joinpath(*CONTAINER)
    folder.mkdir(parents=True)
    for name in "abcd":
        (folder / name).touch()
    known = FolderNames(least=1, quiet_ns=0)
    assert all_pages(tmp_path, Query(limit=1), known) == list("abcd")
    version = version_of_folder(folder)
    assert list(known.find(version)) == [str(name) for name in "abcd"]
    (folder / "c").unlink()
    os.utime(folder, ns=(version[2], version[2] + 1))
    assert all_pages(tmp_path, Query(limit=1), known) == list("abd")


def test_folder_that_has_just_changed_is_not_remembered(tmp_path):
    folder = tmp_path.joinpath(*CONTAINER)
    folder.mkdir(parents=True)
    (folder / "a").touch()
    known = FolderNames(least=1)
    known.keep(version_of_folder(folder), ["a"])
    assert known.find(version_of_folder(folder)) is None


def test_names_that_take_too_much_push_out_what_was_used_longest_ago():
    known, names = FolderNames(least=1, quiet_ns=0), [f"{n:01000}" for n in range(12_000)]
    for number in range(3):
        known.keep((1, number, 0, 0), names)
    assert known.find((1, 0, 0, 0)) is None
    assert known.find((1, 2, 0, 0))[11_999] == names[-1]


def version_of_folder(folder: Path):
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        return version_of(descriptor)
    finally:
        os.close(descriptor)
