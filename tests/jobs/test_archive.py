"""Zip files from outside: what is kept, and what is refused with nothing kept."""

import stat
import struct
import zipfile

import pytest

from lazulite.core.errors import ArmError
from lazulite.jobs.archive import unpack


def packed(path, *entries):
    """A zip of (name or ZipInfo, content)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as found:
        for name, content in entries:
            found.writestr(name, content)
    return path


def entry(name, mode):
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def refusal(archive, tmp_path, **limits):
    with pytest.raises(ArmError) as refused:
        unpack(archive, tmp_path / "out", **limits)
    assert not (tmp_path / "out").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == [archive.name]
    return refused.value


def test_files_come_out_with_their_folders_and_may_be_executable(tmp_path):
    script = entry("bin/go.sh", stat.S_IFREG | 0o755)
    archive = packed(tmp_path / "a.zip", ("a.py", "1"), ("empty/", ""), (script, "#!/bin/sh"))
    unpack(archive, tmp_path / "out")
    assert (tmp_path / "out" / "a.py").read_text() == "1"
    assert (tmp_path / "out" / "empty").is_dir()
    assert (tmp_path / "out" / "bin" / "go.sh").stat().st_mode & stat.S_IXUSR


@pytest.mark.parametrize(
    "name",
    ["../x", "/abs", "a/../../x", "C:\\x", "C:/x", "a\\..\\b", "a/" + "b" * 101, "a/" * 1001 + "b"],
)
def test_a_name_that_leads_out_or_cannot_be_is_refused(tmp_path, name):
    error = refusal(packed(tmp_path / "a.zip", ("ok.py", "1"), (name, "2")), tmp_path)
    assert (error.status, error.code) == (400, "InvalidArchive")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(tmp_path, kind):
    archive = packed(tmp_path / "a.zip", (entry("loot", kind | 0o777), "/etc/passwd"))
    assert refusal(archive, tmp_path).code == "InvalidArchive"


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("pair", [("a", "a"), ("a", "a/b"), ("./a", "a")])
def test_two_entries_for_one_place_are_refused(tmp_path, pair):
    archive = packed(tmp_path / "a.zip", *((name, "1") for name in pair))
    assert refusal(archive, tmp_path).code == "InvalidArchive"


def test_a_bomb_is_refused_by_its_ratio(tmp_path):
    archive = packed(tmp_path / "a.zip", ("zeros", bytes(16 << 20)))
    assert archive.stat().st_size * 200 < 16 << 20
    assert (refusal(archive, tmp_path).status, refusal(archive, tmp_path).code) == (
        413,
        "ArchiveTooLarge",
    )


def test_more_bytes_than_allowed_are_refused(tmp_path):
    archive = packed(tmp_path / "a.zip", ("one", b"x" * 600), ("two", b"y" * 600))
    assert refusal(archive, tmp_path, most_bytes=1000).status == 413


def test_a_directory_that_is_too_large_is_not_even_read(tmp_path):
    archive = packed(tmp_path / "a.zip", ("one", "1"))
    data = bytearray(archive.read_bytes())
    struct.pack_into("<L", data, data.rindex(b"PK\5\6") + 12, 0xFFFFFFFF)
    archive.write_bytes(data)
    assert refusal(archive, tmp_path).status == 413


@pytest.mark.parametrize("damage", ["text", "cut", "flipped", "method"])
def test_what_is_no_sound_zip_is_refused(tmp_path, damage):
    archive = packed(tmp_path / "a.zip", ("one.py", bytes(range(256)) * 9))
    data = archive.read_bytes()
    if damage == "method":
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_LZMA) as found:
            found.writestr("one.py", "1")
    else:
        broken = {"text": b"hello", "cut": data[:-30], "flipped": data[:60] + b"\xff" + data[61:]}
        archive.write_bytes(broken[damage])
    assert refusal(archive, tmp_path).code == "InvalidArchive"
