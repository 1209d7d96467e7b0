"""Arguments of a batch job's program."""

import pytest

from lazulite.batch.program_arguments import ProgramArguments, read_arguments


def test_without_any_the_defaults_are_azures():
    assert read_arguments("") == ProgramArguments()
    assert ProgramArguments().first_task_creation_timeout_s == 600


@pytest.mark.parametrize("form", ["--{} {}", "--{}={}"])
def test_what_the_driver_knows_is_read_and_all_words_are_kept(form):
    text = " ".join(
        form.format(*pair)
        for pair in (
            ("first_task_creation_timeout", "90"),
            ("allowed_failed_count", "3"),
            ("allowed_failed_percent", "12.5"),
            ("alpha", "'a b'"),
        )
    )
    found = read_arguments(text)
    assert found.first_task_creation_timeout_s == 90
    assert (found.allowed_failed_count, found.allowed_failed_percent) == (3, 12.5)
    assert "a b" in found.words[-1]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("--first_task_creation_timeout 0", "is 0"),
        ("--first_task_creation_timeout soon", "'soon'"),
        ("--first_task_creation_timeout", "''"),
        ("--allowed_failed_count 1.5", "whole number"),
        ("--allowed_failed_percent 101", "from 0 to 100"),
        ("--name 'open", "closing quotation"),
    ],
)
def test_what_cannot_be_is_refused_with_the_rule(text, why):
    with pytest.raises(ValueError, match=why):
        read_arguments(text)
