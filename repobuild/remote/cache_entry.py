"""Define what a remote holds, under which names, and what is signed.

    URL/repobuild-1/NAMESPACE/
        entries/TABLE/MANIFEST/NAME     signed: what TABLE is at a commit, and the
                                        objects that hold it
        objects/ab/cdef…                by the SHA-256 of the bytes: chunks of rows, and
                                        files of artifacts

NAME is a commit, or the key of a task's row. MANIFEST is the digest of everything that
rows depend on besides their inputs, so a reader derives the names it wants, and nothing
needs a listing: plain HTTP will do. A chain's newest entry is also kept under the
manifest "any": an adapter is continued also after a setting changed.

Every file is written once and whole. An entry is written after its objects. Two writers
of one name write the same rows, since these depend on nothing but what is in the name;
whoever is last, nothing is lost, and no file is ever read, changed and written back.

An entry is one line, then the deflated msgpack of its body:

    repobuild-cache 1 PUBLIC-KEY SIGNATURE\n

The signature covers the body as stored, so nothing is inflated or parsed before it
holds. The body names its own place: an entry that somebody moves to another namespace,
table or commit is no entry there.

    {"name": NAMESPACE/entries/…, "created": seconds, "expires": seconds,
     map:   "digest", "chunks": [chunk, …]
     view:  "key", "digest", "index_digest", "chunks": […], "index": […]
     task:  "row": {…}, "artifacts": {digest: [[path, object], …]}}

    chunk   [first key, object]
    object  [SHA-256, bytes, day of the upload, namespace]

Source: https://theupdateframework.io (expiry and key roles, in the small).
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NamedTuple

from repobuild.engine.digest import pack, unpack
from repobuild.errors import UsageError
from repobuild.remote.signing_keys import (
    KEY_BYTES,
    SIGNATURE_BYTES,
    SigningKey,
    TrustedKeys,
    is_signed_by,
)

FOLDER = "repobuild-1"
# Tasks whose artifacts stay: a merged model is large, and made from an adapter.
NOT_SHARED = frozenset({"merged"})
ANY = "any"  # in place of a manifest: the newest entry of a chain
ENTRY_BYTES = 8 << 20  # stored; a table of a million rows has 2 MB
_BODY_BYTES = 64 << 20
_MAGIC = b"repobuild-cache 1 "
_HEAD_BYTES = 200
_DOMAIN = b"repobuild cache entry 1\0"
_NAMESPACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CLOCK_SKEW = 600  # seconds that a writer's clock may be ahead


class Refused(Exception):
    """An entry or object does not hold; the text says why, for a warning."""


class StoredObject(NamedTuple):
    """A file of the remote, by content."""

    sha256: str
    size: int
    day: int  # days since 1970 of the upload; see push.py
    namespace: str

    @property
    def name(self) -> str:
        return object_name(self.namespace, self.sha256)

    @classmethod
    def read(cls, value: Any, namespaces: frozenset[str]) -> StoredObject:
        """Return a checked object; raises `Refused`."""
        try:
            found = cls(*value)
        except TypeError as error:
            raise Refused("is malformed") from error
        fits = (
            is_sha256(found.sha256)
            and _is_count(found.size)
            and _is_count(found.day)
            and isinstance(found.namespace, str)
            and found.namespace in namespaces
        )
        if not fits:
            raise Refused("is malformed")
        return found


@dataclass(frozen=True, slots=True)
class EntryName:
    """Where an entry is kept."""

    namespace: str
    table: str
    manifest: str
    name: str

    @property
    def path(self) -> str:
        return f"{self.namespace}/entries/{self.table}/{self.manifest}/{self.name}"


def is_sha256(value: Any) -> bool:
    """Return whether a value is a SHA-256 in hex."""
    return isinstance(value, str) and _SHA256.fullmatch(value) is not None


def object_name(namespace: str, digest: str) -> str:
    """Return the path of an object below the folder of the cache."""
    return f"{namespace}/objects/{digest[:2]}/{digest[2:]}"


def check_namespace(name: str) -> str:
    """Return a namespace; raises `UsageError` where it is no plain name."""
    if not _NAMESPACE.fullmatch(name):
        raise UsageError(
            f'"{name}" cannot be a namespace of the shared cache\n'
            'use letters, digits, dots and hyphens: cache.namespace = "pr-12"'
        )
    return name


def encode_entry(
    name: EntryName, body: Mapping[str, Any], key: SigningKey, now: int, seconds: int
) -> bytes:
    """Return a signed entry that holds for some seconds."""
    full = {"name": name.path, "created": now, "expires": now + seconds, **body}
    stored = zlib.compress(pack(full), 6)
    signature = key.sign(_DOMAIN + stored)
    return b"%s%s %s\n%s" % (
        _MAGIC,
        base64.b64encode(key.public),
        base64.b64encode(signature),
        stored,
    )


def decode_entry(
    data: bytes, name: EntryName, trusted: TrustedKeys, now: int
) -> dict[str, Any]:
    """Return the body of an entry that was read from this place.

    Raises:
        Refused: unsigned, signed with a key that is not trusted here, changed, moved,
            expired, too large, or malformed.
    """
    public, signature, stored = _split(data)
    if not trusted.may_sign(public, name.namespace):
        raise Refused("is signed with a key that is not trusted")
    if not is_signed_by(public, signature, _DOMAIN + stored):
        raise Refused("is wrongly signed")
    body = _unpacked(stored)
    if body.get("name") != name.path:
        raise Refused("was moved from another place")
    created, expires = _count(body.get("created")), _count(body.get("expires"))
    if expires <= now or created > now + _CLOCK_SKEW:
        raise Refused("has expired" if expires <= now else "is from the future")
    return body


def _split(data: bytes) -> tuple[bytes, bytes, bytes]:
    """Return public key, signature and stored body."""
    head, end, stored = data.partition(b"\n")
    if not end or len(head) > _HEAD_BYTES or not head.startswith(_MAGIC):
        raise Refused("is not signed")
    try:
        parts = head.removeprefix(_MAGIC).split(b" ")
        public, signature = (base64.b64decode(part, validate=True) for part in parts)
    except (binascii.Error, ValueError) as error:
        raise Refused("is not signed") from error
    if len(public) != KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        raise Refused("is not signed")
    return public, signature, stored


def _unpacked(stored: bytes) -> dict[str, Any]:
    body = unpack_bounded(inflate_bounded(stored, _BODY_BYTES))
    if not isinstance(body, dict):
        raise Refused("is malformed")
    return body


def inflate_bounded(stored: bytes, most: int) -> bytes:
    """Return deflated bytes, `most` of them; raises `Refused` for a bomb or damage."""
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(stored, most)
    except zlib.error as error:
        raise Refused("cannot be inflated") from error
    if inflater.unconsumed_tail:
        raise Refused("is larger than allowed")
    if not inflater.eof or inflater.unused_data:
        raise Refused("cannot be inflated")
    return data


def unpack_bounded(data: bytes) -> Any:
    """Return msgpack data; raises `Refused` for anything that msgpack refuses."""
    try:
        return unpack(data)
    except (ValueError, TypeError, RecursionError, UnicodeDecodeError) as error:
        raise Refused("is malformed") from error


def check_object(data: bytes, wanted: StoredObject) -> bytes:
    """Return an object's bytes when size and digest hold; raises `Refused`."""
    if len(data) != wanted.size:
        raise Refused("has another size")
    if sha256(data).hexdigest() != wanted.sha256:
        raise Refused("has another digest")
    return data


def _count(value: Any) -> int:
    if not _is_count(value):
        raise Refused("is malformed")
    return int(value)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and 0 <= value < 1 << 62
