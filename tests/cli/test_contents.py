"""Which files are uploaded, and under which hash."""

import os

import pytest

from lazulite.cli.contents import is_ignored, scan
from lazulite.cli.errors import CommandError


def folder(tmp_path, files):
    root = tmp_path / "folder"
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_the_hash_depends_on_names_and_contents_alone(tmp_path):
    first = scan(folder(tmp_path / "1", {"a.py": "x", "b/c.py": "y"})).digest
    again = folder(tmp_path / "2", {"b/c.py": "y", "a.py": "x"})
    os.utime(again / "a.py", (1, 1))
    assert scan(again).digest == first
    assert scan(folder(tmp_path / "3", {"a.py": "x", "b/d.py": "y"})).digest != first
    assert scan(folder(tmp_path / "4", {"a.py": "x", "b/c.py": "z"})).digest != first


def test_moving_bytes_between_name_and_content_changes_the_hash(tmp_path):
    first = scan(folder(tmp_path / "1", {"ab": "c"})).digest
    assert scan(folder(tmp_path / "2", {"a": "bc"})).digest != first


def test_a_single_file_is_itself(tmp_path):
    root = folder(tmp_path, {"m.pkl": "x"})
    assert list(scan(root / "m.pkl").files) == ["m.pkl"]


def test_ignored_files_stay_at_home(tmp_path):
    files = {
        ".amlignore": "*.log\ndata/\n!keep.log\n/top.txt\n",
        "a.py": "",
        "a.log": "",
        "keep.log": "",
        "data/x": "",
        "sub/top.txt": "",
        "top.txt": "",
        "__pycache__/a.pyc": "",
    }
    assert list(scan(folder(tmp_path, files)).files) == [
        ".amlignore",
        "a.py",
        "keep.log",
        "sub/top.txt",
    ]


def test_amlignore_wins_over_gitignore(tmp_path):
    files = {".amlignore": "a\n", ".gitignore": "b\n", "a": "", "b": ""}
    assert list(scan(folder(tmp_path, files)).files) == [".amlignore", ".gitignore", "b"]


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [
        ("x/y.log", "*.log", True),
        ("x/data/", "data/", True),
        ("x/data", "data/", False),
        ("x/y/z", "y/z", False),
        ("y/z", "y/z", True),
        ("a/b/c", "**/c", True),
    ],
)
def test_patterns_match_as_in_git(name, pattern, expected):
    assert is_ignored(name, [pattern]) is expected


def test_links_are_followed_within_the_folder_only(tmp_path):
    root = folder(tmp_path, {"a.py": "x", "sub/b.py": "y"})
    secret = tmp_path / "secret"
    secret.write_text("hush")
    (root / "inside").symlink_to(root / "a.py")
    (root / "outside").symlink_to(secret)
    (root / "loop").symlink_to(root)
    (root / "dangling").symlink_to(root / "gone")
    assert list(scan(root).files) == ["a.py", "inside", "sub/b.py"]


def test_a_folder_with_nothing_to_upload_says_so(tmp_path):
    with pytest.raises(CommandError, match="no file to upload"):
        scan(folder(tmp_path, {".gitignore": "*\n"}))
