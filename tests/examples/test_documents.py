"""docs/documents.md says where each part of the documents is tested: it is there."""

import re
from pathlib import Path

import pytest

from tests.examples.pages import ROOT

PAGE = (ROOT / "docs" / "documents.md").read_text()
FLOWS = Path(__file__).parent / "flows"
ROW = re.compile(r"^\| (?P<part>.+?) \| (?P<places>.*?) \|(?P<here>.*)\|$", re.MULTILINE)
ROWS = [row for row in ROW.finditer(PAGE) if row["places"] not in {"stands in", "---"}]
PLACES = sorted({place for row in ROWS for place in re.findall(r"`([^`]+)`", row["places"])})


@pytest.mark.parametrize("place", PLACES)
def test_a_place_is_there(place):
    name, _, words = place.partition(": ")
    if name.endswith(".sh"):
        text = (FLOWS / name).read_text()
        assert words
        assert f"\n# {words}" in text, "begin a comment of the script with these words"
    else:
        path, _, test = place.partition("::")
        text = (ROOT / path).read_text()
        assert f"def {test}(" in text if test else "def test_" in text


def test_every_part_has_a_place_or_says_why_not():
    assert len(ROWS) > 50
    assert [row["part"] for row in ROWS if not row["places"].strip() and len(row["here"]) < 10] == []


def test_every_section_of_every_flow_is_named():
    sections = {
        f"{flow.name}: {line}"
        for flow in FLOWS.glob("*.sh")
        for line in re.findall(r"^# (.+)$", flow.read_text().partition("\n")[2], re.MULTILINE)
    }
    assert sections
    assert [each for each in sorted(sections) if not each.startswith(tuple(PLACES))] == []
