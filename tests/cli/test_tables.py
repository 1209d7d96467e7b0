"""What `-o table` shows, and that every list has columns."""

import pytest

from lazulite.cli.commands import COLUMNS
from lazulite.cli.ml_commands import ML, ML_COLUMNS
from lazulite.cli.tables import columns_of, rows

KNOWN = {**COLUMNS, **ML_COLUMNS}
LISTS = [f"ml {each.name}" for each in ML if each.name.endswith((" list", "-jobs"))]


@pytest.mark.parametrize("name", LISTS)
def test_every_list_of_ml_has_columns(name):
    assert columns_of(name, KNOWN)[0] == "name"


def test_a_commands_own_columns_come_before_those_of_its_noun():
    assert columns_of("ml job failed-items", KNOWN)[0] == "file"
    assert columns_of("ml job list", KNOWN)[0] == "name"
    assert columns_of("version", KNOWN) is None


def test_a_command_of_ml_and_one_of_ours_have_columns_of_their_own():
    assert "version" in columns_of("ml environment list", KNOWN)
    assert "packages" in columns_of("environment list", KNOWN)


def test_jobs_of_endpoints_are_shown_alike_by_all_their_commands():
    nouns = ("batch-endpoint", "batch-deployment", "endpoint")
    assert {columns_of(f"ml {noun} list-jobs", KNOWN) for noun in nouns} == {
        ("name", "status", "miniBatchSize", "error")
    }


def test_types_and_ids_are_shown(server, lazulite):
    server.keep("computes/c", {"properties": {"computeType": "AmlCompute", "properties": {}}})
    _, out, _ = lazulite("ml", "compute", "list", "-o", "table")
    assert out.splitlines()[0].split()[:2] == ["Name", "Type"]
    assert out.splitlines()[2].split()[:2] == ["c", "amlcompute"]


def test_a_value_takes_one_line():
    shown = rows(
        ("name", "traffic", "error", "text"),
        [{"name": "e", "traffic": {"a": 1, "b": 2}, "error": {"code": "C"}, "text": "x\nlast\n\n"}],
    )
    assert shown == [{"Name": "e", "Traffic": "a=1 b=2", "Error": "C", "Text": "last"}]


def test_what_is_no_resource_is_shown_as_it_is():
    assert rows(("name",), [{"count": 1}, "text"]) == [{"count": 1}, "text"]


@pytest.mark.parametrize("form", ["json", "jsonc", "yaml", "yamlc", "table", "tsv", "none"])
def test_every_format_takes_a_query(server, lazulite, form):
    server.keep("computes/c", {"properties": {}})
    code, out, _ = lazulite("ml", "compute", "list", "--query", "[].{n: name}", "-o", form)
    assert code == 0
    assert ("c" in out) is (form != "none")
    assert "\x1b" not in out
