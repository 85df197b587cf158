"""An entry holds as a whole, in its place and for its time, or not at all."""

from __future__ import annotations

import base64
import zlib

import pytest

from repobuild.engine.digest import pack
from repobuild.errors import UsageError
from repobuild.remote.cache_entry import (
    ENTRY_BYTES,
    EntryName,
    Refused,
    StoredObject,
    check_namespace,
    check_object,
    decode_entry,
    encode_entry,
)
from repobuild.remote.signing_keys import TrustedKeys
from tests.remote.world import MAIN, STRANGER

NAME = EntryName("main", "facts", "ab" * 16, "c" * 40)
TRUSTED = TrustedKeys({MAIN.public: ("*",)})
NOW = 1_800_000_000


def entry(name: EntryName = NAME, key=MAIN, now: int = NOW) -> bytes:
    return encode_entry(name, {"chunks": [["a", 1]]}, key, now, 1_000)


def decoded(data: bytes, name: EntryName = NAME, now: int = NOW) -> dict:
    return decode_entry(data, name, TRUSTED, now)


def test_an_entry_is_read_as_it_was_written():
    assert decoded(entry())["chunks"] == [["a", 1]]


def test_it_is_refused_when_cut_at_any_byte():
    data = entry()
    for end in range(len(data)):
        with pytest.raises(Refused):
            decoded(data[:end])


def test_it_is_refused_with_any_byte_changed_or_added():
    data = entry()
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1
        with pytest.raises(Refused):
            decoded(bytes(changed))
    with pytest.raises(Refused):
        decoded(data + b"x")


@pytest.mark.parametrize(
    "other",
    [
        EntryName("pr-1", *NAME.path.split("/")[2:]),
        EntryName("main", "samples", NAME.manifest, NAME.name),
        EntryName("main", "facts", "cd" * 16, NAME.name),
        EntryName("main", "facts", NAME.manifest, "d" * 40),
    ],
)
def test_it_is_refused_in_another_place(other):
    with pytest.raises(Refused, match="moved"):
        decoded(entry(), other)


def test_it_holds_until_its_end_and_not_before_its_beginning():
    assert decoded(entry(), now=NOW + 999)
    with pytest.raises(Refused, match="expired"):
        decoded(entry(), now=NOW + 1_000)
    assert decoded(entry(), now=NOW - 300)  # clocks differ
    with pytest.raises(Refused, match="future"):
        decoded(entry(), now=NOW - 3_600)


def test_a_strangers_signature_is_none():
    with pytest.raises(Refused, match="not trusted"):
        decoded(entry(key=STRANGER))


def test_a_trusted_key_with_a_strangers_signature_is_none():
    head, _, body = entry(key=STRANGER).partition(b"\n")
    head = head.replace(
        base64.b64encode(STRANGER.public), base64.b64encode(MAIN.public)
    )
    with pytest.raises(Refused, match="wrongly signed"):
        decoded(head + b"\n" + body)


def signed(stored: bytes) -> bytes:
    """Return an entry of a trusted writer whose body is whatever it is."""
    signature = base64.b64encode(MAIN.sign(b"repobuild cache entry 1\0" + stored))
    public = base64.b64encode(MAIN.public)
    return b"repobuild-cache 1 " + public + b" " + signature + b"\n" + stored


@pytest.mark.parametrize(
    "stored",
    [
        b"",
        b"no zlib",
        zlib.compress(b"\xc1"),
        zlib.compress(pack([1])),
        zlib.compress(pack({"name": NAME.path})),
        zlib.compress(pack({"name": NAME.path, "created": "x", "expires": -1})),
        zlib.compress(pack({"name": NAME.path, "created": True, "expires": 2**63})),
        zlib.compress(b"\x91" * 100_000),
        zlib.compress(bytes(80 << 20), 9),
    ],
)
def test_whatever_is_signed_is_read_with_bounds(stored):
    assert len(stored) < ENTRY_BYTES
    with pytest.raises(Refused):
        decoded(signed(stored))


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        ["a" * 64, 1, 1],
        ["A" * 64, 1, 1, "main"],
        ["../" + "a" * 61, 1, 1, "main"],
        ["a" * 64, -1, 1, "main"],
        ["a" * 64, 1.5, 1, "main"],
        ["a" * 64, 1, None, "main"],
        ["a" * 64, 1, 1, "pr-1"],
        ["a" * 64, 1, 1, ["main"]],
        ["a" * 64, 1, 1, "../x"],
    ],
)
def test_an_object_is_named_by_digest_size_and_a_readable_namespace(value):
    with pytest.raises(Refused):
        StoredObject.read(value, frozenset({"main"}))


def test_an_objects_bytes_are_those_that_the_entry_names():
    from hashlib import sha256

    one = StoredObject(sha256(b"abc").hexdigest(), 3, 0, "main")
    assert check_object(b"abc", one) == b"abc"
    for wrong in (b"", b"ab", b"abd", b"abcd"):
        with pytest.raises(Refused):
            check_object(wrong, one)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "-x", "a b", "a\n", "x" * 101, "é", ".hidden"]
)
def test_a_namespace_is_one_plain_name(name):
    with pytest.raises(UsageError, match="namespace"):
        check_namespace(name)
    assert check_namespace("pr-12") == "pr-12"
