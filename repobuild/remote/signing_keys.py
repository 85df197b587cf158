"""Sign entries with ed25519, and decide whose signatures count.

    ed25519:BASE64          a public key, in cache.trusted_keys
    ed25519:BASE64 pr-*     the same, only for namespaces that the pattern matches
    ed25519-secret:BASE64   a secret key, in the variable REPOBUILD_CACHE_KEY or in
                            ~/.config/repobuild/cache.key, readable by its owner only

The user's own key is trusted. A job that only reads needs no secret key. The secret is
no setting: settings are printed, enter keys and may come from a repository.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from repobuild.errors import UsageError, system_reason
from repobuild.resources import CACHE_KEY, user_settings_file

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEY_BYTES, SIGNATURE_BYTES = 32, 64
_PUBLIC, _SECRET = "ed25519:", "ed25519-secret:"
_MOST_BYTES = 1_000  # of a key file


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A secret key, and the public key that others trust."""

    secret: Ed25519PrivateKey
    public: bytes
    seed: bytes = field(repr=False)

    @classmethod
    def of(cls, seed: bytes) -> SigningKey:
        """Return the key of a seed of 32 bytes."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import (
            Ed25519PrivateKey,
        )

        secret = Ed25519PrivateKey.from_private_bytes(seed)
        return cls(secret, secret.public_key().public_bytes_raw(), seed)

    def sign(self, data: bytes) -> bytes:
        return self.secret.sign(data)


@dataclass(frozen=True, slots=True)
class TrustedKeys:
    """Public keys, each with the pattern of the namespaces that it may sign."""

    keys: Mapping[bytes, tuple[str, ...]]

    @classmethod
    def of(cls, lines: Sequence[str], own: SigningKey | None) -> TrustedKeys:
        """Parse the lines of cache.trusted_keys; raises `UsageError`."""
        keys: dict[bytes, tuple[str, ...]] = {}
        for line in lines:
            text, _, pattern = line.strip().partition(" ")
            public = _decode(text, _PUBLIC, "cache.trusted_keys")
            keys[public] = (*keys.get(public, ()), pattern.strip() or "*")
        if own:
            keys.setdefault(own.public, ("*",))
        return cls(keys)

    def may_sign(self, public: bytes, namespace: str) -> bool:
        """Return whether a key's entries of a namespace are believed."""
        return any(fnmatchcase(namespace, p) for p in self.keys.get(public, ()))


def require_signing() -> None:
    """Raise `UsageError` when the package that signs is not installed."""
    from importlib.util import find_spec

    if find_spec("cryptography") is None:
        raise UsageError(
            "signing needs the package cryptography\n"
            "install it: pip install 'repobuild[remote]'"
        )


def is_signed_by(public: bytes, signature: bytes, data: bytes) -> bool:
    """Return whether a signature of data was made with the secret of a public key."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def public_text(public: bytes) -> str:
    """Return a public key as users write it."""
    return _PUBLIC + base64.b64encode(public).decode()


def secret_text(seed: bytes) -> str:
    """Return a secret key as the key file and the variable hold it."""
    return _SECRET + base64.b64encode(seed).decode()


def key_file() -> Path:
    """Return the path of the user's key; raises `UsageError` without a home."""
    settings = user_settings_file()
    if not settings:
        raise UsageError(
            "no folder for the key is known: neither XDG_CONFIG_HOME nor HOME is set\n"
            f"set one, or give the key in the variable {CACHE_KEY}"
        )
    return Path(settings).with_name("repobuild") / "cache.key"


def read_signing_key(environment: Mapping[str, str] = os.environ) -> SigningKey | None:
    """Return the user's key, of the variable or else of the file; None without one.

    Raises `UsageError` for one that cannot be read, or that others may read.
    """
    if text := environment.get(CACHE_KEY, "").strip():
        return SigningKey.of(_decode(text, _SECRET, f"the variable {CACHE_KEY}"))
    if not user_settings_file():
        return None
    path = key_file()
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            body = file.read(_MOST_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UsageError(f'"{path}" cannot be read: {system_reason(error)}') from error
    if mode & 0o077:
        raise UsageError(f'"{path}" can be read by others\nrun: chmod 600 {path}')
    text = body.decode("ascii", "replace").strip()
    return SigningKey.of(_decode(text, _SECRET, f'"{path}"'))


def create_signing_key(path: Path) -> SigningKey:
    """Write a new key to a file of its owner; raises `FileExistsError`."""
    seed = os.urandom(KEY_BYTES)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="ascii") as file:
        file.write(secret_text(seed) + "\n")
    return SigningKey.of(seed)


def _decode(text: str, prefix: str, where: str) -> bytes:
    """Return the 32 bytes of a key; the message never shows a secret."""
    try:
        if text.startswith(prefix):
            data = base64.b64decode(text.removeprefix(prefix), validate=True)
            if len(data) == KEY_BYTES:
                return data
    except (binascii.Error, ValueError):
        pass
    raise UsageError(
        f"{where} holds something that is not {prefix}BASE64 of {KEY_BYTES} bytes\n"
        "`repobuild cache key` makes a key and prints its public half"
    )
