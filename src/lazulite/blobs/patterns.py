"""Patterns of file names: "*" stands for a part of a name, "**" for any number of folders.

Nothing else is special, for other signs are usual in names of blobs.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

ANY_DEPTH = "**"


def split_pattern(path: str) -> tuple[str, str]:
    """The folder before the first part with a "*", and the rest: "a/b/*.csv" is "a/b", "*.csv"."""
    segments = path.split("/")
    first = next((at for at, part in enumerate(segments) if "*" in part), len(segments))
    return "/".join(segments[:first]), "/".join(segments[first:])


def matches(pattern: str, path: str) -> bool:
    """Whether the path of a file, from the same folder on, is meant. "" means every file.

    Takes a time that is proportional to the product of both lengths.
    """
    if not pattern:
        return True
    wanted = pattern.split("/")
    reached = _with_skips({0}, wanted)
    for part in path.split("/"):
        after = {
            at if wanted[at] == ANY_DEPTH else at + 1 for at in reached if _fits(at, part, wanted)
        }
        reached = _with_skips(after, wanted)
    return len(wanted) in reached


def _fits(at: int, part: str, wanted: list[str]) -> bool:
    if at == len(wanted):
        return False
    literal = wanted[at].replace("[", "[[]").replace("?", "[?]")
    return wanted[at] == ANY_DEPTH or fnmatchcase(part, literal)


def _with_skips(reached: set[int], wanted: list[str]) -> set[int]:
    """Also the positions behind "**", which may stand for no folder."""
    found = set(reached)
    for at in sorted(reached):
        following = at
        while following < len(wanted) and wanted[following] == ANY_DEPTH:
            following += 1
            found.add(following)
    return found
