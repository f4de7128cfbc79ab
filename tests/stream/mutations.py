"""Ways to spoil a packet."""

from __future__ import annotations

import random
import re

from redpoll.schema.avro.container import CONTAINER_MAGIC, one_datum, read_header, write_long

HUGE = (b"\xff" * 9 + b"\x01", b"\xfe" * 9 + b"\x01", b"\xff" * 12, b"\xfe\xff\xff\xff\x0f", b"\x80" * 9 + b"\x01")
NASTY = (0x00, 0x01, 0x02, 0x03, 0x04, 0x7F, 0x80, 0xFE, 0xFF)


def spoiled(packets: list[bytes], rng: random.Random) -> bytes:
    """A packet, spoiled in one to four ways; of half the containers the datum alone, framed anew so that it is read."""
    packet = rng.choice(packets)
    if not packet.startswith(CONTAINER_MAGIC) or rng.random() < 0.5:
        return worse(packet, packets, rng)
    header = read_header(packet)
    start, stop = one_datum(packet, header)
    datum = worse(packet[start:stop], packets, rng)
    return b"".join([packet[: header.start], write_long(1), write_long(len(datum)), datum, header.sync])


def worse(packet: bytes, packets: list[bytes], rng: random.Random) -> bytes:
    """The bytes, spoiled in one to four ways."""
    data = bytearray(packet)
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        rng.choice(WAYS)(data, packets, rng)
    return bytes(data)


def place(data: bytearray, rng: random.Random) -> int:
    """A byte, often one near the end of the header, where the datum begins, or in the header."""
    if len(data) < 2:
        return 0
    start = data.find(b"Obj\x01") >= 0 and data.find(b"]}", len(data) // 4)
    if start and start > 0 and rng.random() < 0.4:
        return min(len(data) - 1, start + rng.randrange(400))
    return rng.randrange(len(data) if rng.random() < 0.5 else min(len(data), 30_000))


def flip(data: bytearray, packets: list[bytes], rng: random.Random) -> None:
    """Bits."""
    for _ in range(rng.choice([1, 2, 16])):
        if data:
            data[place(data, rng)] ^= 1 << rng.randrange(8)


def overwrite(data: bytearray, packets: list[bytes], rng: random.Random) -> None:
    """Bytes that mean lengths, signs and ends."""
    at = place(data, rng)
    data[at : at + rng.choice([1, 1, 4, 64])] = bytes(rng.choices(NASTY, k=rng.choice([1, 1, 4, 64])))


def truncate(data: bytearray, packets: list[bytes], rng: random.Random) -> None:
    """The end is lost."""
    del data[rng.randint(0, len(data)) :]


def splice(data: bytearray, packets: list[bytes], rng: random.Random) -> None:
    """The end of another packet."""
    other = rng.choice(packets)
    data[place(data, rng) :] = other[rng.randrange(len(other)) :]


def remove(data: bytearray, packets: list[bytes], rng: random.Random) -> None:
    """A piece is missing."""
    at = place(data, rng)
    del data[at : at + rng.choice([1, 2, 8, 1000])]


def repeat(data: bytearray, packets: list[bytes], rng: random.Random) -> None:
    """A piece comes twice."""
    at = place(data, rng)
    piece = data[at : at + rng.choice([1, 8, 1000])]
    data[at:at] = piece


def huge_number(data: bytearray, packets: list[bytes], rng: random.Random) -> None:
    """A length or count far too large, negative, or without end."""
    at = place(data, rng)
    data[at : at + rng.choice([0, 1, 2])] = rng.choice(HUGE)


def schema_text(data: bytearray, packets: list[bytes], rng: random.Random) -> None:
    """Another type, name or nesting in the header, of the same length or not."""
    old, new = rng.choice([
        (b'"double"', b'"float"'), (b'"float"', b'"double"'), (b'"long"', b'"string"'), (b'"string"', b'"bytes"'),
        (b'"null"', b'"int"'), (b'"int"', b'"null"'), (b'"null", ', b""), (b'"array"', b'"map"'),
        (b'"items"', b'"values"'), (b'"record"', b'"enum"'), (b'"fields"', b'"symbols"'), (b"{", b"["), (b"jd", b"ra"),
        (b'"name"', b'"doc"'), (b"candidate", b"candidat\xff"), (b'"bytes"', b'"string"'), (b'"type"', b'"tipe"'),
    ])  # fmt: skip
    spots = [found.start() for found in re.finditer(re.escape(old), bytes(data[:30_000]))]
    if spots:
        at = rng.choice(spots)
        data[at : at + len(old)] = new


WAYS = (flip, overwrite, truncate, splice, remove, repeat, huge_number, schema_text)
