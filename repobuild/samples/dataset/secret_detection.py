"""Find secrets in text, and redact them.

    find_secrets(text)    {secret: kind}, as {"ghp_...": "GitHub Token"}
    redact(value)         plain data with every secret replaced, to be shown or exported
    find_in_texts(texts), redact_found(value, found)
                          the same in two steps, for data that is written as it is read

Two sets of patterns are used: the library detect-secrets, and secret_forms.py with
configs/secrets.toml. No message shows a secret. secrets_filter.py drops the samples
that hold one.

A line is searched only if a cheap search suspects it (`is_suspect`): a long run
with a digit and a capital letter, the beginning of a known token, or a quoted string
assigned to a name such as `password`. So code without secrets costs some 8 us a
sample, and seldom imports the library, which takes 0.15 s. Digits between letters
(`DENSE`), as in hexadecimal tokens, only lead to the forms of tokens.

A match of a token format (API tokens, private keys) counts as it is. A match by the
name of a variable, by position in a URL, or by entropy must pass further checks,
because code is full of such lines: placeholders, names, paths, hashes and UUIDs are no
secrets. Hexadecimal strings count only as the value of such a name: most are digests.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from importlib import import_module
from itertools import chain
from math import log2
from typing import TYPE_CHECKING

from repobuild.engine.contract import Value
from repobuild.samples.dataset.secret_forms import (
    ASSIGNED,
    DENSE,
    OTHER_NAME,
    URL_PASSWORD,
    Proof,
    headers,
    marked,
    tokens,
)

if TYPE_CHECKING:
    from detect_secrets.plugins.base import BasePlugin

Found = Sequence[tuple[str, str]]

_MIXED_LENGTH = 20  # characters
_MIXED = re.compile(
    r"(?<![A-Za-z0-9_+/=-])(?=[A-Za-z_+/=-]*[0-9])(?=[a-z0-9_+/=-]*[A-Z])"
    rf"[A-Za-z0-9_+/=-]{{{_MIXED_LENGTH},}}"
)
_TOKEN_STARTS = (
    r"gh[oprsu]_|github_pat_|gl[a-z]{2,6}-|npm_|hf_|xox|hooks\.slack|rk_live_|sk_live_"
    r"|sk-|SG\.|sq0csp-|AIza|A[BCKS][CI]A|T3Blbk|AccountKey=|eyJ|PRIVATE KEY"
    r"|PuTTY-User"
)
_TOKEN_PARTS = r"_authToken|-us[0-9]"
# Every alternative begins with a letter, so `re` skips to these letters. With a word
# boundary before them it tries each position, which takes twice the time.
_TOKEN_LIKE = re.compile(f"{_TOKEN_STARTS}|{_TOKEN_PARTS}")
_TOKEN_START = re.compile(rf"\b(?:{_TOKEN_STARTS})|{_TOKEN_PARTS}")
# Separate searches: as alternatives of one expression they take twice the time.
_SUSPECT = (
    URL_PASSWORD,
    ASSIGNED,
    re.compile(r"(?i:;\s?(?:pwd|password|secret|\w{6,9}key)=)[^;\s\"'{<$%]"),
    re.compile(
        r"(?i:--?(?:u|user|password|pass|token|secret)[= ])['\"]?[\w.-]*:?\S{6}"
    ),
    re.compile(r"['\"]\s?[!=]==?\s?\w{0,30}?(?i:key|pass|pwd|secret)"),
)
_FORMAT_PLUGINS = (
    "aws.AWSKeyDetector",
    "azure_storage_key.AzureStorageKeyDetector",
    "github_token.GitHubTokenDetector",
    "gitlab_token.GitLabTokenDetector",
    "jwt.JwtTokenDetector",
    "mailchimp.MailchimpDetector",
    "npm.NpmDetector",
    "openai.OpenAIDetector",
    "private_key.PrivateKeyDetector",
    "pypi_token.PypiTokenDetector",
    "sendgrid.SendGridDetector",
    "slack.SlackDetector",
    "square_oauth.SquareOAuthDetector",
    "stripe.StripeDetector",
    "telegram_token.TelegramBotTokenDetector",
    "twilio.TwilioKeyDetector",
)
# Token formats that detect-secrets 1.5 does not know.
_MORE_FORMATS = {
    "GitHub Token": re.compile(r"github_pat_\w{36,}"),
    "NPM tokens": re.compile(r"\bnpm_[A-Za-z0-9]{36}\b"),
    "Google API Key": re.compile(r"\bAIza[\w-]{35}(?![\w-])"),
    "Hugging Face Token": re.compile(r"\bhf_[A-Za-z0-9]{34}\b"),
    "Anthropic API Key": re.compile(r"\bsk-ant-[\w-]{40,}"),
    "Private Key": re.compile(r"BEGIN ENCRYPTED PRIVATE KEY"),
}
_KEY_BLOCK = re.compile(
    # The dashes before it may have been taken for a rule of the document.
    r"(?:-----BEGIN [A-Z0-9 ]*PRIVATE KEY|BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----)"
    r".*?(?:-----END [A-Z0-9 ]*KEY[A-Z ]*-----|\Z)",
    re.DOTALL,
)
_PLACEHOLDER = re.compile(
    r".*(?:example|placeholder|change_?me|your|dummy|redacted|\.\.\.|xxxx|\*\*)"
    r"|(?:my|the|a|some|user)?[-_]?"
    r"(?:pass|password|passwd|pwd|pw|secret|token|key|credentials)[-_\d]*$",
    re.IGNORECASE | re.DOTALL,
)
# Not any `$`, `%`, `(` or `{`: passwords have these. Only a variable, a field of a
# format, a call, or a regular expression.
_REFERENCE = re.compile(
    r"\$\{|\$\(|\{\{|\{[A-Za-z_][\w.!:\[\]()'\"]*\}|\{\d?\}|%\(\w+\)"
    r"|%[sdr](?![A-Za-z0-9])|<[A-Za-z][\w .|-]*>|^\$[A-Za-z_]\w*$|^%\w+%$"
    r"|^[A-Za-z_][\w.]*\(.*\)$|\(\?|\[\^?[A-Za-z0-9]-[A-Za-z0-9]|\\[A-Za-z0-9]"
)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_HEX = re.compile(r"(0x)?[0-9a-f]+", re.IGNORECASE)
_DIGEST = re.compile(r"(?i:hash|digest|checksum|integrity|signature|md5|sha-?\d)")
_ALPHABET = re.compile(r"(?i:abcdef|uvwxyz|012345|456789)")
_PUNCTUATION = "`'\",;)]}"
_MIN_SECRET = 8  # characters; a shorter match is a word, or part of a token
_MIN_RANDOM = 16  # characters
_PASSWORD_BITS = 2.75  # per character; eight different ones have 3
_RANDOM_BITS = 4.0  # the library's default, 4.5, needs 24 different characters
# Share of a string that is in words: a fifth for random base64, four fifths for names.
_WORD_SHARE = 0.5
_NAME_WORD = 12  # characters per underscore in a name; random base64url has 64
_WORD = re.compile("[a-z]{3,}")
_WINDOW = 2000  # characters of a line searched at once: the library is quadratic
_OVERLAP = 400  # characters that two windows share
_SLUG = re.compile(r"[\W_]+")  # as in code/facts/markdown.py
_KEY_LINE = re.compile(r"[A-Za-z0-9+/=]{16,}")
_TOKEN_WORD = re.compile(r"[\w.+/=~-]+")


def find_secrets(text: str) -> dict[str, str]:
    """Return {secret: kind} of a text; {} for nearly every text."""
    found: dict[str, str] = {}
    if not is_suspect(text):
        return found
    for line in text.split("\n"):
        if is_suspect(line):
            found.update(_in_line(line))
    return found | _key_lines(text)


def redact(value: Value) -> Value:
    """Return plain data with every secret in it replaced by "[secret: KIND]"."""
    return redact_found(value, find_in_texts(_texts(value)))


def redact_tokens(text: str) -> str:
    """Return a text with what has the form of a token replaced, and nothing else."""
    found = {token.text: token.kind for token in tokens(text)}
    return str(redact_found(text, sorted(found.items(), key=lambda f: -len(f[0]))))


def find_in_texts(texts: Iterable[str]) -> Found:
    """Return (secret, kind) of texts for `redact_found`, the longest secret first."""
    known: dict[str, str] = {}
    for text in texts:
        known.update(find_secrets(text))
    for secret, kind in list(known.items()):  # as a heading's name has it
        slug = _SLUG.sub("-", secret.lower()).strip("-")
        if len(slug) >= _MIN_RANDOM:
            known.setdefault(slug, kind)
    return sorted(known.items(), key=lambda item: (-len(item[0]), item))


def _texts(value: Value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from chain.from_iterable(map(_texts, (*value, *value.values())))
    elif isinstance(value, list | tuple):
        yield from chain.from_iterable(map(_texts, value))


def redact_found(value: Value, known: Found) -> Value:
    """Return plain data with these secrets replaced by "[secret: KIND]"."""
    if not known:
        return value
    if isinstance(value, str):
        value = _KEY_BLOCK.sub("[secret: Private Key]", value)
        for secret, kind in known:
            value = value.replace(secret, f"[secret: {kind}]")
    elif isinstance(value, Mapping):
        return {
            redact_found(key, known): redact_found(item, known)
            for key, item in value.items()
        }
    elif isinstance(value, list | tuple):
        return [redact_found(item, known) for item in value]
    return value


def is_suspect(text: str) -> bool:
    """Return whether text may hold a secret, without loading the library (120 ms)."""
    return DENSE.search(text) is not None or _is_for_library(text)


def _is_for_library(text: str) -> bool:
    """Return whether more than the forms of tokens is to be searched for."""
    if _TOKEN_LIKE.search(text) and _TOKEN_START.search(text):
        return True
    if any(pattern.search(text) for pattern in _SUSPECT):
        return True
    # Few words are long, and `_MIXED` is slow on the others.
    long = " ".join(word for word in text.split() if len(word) >= _MIXED_LENGTH)
    # Paths and names have capitals and digits, too, but consist of words.
    return any(not _is_mostly_words(mixed) for mixed in _MIXED.findall(long))


def _is_mostly_words(text: str) -> bool:
    return sum(map(len, _WORD.findall(text))) >= _WORD_SHARE * len(text)


def _key_lines(text: str) -> dict[str, str]:
    """Return the lines of private keys: a sample may show some without the header."""
    if "PRIVATE KEY" not in text:
        return {}
    return {
        line.strip(): "Private Key"
        for block in _KEY_BLOCK.findall(text)
        for line in block.split("\n")[1:]
        if _KEY_LINE.fullmatch(line.strip())
    }


@lru_cache(maxsize=4096)
def _in_line(line: str) -> Mapping[str, str]:
    """Return {secret: kind} of a line. Cached: several samples show the same line."""
    found: dict[str, str] = {}
    for start in range(0, max(1, len(line) - _OVERLAP), _WINDOW - _OVERLAP):
        window = line[start : start + _WINDOW]
        if len(window) == len(line) or is_suspect(window):
            for kind, secret in _in_window(window):
                found.setdefault(secret, kind)
    return found


def _in_window(line: str) -> Iterator[tuple[str, str]]:
    """Yield (kind, secret) of a line, or of a part of a long one."""
    for candidate in tokens(line):
        yield candidate.kind, candidate.text
    for candidate in headers(line):
        if _is_marked_random(candidate.text, line):
            yield candidate.kind, candidate.text
    if not _is_for_library(line):
        return
    for kind, secret in chain(_by_format(line), _by_context(line)):
        # Some of the library's expressions give only a token's beginning.
        yield kind, secret if len(secret) >= _MIN_SECRET else _whole_token(secret, line)
    for candidate in marked(line):
        if _PROOFS[candidate.proof](candidate.text, line):
            yield candidate.kind, candidate.text


def _whole_token(start: str, line: str) -> str:
    """Return the longest word that contains a string; the line if all are short."""
    words = [word for word in _TOKEN_WORD.findall(line) if start in word]
    longest = max(words, key=len, default="")
    return longest if len(longest) >= _MIN_SECRET else line.strip()


def _by_format(line: str) -> Iterator[tuple[str, str]]:
    """Yield (kind, secret) of strings that have the format of a token."""
    for name in _FORMAT_PLUGINS:
        plugin = _plugin(name)
        for secret in plugin.analyze_string(line):
            yield plugin.secret_type, secret
    for kind, pattern in _MORE_FORMATS.items():
        for match in pattern.finditer(line):
            yield kind, match.group()


def _by_context(line: str) -> Iterator[tuple[str, str]]:
    """Yield (kind, secret) of strings that a name, a URL or entropy marks."""
    for name, is_secret in _CONTEXT_PLUGINS.items():
        plugin = _plugin(name)
        for text in plugin.analyze_string(line):
            if is_secret(text, line):
                yield plugin.secret_type, text
    yield from _unquoted(line)


def _unquoted(line: str) -> Iterator[tuple[str, str]]:
    """Yield the first word of `SECRET_KEY=...` as shells and YAML write it."""
    keyword = import_module("detect_secrets.plugins.keyword")
    patterns = keyword.CONFIG_DENYLIST_REGEX_TO_GROUP
    detector = keyword.KeywordDetector()
    for text in detector.analyze_string(line, patterns):
        value = text.split()[0].strip(_PUNCTUATION)
        if "(" not in value and _is_random(value, line):
            yield detector.secret_type, value


@cache
def _plugin(name: str) -> BasePlugin:
    module, _, kind = name.partition(".")
    plugin: BasePlugin = getattr(
        import_module(f"detect_secrets.plugins.{module}"), kind
    )()
    return plugin


def _is_placeholder(text: str) -> bool:
    return bool(_PLACEHOLDER.match(text) or _REFERENCE.search(text))


def _is_credential(text: str, line: str) -> bool:
    return not _is_placeholder(text) and not _is_placeholder(text.strip(":@"))


def _is_password(text: str, line: str) -> bool:
    """Return whether the value of a secret name is no word, name or sentence."""
    if len(text) < _MIN_SECRET or " " in text or _is_placeholder(text):
        return False
    classes = {_character_class(letter) for letter in text} - {"separator"}
    long = len(text) >= _MIN_RANDOM and text.isalnum() and len(classes) > 1
    return (len(classes) > 2 or long) and _bits(text) >= _PASSWORD_BITS


def _is_random(text: str, line: str) -> bool:
    """Return whether a string looks random and is no digest."""
    if len(text) < _MIN_RANDOM or _DIGEST.search(line) or _ALPHABET.search(text):
        return False
    if _HEX.fullmatch(text) or _UUID.search(text) or _is_placeholder(text):
        return False
    if text.isidentifier() and text.count("_") >= max(2, len(text) / _NAME_WORD):
        return False
    mixed = {"lower", "upper", "digit"} <= {_character_class(letter) for letter in text}
    return mixed and not _is_mostly_words(text) and _bits(text) >= _RANDOM_BITS


def _character_class(letter: str) -> str:
    if letter.isdigit():
        return "digit"
    if letter.isalpha():
        return "upper" if letter.isupper() else "lower"
    return "separator" if letter in "-_./: " else "other"


def _bits(text: str) -> float:
    """Return the Shannon entropy of the text, in bits per character."""
    shares = [count / len(text) for count in Counter(text).values()]
    return -sum(share * log2(share) for share in shares)


def _is_named_password(text: str, line: str) -> bool:
    """The library takes `password_field = "..."` for a password, too."""
    return not OTHER_NAME.search(line) and _is_password(text, line)


def _is_marked_random(text: str, line: str) -> bool:
    """Return whether a header's or an argument's value looks random, or hexadecimal."""
    is_key = len(text) >= 32 and bool(_HEX.fullmatch(text)) and _bits(text) > 3
    return is_key or _is_random(text, line)


_PROOFS: Mapping[Proof, Callable[[str, str], bool]] = {
    Proof.NO_PLACEHOLDER: _is_credential,
    Proof.PASSWORD: _is_password,
    Proof.RANDOM: _is_marked_random,
}
# Detectors by name, URL or entropy, each with the check that its matches must pass.
_CONTEXT_PLUGINS: Mapping[str, Callable[[str, str], bool]] = {
    "basic_auth.BasicAuthDetector": _is_credential,
    "keyword.KeywordDetector": _is_named_password,
    "high_entropy_strings.Base64HighEntropyString": _is_random,
    # `Module.params.a_name_of_some_27_letters` has the format of this token, too.
    "discord.DiscordBotTokenDetector": _is_random,
}
