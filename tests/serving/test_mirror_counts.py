"""What HAProxy says of mirrored requests."""

from lazulite.serving.mirror_counts import parse_copies

COPIES = "copies Ep.green answered 4\ncopies Ep.green dropped 1\ncopies other.red failed 2\n"
COMMANDS = "Unknown command: 'copies'. Please enter one of the following commands only:\n  help\n"


def test_copies_are_told_by_deployment_and_outcome():
    assert parse_copies(COPIES) == {
        ("ep", "green"): {"answered": 4, "dropped": 1},
        ("other", "red"): {"failed": 2},
    }


def test_without_a_mirror_there_are_none():
    assert parse_copies(COMMANDS) == {}
