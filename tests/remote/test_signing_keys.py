"""A key is made once, is read by its owner only, and is trusted where the user says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from repobuild.cli.main import run
from repobuild.errors import UsageError
from repobuild.remote.signing_keys import (
    TrustedKeys,
    create_signing_key,
    is_signed_by,
    public_text,
    read_signing_key,
    secret_text,
)
from tests.remote.world import MAIN, PULL_REQUEST


@pytest.fixture
def home(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("REPOBUILD_CACHE_KEY", raising=False)
    return tmp_path / "repobuild" / "cache.key"


def test_the_verb_makes_a_key_once_and_prints_its_public_half(home, capsys):
    assert run(["cache", "key"]) == 0
    first = capsys.readouterr().out
    assert first.startswith("ed25519:") and "secret" not in first
    assert home.stat().st_mode & 0o777 == 0o600
    assert run(["cache", "key"]) == 0
    assert capsys.readouterr().out == first
    assert run(["cache", "key", "--secret"]) == 0
    assert capsys.readouterr().out.strip() == home.read_text().strip()


def test_a_secret_from_the_variable_goes_first(home, monkeypatch):
    create_signing_key(home)
    monkeypatch.setenv("REPOBUILD_CACHE_KEY", secret_text(b"m" * 32))
    found = read_signing_key(os.environ)
    assert found and found.public == MAIN.public


def test_a_key_that_others_can_read_is_refused(home):
    create_signing_key(home)
    home.chmod(0o640)
    with pytest.raises(UsageError, match="chmod 600"):
        read_signing_key()


@pytest.mark.parametrize(
    "text", ["x", "ed25519-secret:", "ed25519-secret:AAAA", "ed25519:x"]
)
def test_a_garbled_key_is_refused_and_never_shown(home, text):
    create_signing_key(home)
    home.write_text(text)
    with pytest.raises(UsageError) as error:
        read_signing_key()
    assert text not in str(error.value) or len(text) < 17
    with pytest.raises(UsageError, match="REPOBUILD_CACHE_KEY"):
        read_signing_key({"REPOBUILD_CACHE_KEY": text})


def test_without_a_key_there_is_none(home):
    assert read_signing_key({}) is None


def test_a_new_key_never_replaces_one(home):
    create_signing_key(home)
    with pytest.raises(FileExistsError):
        create_signing_key(home)


def test_a_signature_is_of_one_key_and_one_text():
    signature = MAIN.sign(b"text")
    assert is_signed_by(MAIN.public, signature, b"text")
    assert not is_signed_by(MAIN.public, signature, b"other")
    assert not is_signed_by(PULL_REQUEST.public, signature, b"text")
    assert not is_signed_by(MAIN.public, b"", b"text")
    assert not is_signed_by(b"", signature, b"text")


def test_a_key_is_trusted_for_the_namespaces_of_its_pattern():
    lines = [f"{public_text(PULL_REQUEST.public)} pr-*", public_text(MAIN.public)]
    trusted = TrustedKeys.of(lines, None)
    assert trusted.may_sign(PULL_REQUEST.public, "pr-12")
    assert not trusted.may_sign(PULL_REQUEST.public, "main")
    assert trusted.may_sign(MAIN.public, "main")
    assert not TrustedKeys.of([], None).may_sign(MAIN.public, "main")
    assert TrustedKeys.of([], MAIN).may_sign(MAIN.public, "main")
    with pytest.raises(UsageError, match="cache.trusted_keys"):
        TrustedKeys.of(["ed25519:short"], None)
