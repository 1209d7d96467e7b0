"""Files that are opened only if no link leads to them."""

import os

import pytest

from lazulite.executors.links import opener_without_links


def test_folders_are_made_on_the_way_and_text_is_appended(tmp_path):
    file = tmp_path / "user/stdout/log.txt"
    for text in ("a", "b"):
        with open(file, "a", opener=opener_without_links) as log:
            log.write(text)
    assert file.read_text() == "ab"


def test_what_is_only_read_is_not_made(tmp_path):
    with pytest.raises(FileNotFoundError):
        open(tmp_path / "a/b", opener=opener_without_links)  # noqa: SIM115
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("name", ["log.txt", "folder/log.txt", "new/folder/log.txt"])
def test_nothing_is_written_through_a_link(tmp_path, name):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "victim").write_text("theirs")
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "log.txt").symlink_to(outside / "victim")
    for folder in ("folder", "new"):
        (logs / folder).symlink_to(outside)
    with pytest.raises(OSError, match="link"):
        open(logs / name, "a", opener=opener_without_links)  # noqa: SIM115
    assert [path.name for path in outside.iterdir()] == ["victim"]
    assert (outside / "victim").read_text() == "theirs"


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "log.txt")
    with pytest.raises(OSError, match=r"No such device|plain file"):
        open(tmp_path / "log.txt", "a", opener=opener_without_links)  # noqa: SIM115
