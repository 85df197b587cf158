"""Cut a table into chunks, and read chunks from somebody else.

Rows are sorted by key, and a chunk ends after a row whose key's hash falls into a share
of all hashes that is proportional to the row's size. So where a chunk ends depends on
that row alone: a changed row changes one chunk, a new one at most two, all others keep
their bytes and names, and two machines that push the same rows write the same objects.
Chunks have about 128 kB, at most eight times as much.

    chunk of a map     msgpack [[row key, memo key, digest, stored], …], deflated
    chunk of a view    msgpack [[row key, digest, stored], …]
    chunk of an index  msgpack [[key, [term number, …]], …]

The stored form of a row (engine/digest.py) is inflated with a bound, and compared with
its digest, before it is believed.

Source: Rabin, "Fingerprinting by random polynomials", 1981, for boundaries by content;
https://docs.dolthub.com (prolly trees) for boundaries by key.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

from repobuild.engine.digest import ROW_BYTES, digest, pack
from repobuild.engine.shared_rows import MemoRow
from repobuild.engine.storage.table import RawRow
from repobuild.remote.cache_entry import Refused, inflate_bounded, unpack_bounded

TARGET_BYTES = 128 << 10
CHUNK_BYTES = 32 << 20  # stored; a single row may be large
_RAW_BYTES = 64 << 20
_ROW_BYTES = 64 << 20  # of one inflated row
_LEVEL = 1  # large rows are deflated already; this is for keys and small ones

Row = Sequence[Any]  # first the key


class Chunk(NamedTuple):
    first: str  # key of its first row
    data: bytes


def cut(rows: Iterable[Row]) -> Iterator[Chunk]:
    """Yield the chunks of rows that are sorted by key."""
    batch: list[bytes] = []
    first, size = "", 0
    for row in rows:
        packed = pack(row)
        if not batch:
            first = row[0]
        batch.append(packed)
        size += len(packed)
        if size >= 8 * TARGET_BYTES or _ends_after(row[0], len(packed)):
            yield Chunk(first, _join(batch))
            batch, size = [], 0
    if batch:
        yield Chunk(first, _join(batch))


def _ends_after(key: str, size: int) -> bool:
    data = key.encode("utf-8", "surrogatepass")
    place = int.from_bytes(blake2b(data, digest_size=4).digest(), "big")
    return place * TARGET_BYTES < size << 32


def _join(batch: Sequence[bytes]) -> bytes:
    head = b"\xdd" + len(batch).to_bytes(4, "big")  # msgpack: array of 32-bit length
    return zlib.compress(head + b"".join(batch), _LEVEL)


def covering(firsts: Sequence[str], keys: Iterable[str]) -> list[int]:
    """Return the numbers of the chunks that would hold these keys, sorted."""
    found = {bisect_right(firsts, key) - 1 for key in keys}
    return sorted(number for number in found if number >= 0)


# ------------------------------------------------------------------- reading, hostile


def read_memo_chunk(data: bytes) -> list[MemoRow]:
    """Return the checked rows of a map's chunk; raises `Refused`."""
    rows = []
    for row in _rows(data, 4):
        _, key, known, stored = row
        if not (_is_digest(key) and isinstance(stored, bytes)):
            raise Refused("is malformed")
        if known or stored:  # else the map made no row
            _check(known, stored)
        rows.append(MemoRow(key, known, stored))
    return rows


def read_view_chunk(data: bytes) -> dict[str, RawRow]:
    """Return the checked rows of a view's chunk by key; raises `Refused`."""
    rows = {}
    for key, known, stored in _rows(data, 3):
        if not isinstance(stored, bytes):
            raise Refused("is malformed")
        _check(known, stored)
        rows[key] = RawRow(known, None, stored)
    return rows


def read_index_chunk(data: bytes) -> dict[str, frozenset[int]]:
    """Return the terms of an index's chunk by key; raises `Refused`."""
    found = {}
    for key, numbers in _rows(data, 2):
        if not (
            isinstance(numbers, list)
            and all(isinstance(n, int) and 0 <= n < 1 << 62 for n in numbers)
        ):
            raise Refused("is malformed")
        found[key] = frozenset(numbers)
    return found


def _rows(data: bytes, width: int) -> list[list[Any]]:
    rows = unpack_bounded(inflate_bounded(data, _RAW_BYTES))
    if not isinstance(rows, list):
        raise Refused("is malformed")
    for row in rows:
        if not (isinstance(row, list) and len(row) == width and _is_key(row[0])):
            raise Refused("is malformed")
    return rows


def _check(known: Any, stored: bytes) -> None:
    """Compare a stored row with its digest."""
    packed = (
        inflate_bounded(stored[1:], _ROW_BYTES) if stored[:1] == b"z" else stored[1:]
    )
    if not _is_digest(known) or digest(packed) != known:
        raise Refused("has a row with another digest")


def _is_digest(value: Any) -> bool:
    return isinstance(value, bytes) and len(value) == ROW_BYTES


def _is_key(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
