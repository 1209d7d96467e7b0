"""CRC-64/NVME, held against the definition."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lazulite.blobs.crc64 import ONES, POLYNOMIAL, Crc64


def by_definition(data: bytes) -> bytes:
    register = ONES
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ (POLYNOMIAL if register & 1 else 0)
    return (register ^ ONES).to_bytes(8, "little")


def test_check_value_of_the_catalogue():
    crc = Crc64()
    crc.update(b"123456789")
    assert crc.digest() == 0xAE8B14860A799888.to_bytes(8, "little")


@given(st.lists(st.binary(max_size=3000), max_size=4))
def test_any_division_into_pieces_gives_the_checksum_of_the_whole(pieces):
    crc = Crc64()
    for piece in pieces:
        crc.update(piece)
    assert crc.digest() == by_definition(b"".join(pieces))


def test_large_message():
    data = bytes(range(251)) * 4000
    crc = Crc64()
    crc.update(data)
    assert crc.digest() == by_definition(data)
