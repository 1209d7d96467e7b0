"""What `configure` keeps, also when several of them keep something at once."""

import json
from pathlib import Path

import pytest

from lazulite.cli import private_files
from lazulite.cli.defaults import keep_defaults, place_of_defaults, read_defaults


def test_what_is_kept_adds_up_and_an_empty_text_forgets(tmp_path):
    keep_defaults(tmp_path, {"workspace": "w", "resource_group": "g"})
    assert keep_defaults(tmp_path, {"workspace": ""}) == {"resource_group": "g"}
    assert read_defaults(tmp_path) == {"resource_group": "g"}
    place = place_of_defaults(tmp_path)
    assert place.stat().st_mode & 0o777 == 0o600
    assert list(place.parent.iterdir()) == [place]


def test_one_that_comes_in_between_disturbs_none(tmp_path, monkeypatch):
    """Another one begins and ends between the writing and the replacing of the first."""
    replace = Path.replace

    def interrupted(self, target):
        monkeypatch.setattr(Path, "replace", replace)
        keep_defaults(tmp_path, {"workspace": "second"})
        return self.replace(target)

    monkeypatch.setattr(Path, "replace", interrupted)
    keep_defaults(tmp_path, {"workspace": "first"})
    assert read_defaults(tmp_path) == {"workspace": "first"}


def test_what_cannot_be_kept_leaves_what_was_there(tmp_path, monkeypatch):
    keep_defaults(tmp_path, {"workspace": "w"})

    def refuse(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(private_files.Path, "replace", refuse)
    with pytest.raises(OSError, match="No space"):
        keep_defaults(tmp_path, {"workspace": "other"})
    place = place_of_defaults(tmp_path)
    assert json.loads(place.read_text()) == {"workspace": "w"}
    assert list(place.parent.iterdir()) == [place]
