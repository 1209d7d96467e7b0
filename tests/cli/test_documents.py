"""YAML files: values, positions, and faults told by file, line and column."""

import pytest

from lazulite.cli.documents import Document, read
from lazulite.cli.errors import CommandError
from lazulite.cli.shapes import FLAG, INTEGER, NUMBER, TEXT, TEXTS, checked

SHAPE = {
    "name": TEXT,
    "version": TEXT,
    "count": INTEGER,
    "wait": NUMBER,
    "enabled": FLAG,
    "tags": TEXTS,
    "action": frozenset({"append_row", "summary_only"}),
    "model": (TEXT, {"path": TEXT}),
}


def write(tmp_path, text):
    path = tmp_path / "d.yml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_schema_line_is_ignored(tmp_path):
    found = read(write(tmp_path, "$schema: https://example/x.json\nname: a\n"))
    assert found.values == {"name": "a"}


def test_values_get_their_proper_types(tmp_path):
    text = "version: 1\ncount: '3'\nwait: 1.5\nenabled: 'true'\ntags: {a: 1}\naction: AppendRow\n"
    values = checked(read(write(tmp_path, text)), SHAPE).values
    assert values == {
        "version": "1",
        "count": 3,
        "wait": 1.5,
        "enabled": True,
        "tags": {"a": "1"},
        "action": "append_row",
    }


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("name: a\ncuont: 1\n", ":2:1: ", "did you mean 'count'?"),
        ("name: a\nmodel:\n  pth: x\n", ":3:3: model.pth", "did you mean 'path'?"),
        ("count: many\n", ":1:1: count", "'many' must be a whole number"),
        ("action: append\n", ":1:1: action", "append_row, summary_only"),
        ("tags: [a]\n", ":1:1: tags", "name: value"),
        ("model: [a]\n", ":1:1: model", "must be text"),
        ("name: {a: b}\n", ":1:1: name", "must be text"),
        ("name: a\nname: b\n", ":2:", "duplicate key"),
        ("name: [a\ncount: 1\n", ":", "not YAML"),
        ("- a\n", ":1:1", "mapping"),
        ("\tname: a\n", ":1:1", "not YAML"),
    ],
)
def test_a_fault_is_told_with_file_line_and_column(tmp_path, text, place, said):
    path = write(tmp_path, text)
    with pytest.raises(CommandError) as caught:
        checked(read(path), SHAPE)
    assert f"{path}{place}" in caught.value.message
    assert said in caught.value.message


def test_paths_are_relative_to_the_file(tmp_path):
    (tmp_path / "model").mkdir()
    found = read(write(tmp_path, "model:\n  path: ./model\n"))
    assert found.file(("model", "path"), "./model").resolve() == (tmp_path / "model").resolve()


def test_a_path_that_is_not_there_is_told_with_its_line(tmp_path):
    path = write(tmp_path, "name: a\nmodel:\n  path: ./gone\n")
    with pytest.raises(CommandError, match="there is no file or folder") as caught:
        read(path).file(("model", "path"), "./gone")
    assert f"{path}:3:3: model.path" in caught.value.message


def test_a_fault_outside_a_file_names_the_field_alone():
    assert Document({}).error(("a", 0, "b"), "is wrong").message == "a[0].b: is wrong"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CommandError, match=r"gone\.yml"):
        read(tmp_path / "gone.yml")


@pytest.mark.parametrize(
    "line",
    ["model: azureml: m:1", "model:azureml:m:1", "model: azureml:m:1", '"model": "azureml:m:1"'],
)
def test_a_reference_may_have_spaces_where_documents_have_them(tmp_path, line):
    (tmp_path / "a.yml").write_text(f"name: x\n{line}\nlast: 1\n")
    found = read(tmp_path / "a.yml")
    assert found.values == {"name": "x", "model": "azureml:m:1", "last": 1}
    assert found.positions["last",] == (3, 1)


@pytest.mark.parametrize("path", ["x", "./x", "file:x", "file:./x", "azureml:./x"])
def test_a_local_path_may_say_so(tmp_path, path):
    (tmp_path / "x").touch()
    found = Document({"path": path}, tmp_path / "a.yml").file(("path",), path)
    assert found.resolve() == tmp_path / "x"


def test_a_part_knows_where_it_stands(tmp_path):
    (tmp_path / "a.yml").write_text("list:\n- name: x\n  inner: {a: 1}\n")
    part = read(tmp_path / "a.yml").part(("list", 0))
    assert part.values["name"] == "x"
    assert "a.yml:3:11: list[0].inner.a: no" in part.part(("inner",)).error(("a",), "no").message
    assert "a.yml:2:3: list[0].other: no" in part.error(("other",), "no").message


def test_a_file_that_is_not_there_is_told_with_where_it_was_looked_for(tmp_path):
    with pytest.raises(CommandError, match=r"There is no file .*none\.yml: --file is relative to"):
        read(tmp_path / "none.yml")
    found = read(write(tmp_path, "path: ./none"))
    with pytest.raises(CommandError, match=r"d\.yml:1:1: path: .*relative to the YAML file's"):
        found.file(("path",), "./none")


@pytest.mark.parametrize(
    ("field", "said"),
    [("zzz", "no such field. Known here: action,"), ("nam", "; did you mean 'name'? Known here:")],
)
def test_a_field_that_is_not_known_is_told_in_sentences(tmp_path, field, said):
    with pytest.raises(CommandError) as caught:
        checked(read(write(tmp_path, f"{field}: 1\n")), SHAPE)
    assert said in caught.value.message
