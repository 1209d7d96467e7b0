"""Tables cut by rows: every row once, in order, none of them in two."""

import csv
import io
import os
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from lazulite.batch.inputs import InputsFile
from lazulite.batch.row_cuts import cut
from lazulite.core.errors import SpecError

FIELDS = some.text(some.sampled_from('ab",\n\r 5é'), max_size=6)
TABLES = some.lists(some.tuples(FIELDS, FIELDS), min_size=1, max_size=12)


def never():
    """Nobody cancels."""


def parts(folder, *paths, rows, files=10):
    """What the mini-batches of the paths are: RowRanges, or lists of paths."""
    inputs = InputsFile(folder)
    inputs.write(cut([os.fsencode(path) for path in paths], files, rows, never))
    found = inputs.read()
    inputs.close()
    (folder / "inputs.bin").unlink()
    numbers = range(len(found))
    assert found.items == sum(found.count(number) for number in numbers)
    return [found.row_range(number) or found[number] for number in numbers]


def content(part):
    """The part as a file of its own."""
    with Path(part.path).open("rb") as file:
        header = file.read(part.header)
        file.seek(part.begin)
        return header + file.read(part.length)


def read(data):
    return list(csv.reader(io.StringIO(data.decode(), newline="")))


@settings(max_examples=200)
@given(table=TABLES, rows=some.integers(1, 5), end=some.sampled_from(["\n", "\r\n"]))
def test_any_csv_gives_the_rows_that_its_reader_finds(tmp_path_factory, table, rows, end):
    folder = tmp_path_factory.mktemp("any")
    # A row of one empty field is written as an empty line, and a lone \r ends a line to readers.
    table = [[f"x{one}".replace("\r", "r"), two.replace("\r", "r")] for one, two in table]
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end).writerows([["a", 'b "c"\nd'], *table])
    (folder / "t.csv").write_bytes(text.getvalue().encode())
    found = parts(folder, folder / "t.csv", rows=rows)
    assert [row for part in found for row in read(content(part))[1:]] == table
    assert [part.first_row for part in found] == list(range(0, len(table), rows))
    assert all(part.rows == rows for part in found[:-1])
    assert sum(part.rows for part in found) == len(table)


def test_a_quote_within_a_field_means_itself(tmp_path):
    table = 'size,note\n5" pipe,"two\nlines"\n6",plain\n7",8"\n"say ""\n""",9\n'
    (tmp_path / "t.csv").write_text(table)
    found = parts(tmp_path, tmp_path / "t.csv", rows=1)
    assert [content(part).partition(b"\n")[2].decode() for part in found] == [
        '5" pipe,"two\nlines"\n',
        '6",plain\n',
        '7",8"\n',
        '"say ""\n""",9\n',
    ]


def test_a_table_of_many_blocks_is_cut_where_rows_end(tmp_path):
    chance = random.Random(5)
    rows = [f'{n},"{"x" * chance.randrange(400)}\n{n}",{n * 7}' for n in range(20_000)]
    (tmp_path / "t.csv").write_text("id,text,value\n" + "\n".join(rows))
    assert (tmp_path / "t.csv").stat().st_size > 4 << 20
    found = parts(tmp_path, tmp_path / "t.csv", rows=3_001)
    assert [row[0] for part in found for row in read(content(part))[1:]] == [
        str(n) for n in range(20_000)
    ]
    assert [part.rows for part in found] == [3_001] * 6 + [1_994]


def test_json_lines_are_cut_at_ends_of_lines(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"a": "\\n\\""}\n{"a": 2}\n{"a": 3}')
    found = parts(tmp_path, tmp_path / "t.jsonl", rows=2)
    assert [content(part) for part in found] == [b'{"a": "\\n\\""}\n{"a": 2}\n', b'{"a": 3}']


def test_files_of_all_sorts_keep_their_order(tmp_path):
    for name in ("b.csv", "e.csv"):
        (tmp_path / name).write_text("n\n1\n2\n3\n")
    (tmp_path / "d.csv").write_text("n\n")
    names = ["a.png", "b.csv", "c1.txt", "c2.txt", "c3.txt", "d.csv", "e.csv"]
    found = parts(tmp_path, *(tmp_path / name for name in names), rows=2, files=2)
    told = [
        [Path(path).name for path in part]
        if isinstance(part, list)
        else (Path(part.path).name, part.first_row, part.rows)
        for part in found
    ]
    assert told == [
        ["a.png"],
        *[("b.csv", 0, 2), ("b.csv", 2, 1)],
        *[["c1.txt", "c2.txt"], ["c3.txt"]],
        *[("e.csv", 0, 2), ("e.csv", 2, 1)],
    ]


def test_tables_without_rows_are_an_error(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n")
    with pytest.raises(SpecError, match="have no rows"):
        parts(tmp_path, tmp_path / "t.csv", rows=2)


def test_a_quote_that_nobody_closes_is_refused_by_name(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,2\n" + '"' + "x,y\n" * (5 << 20))
    with pytest.raises(SpecError, match=r"t\.csv: the row at byte 8 has no end"):
        parts(tmp_path, tmp_path / "t.csv", rows=2)


def test_utf_16_is_refused_by_name(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,2\n", encoding="utf-16")
    with pytest.raises(SpecError, match="UTF-16"):
        parts(tmp_path, tmp_path / "t.csv", rows=2)


LONE_RETURNS = ["t.csv", b"x,y\r1,2\r"], ["t.csv", b'"x",y\r1,"2\n"\r'], ["t.jsonl", b"{}\r{}\r"]


@pytest.mark.parametrize(("name", "content"), LONE_RETURNS, ids=["csv", "quoted", "jsonl"])
def test_rows_that_end_in_a_return_alone_are_refused_by_name(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SpecError, match=r"the row at byte 0 ends in a carriage return alone"):
        parts(tmp_path, tmp_path / name, rows=2)


def test_a_return_in_quotes_is_part_of_a_name(tmp_path):
    (tmp_path / "t.csv").write_bytes(b'"x\ry","two\r\nlines"\r\n1,2\r\n')
    (part,) = parts(tmp_path, tmp_path / "t.csv", rows=2)
    assert read(content(part)) == [["x\ry", "two\r\nlines"], ["1", "2"]]


NO_PARQUET = [b"", b"PAR1", b"PAR1\xff\xff\xff\x7fPAR1", b"\x4c" * 40 + b"\x28\0\0\0PAR1"]


@pytest.mark.parametrize("content", NO_PARQUET, ids=["empty", "short", "too-long", "too-deep"])
def test_what_is_no_parquet_is_one_part_that_its_reader_will_refuse(tmp_path, content):
    (tmp_path / "t.parquet").write_bytes(content)
    (part,) = parts(tmp_path, tmp_path / "t.parquet", rows=2)
    assert (part.form, part.begin, part.length, part.rows) == ("parquet", 0, -1, 1)
