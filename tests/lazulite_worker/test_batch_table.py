"""Parts of tables as the worker reads them."""

import os

import pytest

from lazulite.batch.row_cuts import cut
from lazulite_worker import batch_table
from lazulite_worker.batch_inputs import RowRange


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"n": 1}\n{"n": 2}\n')
    return path


def parts(path):
    """What workers find in the inputs file."""
    made = cut([os.fsencode(path)], 10, 1, lambda: None)
    return [RowRange.unpack(mini_batch[:-1]) for mini_batch in made]


def test_a_part_is_read_from_the_file_that_was_cut(table):
    assert [batch_table.source(part).read() for part in parts(table)] == [
        b'{"n": 1}\n',
        b'{"n": 2}\n',
    ]


@pytest.mark.parametrize("text", ['{"n": 10}\n{"n": 2}\n', '{"n": 3}\n{"n": 4}\n'])
def test_a_table_that_has_changed_since_is_refused(table, text):
    cut_before, was = parts(table), table.stat().st_mtime_ns
    table.write_text(text)
    os.utime(table, ns=(was + 1, was + 1))
    for part in cut_before:
        with pytest.raises(batch_table.InputChanged, match=r"t\.jsonl has changed since"):
            batch_table.source(part)


def test_parts_of_inputs_files_of_older_versions_are_read_as_they_are(table):
    old = RowRange.unpack(b":jsonl 0 9 9 1 1\0" + os.fsencode(table))
    assert (old.size, batch_table.source(old).read()) == (-1, b'{"n": 2}\n')
