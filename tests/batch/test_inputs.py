"""Listing inputs and fixing mini-batches."""

import os

import pytest

from lazulite.batch.inputs import ByFiles, Input, InputsFile, list_files
from lazulite.core.errors import SpecError


def never():
    """Nobody cancels."""


def write(folder, paths, size):
    inputs = InputsFile(folder)
    inputs.write(ByFiles(paths, size))
    return inputs


def test_folders_are_listed_recursively_and_sorted_by_path(tmp_path):
    for name in ("b.txt", "a/z.txt", "a/b/c.txt", "c.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    names = [
        os.path.relpath(path, os.fsencode(tmp_path))
        for path in list_files([Input(str(tmp_path))], never)
    ]
    assert names == [b"a/b/c.txt", b"a/z.txt", b"b.txt", b"c.txt"]


def test_a_file_can_be_an_input_and_inputs_keep_their_order(tmp_path):
    (tmp_path / "x").mkdir()
    for name in ("x/1", "a"):
        (tmp_path / name).touch()
    found = list_files([Input(str(tmp_path / "x")), Input(str(tmp_path / "a"))], never)
    assert found == [os.fsencode(tmp_path / "x/1"), os.fsencode(tmp_path / "a")]


def test_sockets_pipes_and_broken_links_are_not_files(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "broken").symlink_to("nowhere")
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    assert [path.rpartition(b"/")[2] for path in list_files([Input(str(tmp_path))], never)] == [
        b"file",
        b"link",
    ]


def test_a_missing_input_is_named(tmp_path):
    with pytest.raises(SpecError, match="no-such-folder does not exist"):
        list_files([Input(str(tmp_path / "no-such-folder"))], never)


def test_a_folder_that_cannot_be_read_is_an_error_of_the_input(tmp_path):
    (tmp_path / "in/sub").mkdir(parents=True)

    def goes_away():
        if (tmp_path / "in/sub").exists():
            (tmp_path / "in/sub").rmdir()
            (tmp_path / "in").rmdir()

    with pytest.raises(SpecError, match=r"in cannot be read: No such file .*/in\)") as caught:
        list_files([Input(str(tmp_path / "in"))], goes_away)
    assert caught.value.code == "InputNotFound"


def test_an_empty_input_is_an_error(tmp_path):
    with pytest.raises(SpecError, match="There is no file in"):
        list_files([Input(str(tmp_path))], never)


@pytest.mark.parametrize(("count", "size"), [(1, 10), (10, 10), (11, 10), (25, 1), (7, 3)])
def test_mini_batches_hold_every_file_once(tmp_path, count, size):
    paths = [b"/in/%d" % number for number in range(count)]
    batches = write(tmp_path, paths, size).read()
    assert [path for batch in batches for path in batch] == [os.fsdecode(path) for path in paths]
    assert [len(batch) for batch in batches] == [batches.count(n) for n in range(len(batches))]
    assert all(len(batch) == size for batch in list(batches)[:-1])


def test_names_that_are_not_utf_8_survive(tmp_path):
    batches = write(tmp_path, [b"/in/\xff\xfe", "/in/é".encode()], 10).read()
    assert [os.fsencode(path) for path in batches[0]] == [b"/in/\xff\xfe", "/in/é".encode()]


def test_a_resumed_job_sees_the_mini_batches_of_the_first_run(tmp_path):
    write(tmp_path, [b"/in/a", b"/in/b"], 1).close()
    again = InputsFile(tmp_path)
    assert again.is_written
    assert list(again.read()) == [["/in/a"], ["/in/b"]]


def test_a_damaged_inputs_file_is_an_error(tmp_path):
    write(tmp_path, [b"/in/a", b"/in/b"], 1).close()
    path = tmp_path / "inputs.bin"
    path.write_bytes(path.read_bytes().replace(b"/in/a", b"/in/x"))
    with pytest.raises(SpecError, match="checksum"):
        InputsFile(tmp_path).read()


def test_an_unfinished_inputs_file_is_begun_anew(tmp_path):
    (tmp_path / "inputs.new").write_bytes(b"torn")
    inputs = InputsFile(tmp_path)
    assert not inputs.is_written
    inputs.write(ByFiles([b"/in/a"], 1))
    assert list(inputs.read()) == [["/in/a"]]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [("*.csv", ["a.csv"]), ("**/*.csv", ["a.csv", "d/b.csv"]), ("d/*", ["d/b.csv", "d/c.png"])],
)
def test_of_a_pattern_only_files_that_fit_are_listed(tmp_path, pattern, names):
    (tmp_path / "d").mkdir()
    for name in ("a.csv", "d/b.csv", "d/c.png"):
        (tmp_path / name).touch()
    found = list_files([Input(str(tmp_path), pattern)], never)
    assert [os.path.relpath(os.fsdecode(path), tmp_path) for path in found] == names


def test_a_pattern_that_fits_nothing_is_named(tmp_path):
    with pytest.raises(SpecError, match=r"\*\.csv"):
        list_files([Input(str(tmp_path), "*.csv")], never)


def test_a_mini_batch_may_be_larger_than_all_files_together(tmp_path):
    batches = write(tmp_path, [b"/in/a", b"/in/b"], 1 << 40).read()
    assert list(batches) == [["/in/a", "/in/b"]]
