"""Just enough of the protobuf wire format to take single fields out of a message."""

from __future__ import annotations

from collections.abc import Iterator

from nn2eq.errors import DamagedFile

_FIXED = {1: 8, 5: 4}
_VARINT, _BYTES = 0, 2


def fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield every field's number and value: a whole number, or bytes."""
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        kind = key & 7
        if kind == _VARINT:
            value, place = _varint(message, place)
            yield key >> 3, value
            continue
        size = _FIXED.get(kind, 0)
        if kind == _BYTES:
            size, place = _varint(message, place)
        elif not size:
            raise _damage()
        if size > len(message) - place:
            raise _damage()
        yield key >> 3, message[place : place + size]
        place += size


def messages(message: bytes, number: int) -> Iterator[bytes]:
    """Yield the values of a repeated field that holds messages, texts or bytes."""
    for found, value in fields(message):
        if found == number:
            if not isinstance(value, bytes):
                raise _damage()
            yield value


def data(message: bytes, number: int) -> bytes:
    """Return a field's bytes, b"" where it is missing."""
    return next(messages(message, number), b"")


def whole(message: bytes, number: int) -> int:
    """Return a field's whole number, 0 where it is missing."""
    value = next((value for found, value in fields(message) if found == number), 0)
    if not isinstance(value, int):
        raise _damage()
    return value


def _varint(message: bytes, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(message):
            raise _damage()
        byte = message[place]
        value |= (byte & 0x7F) << shift
        place += 1
        if byte < 0x80:
            return value, place
    raise _damage()


def _damage() -> DamagedFile:
    return DamagedFile("damaged: not a sound protobuf message", code="protobuf")
