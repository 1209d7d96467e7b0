"""The journal: exactly once, in input order, whatever is left of its files."""

import errno
import os
import resource
import signal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazulite.batch.journal import Journal, Kind, Record
from lazulite.core.errors import SpecError

CRC = 0xC0FFEE


def done(number, rows=b"row\n", attempt=1):
    return Record(number, Kind.DONE, attempt, 10, 10, rows.count(b"\n"), rows)


def content(journal):
    return b"".join(
        piece for begin, length in journal.ranges() for piece in journal.read_rows(begin, length)
    )


def test_rows_come_out_in_input_order(tmp_path):
    journal = Journal(tmp_path, CRC, 4)
    journal.commit([done(2, b"two\n"), done(0, b"zero\n")])
    journal.commit([done(3, b"three\n"), done(1, b"one\n")])
    assert content(journal) == b"zero\none\ntwo\nthree\n"
    journal.close()


def test_a_mini_batch_is_kept_once_whoever_delivers_it(tmp_path):
    journal = Journal(tmp_path, CRC, 1)
    journal.commit([done(0, b"first\n"), done(0, b"twin\n")])
    journal.commit([done(0, b"late\n", attempt=2)])
    assert content(journal) == b"first\n"
    journal.close()


def test_reopening_finds_what_was_committed(tmp_path):
    failed, again = Record(1, Kind.FAILED, 4, 10, 0, 0), Record(2, Kind.ATTEMPT, 1, 10, 0, 0)
    journal = Journal(tmp_path, CRC, 3)
    journal.commit([done(0), failed, again])
    journal.close()

    journal = Journal(tmp_path, CRC, 3)
    assert list(journal.recovered()) == [done(0)._replace(payload=b""), failed, again]
    assert [journal.is_closed(number) for number in range(3)] == [True, True, False]
    assert journal.kinds() == bytes([Kind.DONE, Kind.FAILED, Kind.ATTEMPT])
    journal.close()


def test_a_journal_of_other_inputs_is_refused(tmp_path):
    Journal(tmp_path, CRC, 3).close()
    with pytest.raises(SpecError, match="other inputs"):
        Journal(tmp_path, CRC + 1, 3)


def written(folder, payloads):
    """A journal with these payloads; the bytes of its two files."""
    journal = Journal(folder, CRC, len(payloads))
    for number, payload in enumerate(payloads):
        journal.commit([done(number, payload)])
    journal.close()
    return (folder / "rows").read_bytes(), (folder / "index").read_bytes()


def check_recovery(folder, payloads):
    """What is left is a prefix; after committing the rest, the content is whole again."""
    journal = Journal(folder, CRC, len(payloads))
    found = [record.mini_batch for record in journal.recovered()]
    assert found == list(range(len(found)))
    assert content(journal) == b"".join(payloads[: len(found)])
    journal.commit([done(number, payload) for number, payload in enumerate(payloads)])
    assert content(journal) == b"".join(payloads)
    journal.close()
    return len(found)


def test_index_and_rows_cut_at_every_byte_recover(tmp_path):
    payloads = [b"a 1\n", b"", b"bb 22\nbb 23\n", b"c 3\n"]
    rows, index = written(tmp_path, payloads)
    for name, whole, other, unharmed in (
        ("rows", rows, "index", index),
        ("index", index, "rows", rows),
    ):
        kept = []
        for length in range(len(whole) + 1):
            (tmp_path / name).write_bytes(whole[:length])
            (tmp_path / other).write_bytes(unharmed)
            kept.append(check_recovery(tmp_path, payloads))
        assert kept == sorted(kept)
        assert kept[-1] == len(payloads)


@settings(max_examples=60)
@given(
    payloads=st.lists(st.binary(max_size=40), min_size=1, max_size=6),
    cut=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    junk=st.tuples(st.binary(max_size=80), st.binary(max_size=80)),
)
def test_any_cut_followed_by_any_junk_recovers(tmp_path_factory, payloads, cut, junk):
    folder = tmp_path_factory.mktemp("journal")
    whole = dict(zip(("rows", "index"), written(folder, payloads), strict=True))
    header = 24
    for name, share, garbage in zip(("rows", "index"), cut, junk, strict=True):
        least = header if name == "index" else 0
        length = max(least, int(share * len(whole[name])))
        (folder / name).write_bytes(whole[name][:length] + garbage)
    check_recovery(folder, payloads)


def test_a_flipped_bit_in_the_rows_drops_them(tmp_path):
    payloads = [b"aaaa\n", b"bbbb\n", b"cccc\n"]
    rows, _ = written(tmp_path, payloads)
    (tmp_path / "rows").write_bytes(rows.replace(b"bbbb", b"bxbb"))
    assert check_recovery(tmp_path, payloads) == 1


def test_a_full_disk_leaves_the_journal_as_it_was(tmp_path):
    journal = Journal(tmp_path, CRC, 3)
    journal.commit([done(0, b"kept\n")])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(OSError, match=os.strerror(errno.EFBIG)):
            journal.commit([done(1, b"x" * 8192)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    journal.commit([done(1, b"after\n")])
    journal.close()

    journal = Journal(tmp_path, CRC, 3)
    assert content(journal) == b"kept\nafter\n"
    journal.close()
