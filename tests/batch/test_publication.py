"""The output file: whole or not there, and never in place of another."""

import errno
import os
from pathlib import Path

import pytest

from lazulite.batch.inputs import ByFiles, InputsFile
from lazulite.batch.journal import Journal, Kind, Record
from lazulite.batch.publication import Publication, rows_in_input_order, summary
from lazulite.core.errors import SpecError


def publication(folder):
    for name in ("job", "out"):
        (folder / name).mkdir(exist_ok=True)
    return Publication(folder / "job", folder / "out" / "predictions.csv")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_only_the_output_is_left(tmp_path):
    output = publication(tmp_path)
    output.publish([b"a\n", b"b\n"])
    output.discard()
    assert output.output.read_bytes() == b"a\nb\n"
    assert (names(tmp_path / "out"), names(tmp_path / "job")) == (["predictions.csv"], [])


def test_an_existing_file_is_an_error_and_stays(tmp_path):
    output = publication(tmp_path)
    output.output.write_text("mine")
    with pytest.raises(SpecError, match="exists and is never overwritten"):
        output.publish([b"a\n"])
    assert output.output.read_text() == "mine"


def test_a_file_that_appears_while_staging_stays(tmp_path):
    output = publication(tmp_path)

    def pieces():
        yield b"ours"
        output.output.write_text("theirs")

    with pytest.raises(SpecError, match="exists"):
        output.publish(pieces())
    assert (output.output.read_text(), names(tmp_path / "job")) == ("theirs", [])


def test_a_job_killed_after_publishing_knows_its_own_file(tmp_path):
    publication(tmp_path).publish([b"a\n"])
    again = publication(tmp_path)
    assert again.is_ours()
    again.check()
    again.publish([b"something else\n"])
    assert again.output.read_bytes() == b"a\n"


def test_a_full_disk_leaves_nothing_half_published(tmp_path):
    output = publication(tmp_path)

    def pieces():
        yield b"half"
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match="No space left"):
        output.publish(pieces())
    assert (names(tmp_path / "out"), names(tmp_path / "job")) == ([], [])


@pytest.mark.skipif(not os.path.ismount("/dev/shm"), reason="needs a second file system")
def test_the_output_may_be_on_another_file_system(tmp_path):
    (tmp_path / "job").mkdir()
    output = Publication(tmp_path / "job", Path(f"/dev/shm/lz-{os.getpid()}.csv"))
    try:
        output.publish([b"a\n", b"b\n"])
        assert output.output.read_bytes() == b"a\nb\n"
        assert output.is_ours()
        output.discard()
        assert not list(Path("/dev/shm").glob(".job.lz-*.csv.part"))
    finally:
        output.output.unlink(missing_ok=True)


def test_the_summary_names_each_file_and_its_fate(tmp_path):
    inputs = InputsFile(tmp_path)
    inputs.write(ByFiles([b"/in/a", b"/in/b c", b"/in/d"], 2))
    journal = Journal(tmp_path, 1, 2)
    journal.commit([Record(1, Kind.FAILED, 4, 1, 0, 0), Record(0, Kind.DONE, 1, 2, 2, 2)])
    text = b"".join(summary(journal, inputs.read()))
    assert text == b'/in/a Succeeded\n"/in/b c" Succeeded\n/in/d Failed\n'
    assert b"".join(rows_in_input_order(journal)) == b""
    journal.close()
