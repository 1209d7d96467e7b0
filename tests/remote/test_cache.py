"""An entry of the cache is whole or not there, whenever the server is killed."""

import os
import subprocess
import sys
import time

import pytest

from lazulite.remote.cache import SPARED_S, Cache, part_of

KEY, OTHER = "a" * 32, "b" * 32


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "fetched"
    folder.mkdir()
    return folder


def cache_of(root, limit=100, in_use=()):
    return Cache(root, limit, lambda: in_use)


def bring(cache, key, size=60):
    """What bringing does."""
    data = cache.unfinished(key, size)
    part_of(data, "x").write_bytes(b"1" * size)
    part_of(data, "x").replace(data / "x")
    return cache.finish(key, "a source", size)


def grow_old(root, key):
    old = time.time() - SPARED_S - 10
    os.utime(root / key / "entry.json", (old, old))


def names(root):
    return sorted(path.name for path in root.iterdir())


KILLED = """
import os, shutil, sys
from pathlib import Path
from lazulite.remote.cache import Cache

root, victim = Path(sys.argv[1]), sys.argv[2]
def killed(path, ignore_errors=False):
    found = sorted(file for file in Path(path).rglob("*") if file.is_file())
    next(file for file in found if file.name == victim).unlink()
    os._exit(9)
shutil.rmtree = killed
Cache(root, 100, tuple).unfinished("b" * 32, 60)
"""


@pytest.mark.parametrize("victim", ["x", "entry.json"])
def test_an_entry_whose_removal_was_cut_short_is_not_there_and_can_be_made_anew(root, victim):
    bring(cache_of(root), KEY)
    grow_old(root, KEY)
    ended = subprocess.run([sys.executable, "-c", KILLED, str(root), victim], check=False)
    assert ended.returncode == 9
    cache = cache_of(root)
    assert names(root) == []
    assert cache.find(KEY) is None
    assert (bring(cache, KEY) / "x").read_bytes() == b"1" * 60


def test_what_an_older_server_left_half_removed_is_cleared_at_the_start(root):
    data = bring(cache_of(root), KEY)
    (data.parent / "entry.json").unlink()
    cache = cache_of(root)
    assert cache.find(KEY) is None
    assert bring(cache, KEY) == cache.find(KEY)


def test_what_has_begun_outlives_a_restart_but_not_for_ever(root):
    data = cache_of(root).unfinished(KEY, 1)
    part_of(data, "x").write_bytes(b"1")
    assert part_of(cache_of(root).unfinished(KEY, 1), "x").read_bytes() == b"1"
    os.utime(root / f".{KEY}", (0, 0))
    cache_of(root)
    assert names(root) == []


def test_a_finished_entry_outlives_a_restart_without_its_parts(root):
    data = bring(cache_of(root), KEY)
    assert cache_of(root).find(KEY) == data
    assert names(data.parent) == ["data", "entry.json"]


def test_room_is_made_by_what_was_not_used_for_long(root):
    cache = cache_of(root)
    bring(cache, KEY)
    grow_old(root, KEY)
    bring(cache, OTHER)
    assert names(root) == [OTHER]


def test_two_paths_never_share_a_part(root):
    data = cache_of(root).unfinished(KEY, 1)
    paths = ["a", "a.etag", ".a", "x" * 255, "x" * 254 + "y", "d/a", "d-a"]
    assert len({part_of(data, path) for path in paths}) == len(paths)
