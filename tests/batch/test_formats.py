"""Output formats with columns, from blocks to files."""

import json
import random
import subprocess

import pytest

from lazulite.batch import parquet, parquet_footer
from lazulite.batch.formats import FORMATS, Block, encoded, read_blocks
from tests.science import science_python

MIXED = [
    Block(["name", "n"], [["a", 'b,"c'], [1, None]]),
    Block(["n", "more"], [[2.5], [[1, {"x": True}]]]),
]
READ = """
import json, sys
from pyarrow.parquet import ParquetFile
file = ParquetFile(sys.argv[1])
table = file.read()
kinds = {field.name: str(field.type) for field in table.schema}
print(json.dumps([kinds, table.to_pydict(), file.num_row_groups]))
"""


def written(output_format, blocks):
    return b"".join(encoded(output_format, lambda: iter(blocks)))


def read_back(path):
    """What Apache Arrow finds in a Parquet file: types, columns, number of row groups."""
    command = [science_python(), "-c", READ, str(path)]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_blocks_come_in_pieces_of_any_size(size):
    lines = "".join(f"{json.dumps(part)}\n" for block in MIXED for part in block).encode()
    pieces = [lines[begin : begin + size] for begin in range(0, len(lines), size)]
    assert list(read_blocks(pieces)) == MIXED


def test_csv_has_one_header_of_all_columns():
    text = written("csv", MIXED).decode()
    assert text == 'name,n,more\na,1,\n"b,""c",,\n,2.5,"[1, {""x"": true}]"\n'


def test_json_lines_have_the_columns_of_their_mini_batch():
    lines = written("jsonl", MIXED).decode().splitlines()
    assert list(map(json.loads, lines)) == [
        {"name": "a", "n": 1},
        {"name": 'b,"c', "n": None},
        {"n": 2.5, "more": [1, {"x": True}]},
    ]


def test_json_lines_are_json_whatever_the_values_are():
    block = Block(["é"], [[float("inf"), "\udcff", [float("-inf")]]])
    lines = written("jsonl", [block]).decode().splitlines()
    assert list(map(json.loads, lines)) == [{"é": None}, {"é": "\udcff"}, {"é": [None]}]


def test_a_lone_surrogate_is_escaped_in_csv_and_a_byte_of_a_name_stays_one():
    block = Block(["text"], [["cut \ud83d", "name \udcff", "é"]])
    assert written("csv", [block]) == b"text\ncut \\ud83d\nname \xff\n\xc3\xa9\n"


EMPTY = Block([], [[None, None]])


def test_rows_without_columns_are_rows():
    some = Block(["n"], [[1]])
    assert written("jsonl", [EMPTY, some]) == b'{}\n{}\n{"n": 1}\n'
    assert written("csv", [EMPTY, some]) == b'n\n""\n""\n1\n'
    assert written("csv", [EMPTY]) == b'value\n""\n""\n'


def test_rows_without_columns_are_rows_in_parquet(tmp_path):
    for name, blocks in (("all", [EMPTY]), ("some", [EMPTY, Block(["n"], [[1]])])):
        (tmp_path / name).write_bytes(written("parquet", blocks))
    assert parquet_footer.rows_of_groups(bytes(tmp_path / "all")) == [2]
    assert parquet_footer.rows_of_groups(bytes(tmp_path / "some")) == [3]


def test_parquet_is_read_by_others(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "GROUP_ROWS", 1000)
    chance = random.Random(1)
    columns = {
        "whole": [chance.randrange(-(1 << 63), 1 << 63) for _ in range(2500)],
        "number": [chance.choice([1, 2.5, None]) for _ in range(2500)],
        "flag": [chance.choice([True, False, None]) for _ in range(2500)],
        "text": [chance.choice(["é", "", None, "x" * 300]) for _ in range(2500)],
        "none": [None] * 2500,
    }
    blocks = [
        Block(list(columns), [values[begin : begin + 100] for values in columns.values()])
        for begin in range(0, 2500, 100)
    ]
    (tmp_path / "rows.parquet").write_bytes(written("parquet", blocks))
    kinds, found, groups = read_back(tmp_path / "rows.parquet")
    assert list(kinds.values()) == ["int64", "double", "bool", "string", "string"]
    assert (found, groups) == (columns, 3)


def test_a_column_of_mixed_types_is_text_in_parquet(tmp_path):
    blocks = [Block(["mixed", "huge"], [["a", 1, True], [1 << 63, 0, 0]]), *MIXED]
    (tmp_path / "rows.parquet").write_bytes(written("parquet", blocks))
    _, found, _ = read_back(tmp_path / "rows.parquet")
    assert found["mixed"][:3] == ["a", "1", "true"]
    assert found["huge"][:3] == [str(1 << 63), "0", "0"]


@pytest.mark.parametrize("output_format", FORMATS)
def test_no_rows_are_a_file_all_the_same(output_format, tmp_path):
    content = written(output_format, [])
    assert content.startswith({"csv": b"\n", "jsonl": b"", "parquet": b"PAR1"}[output_format])
