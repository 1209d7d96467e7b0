"""JSON schemas for editors say what the command line checks."""

import json

import jsonschema_rs
import pytest

from lazulite.cli.arguments import Arguments
from lazulite.cli.errors import CommandError
from lazulite.cli.report import Report
from lazulite.cli.schemas import schema, schema_of

NOUNS = schema(Arguments(), {}, Report())


@pytest.mark.parametrize("noun", NOUNS)
def test_a_schema_is_one(noun):
    jsonschema_rs.Draft7Validator(schema_of(noun))


@pytest.mark.parametrize(
    ("field", "value", "is_good"),
    [
        ("instance_count", 3, True),
        ("instance_count", [3], False),
        ("instance_cuont", 3, False),
        ("type", "managed", True),
        ("type", "rented", False),
        ("model", "azureml:m:1", True),
        ("model", {"path": "m"}, True),
        ("model", {"paht": "m"}, False),
        ("scale_settings", None, True),
        ("environment_variables", {"A": 1}, True),
    ],
)
def test_an_editor_sees_what_create_would_refuse(field, value, is_good):
    found = {"$schema": "https://host/s.json", "name": "blue", field: value}
    assert jsonschema_rs.Draft7Validator(schema_of("online-deployment")).is_valid(found) == is_good


def test_all_of_them_are_written_to_a_folder(tmp_path):
    paths = schema(Arguments(folder=str(tmp_path / "new")), {}, Report())
    assert len(paths) == len(NOUNS)
    assert json.loads((tmp_path / "new/job.schema.json").read_text()) == schema_of("job")


def test_an_unknown_noun_is_told_with_the_known_ones():
    with pytest.raises(CommandError, match="did you mean 'model'"):
        schema(Arguments(noun="modle"), {}, Report())
