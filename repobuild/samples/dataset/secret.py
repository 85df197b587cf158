"""Secrets in a text, by the library detect-secrets: what they are, never in a message.

    secrets(text)    {secret: kind}; kind is the library's name of it, "AWS Access Key"
    withheld(value)  plain data as it may be shown or exported: without the secrets
    found_in(texts), without(value, found)
                     the same in two steps, for data that is written as it is read

A line goes to the library only if `_SUSPECT` finds something in it: a long run with a
digit and a capital, the beginning of a known token, or a name such as `password` that
is given a quoted text. So code without secrets costs 12 to 26 us a sample, and seldom
imports the library, which takes 0.15 s.

What is known by its form (tokens, private keys) counts as it is. What is known only by
its name, by its place in a URL, or by looking random is held to more, for code is full
of such lines: placeholders, names, paths, hashes and UUIDs stay. Hexadecimal strings
count only as the value of such a name: most are digests.
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

if TYPE_CHECKING:
    from detect_secrets.plugins.base import BasePlugin

Found = Sequence[tuple[str, str]]

_MIXED = re.compile(
    r"(?<![A-Za-z0-9_+/=-])(?=[A-Za-z_+/=-]*[0-9])(?=[a-z0-9_+/=-]*[A-Z])"
    r"[A-Za-z0-9_+/=-]{20,}"
)
# Separate searches, for as alternatives of one they take twice the time.
_SUSPECT = (
    re.compile(
        r"\b(?:gh[oprsu]_|github_pat_|gl[a-z]{2,6}-|npm_|hf_|xox|hooks\.slack|[rs]k_live_"
        r"|sk-|SG\.|sq0csp-|AIza|A[BCKS][CI]A|T3Blbk|AccountKey=|eyJ|PRIVATE KEY"
        r"|PuTTY-User)|_authToken|-us[0-9]"
    ),
    re.compile(r"://[^\s/@:]+:[^\s/@]+@"),
    re.compile(
        r"(?:[Kk]ey|KEY|[Pp]ass|PASS|[Pp]wd|PWD|[Ss]ecret|SECRET)\w{0,20}['\"\])]{0,2}\s?"
        r"(?:=>|[:=!]{1,3}|\(|,)\s?@?['\"`]"
    ),
    re.compile(r"['\"]\s?[!=]==?\s?\w{0,30}?(?i:key|pass|pwd|secret)"),
)
_BY_FORM = (
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
# Forms that detect-secrets 1.5 does not know.
_UNKNOWN_YET = {
    "GitHub Token": re.compile(r"github_pat_\w{36,}"),
    "NPM tokens": re.compile(r"\bnpm_[A-Za-z0-9]{36}\b"),
    "Google API Key": re.compile(r"\bAIza[\w-]{35}(?![\w-])"),
    "Hugging Face Token": re.compile(r"\bhf_[A-Za-z0-9]{34}\b"),
    "Anthropic API Key": re.compile(r"\bsk-ant-[\w-]{40,}"),
    "Private Key": re.compile(r"BEGIN ENCRYPTED PRIVATE KEY"),
}
_KEY_BLOCK = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY.*?(?:-----END [A-Z0-9 ]*KEY[A-Z ]*-----|\Z)",
    re.DOTALL,
)
_PLACEHOLDER = re.compile(
    r".*(?:example|placeholder|change_?me|your|dummy|redacted|[<{$%(]|\.\.\.|xxxx|\*\*)"
    r"|(?:my|the|a|some|user)?[-_]?"
    r"(?:pass|password|passwd|pwd|pw|secret|token|key|credentials)[-_\d]*$",
    re.IGNORECASE | re.DOTALL,
)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_HEX = re.compile(r"(0x)?[0-9a-f]+", re.IGNORECASE)
_DIGEST = re.compile(r"(?i:hash|digest|checksum|integrity|signature|md5|sha-?\d)")
_ALPHABET = re.compile(r"(?i:abcdef|uvwxyz|012345|456789)")
_AROUND = "`'\",;)]}"
_LEAST_SECRET = 8  # characters; what is shorter is a word, or half of a match
_LEAST_RANDOM = 16
_PASSWORD_BITS = 2.75  # a character, of at most 3 for eight different ones
_RANDOM_BITS = 4.0  # the library's default of 4.5 needs 24 characters, all different
# Of a string, how much stands in words: a fifth of random base64, four fifths of names.
_WORDS = 0.5
_A_NAME = 12  # letters for each underscore; random ones of base64url have 64
_WORD = re.compile("[a-z]{3,}")
_LONGEST_LINE = 2000  # the library's expressions take time quadratic in a line's length


def secrets(text: str) -> dict[str, str]:
    """Return the secrets of a text with their kinds; {} for nearly every text."""
    found: dict[str, str] = {}
    for line in _suspects(text):
        found.update(_in_line(line))
    return found


def withheld(value: Value) -> Value:
    """Return plain data with "[secret: KIND]" in the place of every secret in it."""
    return without(value, found_in(_texts(value)))


def found_in(texts: Iterable[str]) -> Found:
    """Return the secrets of texts, the longest first; for `without`."""
    known: dict[str, str] = {}
    for text in texts:
        known.update(secrets(text))
    return sorted(known.items(), key=lambda item: (-len(item[0]), item))


def _texts(value: Value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from chain.from_iterable(map(_texts, value.values()))
    elif isinstance(value, list | tuple):
        yield from chain.from_iterable(map(_texts, value))


def without(value: Value, known: Found) -> Value:
    """Return plain data with "[secret: KIND]" in the place of these secrets."""
    if not known:
        return value
    if isinstance(value, str):
        value = _KEY_BLOCK.sub("[secret: Private Key]", value)
        for secret, kind in known:
            value = value.replace(secret, f"[secret: {kind}]")
    elif isinstance(value, Mapping):
        return {key: without(item, known) for key, item in value.items()}
    elif isinstance(value, list | tuple):
        return [without(item, known) for item in value]
    return value


def _suspects(text: str) -> Iterator[str]:
    """Yield the lines in which a secret may be."""
    if _is_suspect(text):
        yield from filter(_is_suspect, text.split("\n"))


def _is_suspect(text: str) -> bool:
    """Paths and names are not: to look at one loads the library, for 120 ms."""
    if any(form.search(text) for form in _SUSPECT):
        return True
    return any(not _is_worded(found) for found in _MIXED.findall(text))


def _is_worded(text: str) -> bool:
    return sum(map(len, _WORD.findall(text))) >= _WORDS * len(text)


@lru_cache(maxsize=4096)
def _in_line(line: str) -> Mapping[str, str]:
    """Return the secrets of a line; the same line stands in several samples."""
    line = line[:_LONGEST_LINE]
    found: dict[str, str] = {}
    for kind, secret in chain(_by_form(line), _by_place(line)):
        # Some of the library's expressions give only a token's prefix.
        whole = secret if len(secret) >= _LEAST_SECRET else line.strip()
        found.setdefault(whole, kind)
    return found


def _by_form(line: str) -> Iterator[tuple[str, str]]:
    for name in _BY_FORM:
        plugin = _plugin(name)
        for secret in plugin.analyze_string(line):
            yield plugin.secret_type, secret
    for kind, form in _UNKNOWN_YET.items():
        for match in form.finditer(line):
            yield kind, match.group()


def _by_place(line: str) -> Iterator[tuple[str, str]]:
    for name, is_secret in _BY_PLACE.items():
        plugin = _plugin(name)
        for text in plugin.analyze_string(line):
            if is_secret(text, line):
                yield plugin.secret_type, text
    yield from _without_quotes(line)


def _without_quotes(line: str) -> Iterator[tuple[str, str]]:
    """`SECRET_KEY=...` as shells and YAML write it; later words do not count."""
    keyword = import_module("detect_secrets.plugins.keyword")
    forms, detector = keyword.CONFIG_DENYLIST_REGEX_TO_GROUP, keyword.KeywordDetector()
    for text in detector.analyze_string(line, forms):
        value = text.split()[0].strip(_AROUND)
        if _is_random(value, line):
            yield detector.secret_type, value


@cache
def _plugin(name: str) -> BasePlugin:
    module, _, kind = name.partition(".")
    plugin: BasePlugin = getattr(
        import_module(f"detect_secrets.plugins.{module}"), kind
    )()
    return plugin


def _is_credential(text: str, line: str) -> bool:
    return not _PLACEHOLDER.match(text)


def _is_password(text: str, line: str) -> bool:
    """Whether a named value is no word, name or sentence."""
    if len(text) < _LEAST_SECRET or " " in text or _PLACEHOLDER.match(text):
        return False
    classes = {_class(letter) for letter in text} - {"-"}
    long = len(text) >= _LEAST_RANDOM and text.isalnum() and len(classes) > 1
    return (len(classes) > 2 or long) and _bits(text) >= _PASSWORD_BITS


def _is_random(text: str, line: str) -> bool:
    """Whether a string is neither words nor a digest."""
    if len(text) < _LEAST_RANDOM or _DIGEST.search(line) or _ALPHABET.search(text):
        return False
    if _HEX.fullmatch(text) or _UUID.search(text) or _PLACEHOLDER.match(text):
        return False
    if text.isidentifier() and text.count("_") >= max(2, len(text) / _A_NAME):
        return False
    mixed = {"a", "A", "1"} <= {_class(letter) for letter in text}
    return mixed and not _is_worded(text) and _bits(text) >= _RANDOM_BITS


def _class(letter: str) -> str:
    if letter.isdigit():
        return "1"
    if letter.isalpha():
        return "A" if letter.isupper() else "a"
    return "-" if letter in "-_./: " else "!"


def _bits(text: str) -> float:
    """Shannon's entropy of a character of the text."""
    shares = [count / len(text) for count in Counter(text).values()]
    return -sum(share * log2(share) for share in shares)


_BY_PLACE: Mapping[str, Callable[[str, str], bool]] = {
    "basic_auth.BasicAuthDetector": _is_credential,
    "keyword.KeywordDetector": _is_password,
    "high_entropy_strings.Base64HighEntropyString": _is_random,
    # `Module.params.a_name_of_some_27_letters` has its form, too.
    "discord.DiscordBotTokenDetector": _is_random,
}
