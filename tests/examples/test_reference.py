"""The reference pages name everything that there is, and nothing that is gone."""

import re

import pytest

from lazulite.app.asgi import PUBLIC
from tests.examples.pages import ROOT, pages
from tests.examples.reference import DOCS, TABLES, error_codes, generated, numbers, variables

LINK = re.compile(r"\[[^\]]+\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
DOCUMENTED_CODE = re.compile(r"^\| `([A-Z]\w+)` \|", re.MULTILINE)


@pytest.mark.parametrize(("page", "table"), TABLES)
def test_a_generated_table_is_up_to_date(page, table):
    found = generated((DOCS / page).read_text(), table)[0]
    assert found == TABLES[page, table](), "run: python -m tests.examples.reference"


def test_every_error_code_is_documented():
    documented = set(DOCUMENTED_CODE.findall((DOCS / "errors.md").read_text()))
    raised = error_codes()
    missing = {code: raised[code] for code in raised.keys() - documented}
    assert not missing, "docs/errors.md lacks these codes"
    assert not documented - raised.keys(), "docs/errors.md has codes that nothing raises"


def test_every_refusal_of_the_token_service_is_documented():
    page = (DOCS / "errors.md").read_text()
    assert len(numbers()) > 10
    assert [number for number in sorted(numbers()) if f"AADSTS{number}" not in page] == []


def test_error_codes_are_found_in_every_form_that_the_code_gives_them():
    """One of each: a call, a constant, a default, a dict, a rule of HAProxy, a class of its own."""
    assert error_codes().keys() >= {
        "NotFound",
        "DiskFull",
        "InvalidRequirement",
        "ResourceNotReady",
        "TooManyRequests",
        "UnusableSecretFile",
        "HAProxyMissing",
        "OutputWriteFailed",
        "ReplicaFailed",
    }


def test_every_variable_is_documented():
    page = (DOCS / "settings.md").read_text()
    assert [name for name in sorted(variables()) if f"`{name}`" not in page] == []


def test_every_public_route_is_documented():
    page = (DOCS / "rest.md").read_text()
    assert [path for path in sorted(PUBLIC) if f"`{path}`" not in page] == []


@pytest.mark.parametrize("page", pages())
def test_links_lead_somewhere(page):
    for path, anchor in LINK.findall((ROOT / page).read_text()):
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), f"{page}: {path}"
        if anchor:
            assert anchor in anchors(target.read_text()), f"{page}: {path}#{anchor}"


def anchors(text):
    """What GitHub makes of headings."""
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", pages())
def test_a_page_names_no_folder_of_one_machine(page):
    assert re.findall(r"(?<![\w.~])/(?:work|home|root|Users)/\S*", (ROOT / page).read_text()) == []


def test_every_page_is_reached_from_the_readme():
    reached, left = set(), ["README.md"]
    while left:
        page = left.pop()
        if page in reached or not page.endswith(".md"):
            continue
        reached.add(page)
        for path, _ in LINK.findall((ROOT / page).read_text()):
            target = ((ROOT / page).parent / path).resolve()
            if path and target.is_relative_to(ROOT) and target.is_file():
                left.append(str(target.relative_to(ROOT)))
    assert set(pages()) - reached == set()
