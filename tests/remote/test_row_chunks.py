"""Where chunks end depends on rows alone; what is read from one is checked."""

from __future__ import annotations

import zlib
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repobuild.engine.digest import deflate, digest, pack
from repobuild.remote.cache_entry import Refused
from repobuild.remote.row_chunks import (
    TARGET_BYTES,
    covering,
    cut,
    read_index_chunk,
    read_memo_chunk,
    read_view_chunk,
)


def row(key: str, text: str = "") -> list:
    packed = pack({"key": key, "text": text})
    return [key, digest(packed), deflate(packed)]


def names(rows: list[list]) -> list[str]:
    return [sha256(chunk.data).hexdigest() for chunk in cut(rows)]


@given(st.dictionaries(st.text(max_size=20), st.binary(max_size=3_000), max_size=200))
@settings(max_examples=50, deadline=None)
def test_all_rows_come_back_once_and_in_order(values):
    rows = [row(key, text.hex() * 20) for key, text in sorted(values.items())]
    read: dict = {}
    firsts = []
    for chunk in cut(rows):
        part = read_view_chunk(chunk.data)
        assert chunk.first == next(iter(part))
        firsts.append(chunk.first)
        read |= part
    assert list(read) == [key for key, _, _ in rows]
    assert all(read[key].value == stored for key, _, stored in rows)
    assert covering(firsts, values) == list(range(len(firsts)))


def many(count: int = 4_000) -> list[list]:
    return [row(f"k{n:06}", f"{n} " + "x y " * (n % 90)) for n in range(count)]


def test_a_changed_row_changes_one_chunk_and_a_new_one_at_most_two():
    rows = many()
    # Plain values, or they would be too small for more than one chunk.
    rows = [[key, known, stored * 8] for key, known, stored in rows]
    before = names(rows)
    assert len(before) > 5
    for place in range(0, len(rows), 397):
        changed = list(rows)
        changed[place] = [*rows[place][:2], rows[place][2] + b"!"]
        assert len(set(names(changed)) - set(before)) == 1
        added = [*rows[:place], [rows[place][0] + "-", *row("a")[1:]], *rows[place:]]
        added.sort(key=lambda r: r[0])
        assert len(set(names(added)) - set(before)) <= 2
        removed = [*rows[:place], *rows[place + 1 :]]
        assert len(set(names(removed)) - set(before)) <= 2


def test_chunks_have_about_the_size_that_they_should():
    rows = [[f"k{n:06}", b"d" * 16, bytes(300)] for n in range(20_000)]
    count = len(list(cut(rows)))
    assert 0.6 < count * TARGET_BYTES / (20_000 * 330) < 1.7


def test_a_key_is_looked_for_in_the_chunk_before_the_next_first_key():
    assert covering(["b", "d", "f"], ["a", "b", "c", "e", "z"]) == [0, 1, 2]
    assert covering(["b", "d", "f"], ["a"]) == []
    assert covering([], ["a"]) == []


GOOD = pack({"a": 1})


@pytest.mark.parametrize("read", [read_memo_chunk, read_view_chunk, read_index_chunk])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no zlib",
        zlib.compress(b""),
        zlib.compress(pack({})),
        zlib.compress(pack([1])),
        zlib.compress(pack([[]])),
        zlib.compress(pack([[1, 2]])),
        zlib.compress(pack([["k"]])),
        zlib.compress(pack([[b"k", b"d" * 16, b"r"]])),
        zlib.compress(pack([["k", "text", "text"]])),
        zlib.compress(pack([["k", ["no number"]]])),
        zlib.compress(pack([["k", [-1]]])),
        zlib.compress(pack([["k", digest(b"other"), b"r" + GOOD]])),
        zlib.compress(pack([["k", digest(GOOD), b"z" + GOOD]])),
        zlib.compress(pack([["k", b"m" * 16, digest(b"other"), b"r" + GOOD]])),
        zlib.compress(pack([["k", b"m", digest(GOOD), b"r" + GOOD]])),
        zlib.compress(pack([["k", b"m" * 16, b"", b"r" + GOOD]])),
    ],
)
def test_a_chunk_of_anything_else_is_refused(read, data):
    with pytest.raises(Refused):
        read(data)


def test_a_map_may_have_made_no_row():
    [found] = read_memo_chunk(zlib.compress(pack([["k", b"m" * 16, b"", b""]])))
    assert found.digest == b"" and found.stored == b""
