"""Find tokens by the forms in configs/secrets.toml, and passwords by the text around.

A token counts by its form, wherever it is: in a longer string, a comment, a URL. What
has no form of its own is marked by what is around it:

    password: str = f"..."      assigned to a secret name, in any kind of literal
    Authorization: Bearer ...   a header
    scheme://:...@host          a URL, with or without a user
    Server=db;Uid=sa;Pwd=...;   a connection string
    curl -u user:...            a command line

Each function yields candidates; secret_detection.py decides whether a candidate that
has no form is a secret or a word, a name, a placeholder.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from enum import Enum
from functools import cache
from math import log2
from typing import NamedTuple

from repobuild.resources import data_folder

# Digits between letters, as in hexadecimal tokens; names seldom have three.
DENSE = re.compile(r"[0-9][A-Za-z]+[0-9]+[A-Za-z]+[0-9]")
# A secret's name, and the beginning of a literal that it is assigned or compared to.
# Spelt out, as `re` skips to the letters that alternatives begin with, but not to those
# of `[Kk]`: a fifth of the time.
ASSIGNED = re.compile(
    r"(?:key|Key|KEY|pass|Pass|PASS|pwd|Pwd|PWD|secret|Secret|SECRET|token|Token|TOKEN)"
    r"\w{0,20}['\"\])]{0,2}\s?"
    r"(?::\s?[\w.|\[\] ]{1,40}=|=>|[:=!]{1,3}|\(|,)\s?"
    r"(?:[\w.]{1,30}\()?@?[bfruBFRU]{0,2}['\"`]"
)
URL_PASSWORD = re.compile(r"://[^\s/@:'\"]*:([^\s/@'\"\[\]]{3,})@")
_CLASSES = {
    "hex": "[0-9a-f]",
    "upper": "[A-Z0-9]",
    "lower": "[a-z0-9]",
    "alnum": "[A-Za-z0-9]",
    "word": r"[\w-]",
    "base64": r"[\w+/=-]",
    "digits": "[0-9]",
}
_PART = re.compile(r"\{(\w+):(\d+)(\+?)\}")
_NO_TOKEN = re.compile(
    r"(?i)example|placeholder|your|dummy|redacted|xxxx|changeme|\.\.\."
)
_LEAST_BITS = 2.5  # per character of a token's form; 16 hexadecimal digits have 3.2
# Names whose value is a secret, and the ends that make them names of something else.
_SECRET_NAME = re.compile(
    r"(?i)(?:pass(?:word|wd|phrase)?|pwd|secret|token|credentials?"
    r"|(?:api|access|auth|account|private|secret|sign(?:ing)?|encrypt(?:ion)?|master"
    r"|client|shared|admin)[_-]?(?:pass|key))s?(?:_(?:value|str|text|default)|_?\d+)?$"
)
OTHER_NAME = re.compile(
    r"(?i)(?:pass|password|pwd|secret|key|token)_?"
    r"(?:field|name|url|uri|file|path|regex|re|pattern|type|id|label|hint|help|prefix"
    r"|env|var|error|message|msg|column|policy|format|class|view|form|header|length"
    r"|hash|algorithm|template|title|text_?field|widget|input)s?\b"
)
_NAME_BEFORE = re.compile(r"[\w-]+(?=['\"\])]{0,2}\s?(?:[:=!,(]))")
_HEADER = re.compile(
    r"(?i:\b(?:bearer|basic|token|apikey)\s+|(?:api-?key|-token)['\"]?\s?:\s?['\"]?)"
    r"([A-Za-z0-9._~+/-]{16,}={0,2})"
)
_CONNECTION = re.compile(
    r"(?i)(?:;\s?(?:pwd|password|sharedaccesskey|accountkey|secret)=([^;\s\"']{6,})"
    r"|\b(?:pwd|password)=([^;\s\"'(),]{6,});\s?\w+=)"
)
_PARAMETER = re.compile(
    r"(?i)[?&;](?:sig|password|passwd|pwd|secret|client_secret|token|access_token|auth"
    r"|api_?key|key)=([^&\s\"'<>;]{8,})"
)
_ARGUMENT = re.compile(
    r"(?i)(?:--?(?:password|passwd|pass|token|secret|api-key)[= ]"
    r"|\blogin\s\S+\spassword\s"
    r"|\b(?:ENV|export|set)\s\w*(?:PASS|PASSWORD|PWD|TOKEN|SECRET|KEY)\s?[= ])"
    r"['\"]?([^\s'\"]{8,})"
)
_USER_ARGUMENT = re.compile(r"\s(?:-u|--user)[= ]?['\"]?[\w.@-]+:([^\s'\"]{6,})")
_END = ".,;:)]}"  # punctuation after a value that is in no quotes
_SENTRY = re.compile(r"://([0-9a-f]{32})(?::[0-9a-f]{32})?@")


class Proof(Enum):
    """What a candidate must still pass."""

    NONE = "none"  # its form is proof
    NO_PLACEHOLDER = "no placeholder"
    PASSWORD = "password"
    RANDOM = "random"


class Candidate(NamedTuple):
    """A string that may be a secret."""

    kind: str
    text: str
    proof: Proof


def tokens(text: str) -> Iterator[Candidate]:
    """Yield the strings that have the form of a provider's token."""
    pattern, kinds = _token_pattern()
    for match in pattern.finditer(text):
        found = match.group()
        is_mixed = found.lower() != found != found.upper()
        if _NO_TOKEN.search(found) or _bits(found) < _LEAST_BITS:
            continue
        if is_mixed or any(map(str.isdigit, found[4:])):
            yield Candidate(kinds[match.lastgroup or ""], found, Proof.NONE)
    for match in _SENTRY.finditer(text):
        yield Candidate("Sentry DSN", match[1], Proof.NONE)


def marked(line: str) -> Iterator[Candidate]:
    """Yield the strings of a line that the text around them marks as secrets."""
    for match in ASSIGNED.finditer(line):
        if value := _quoted_value(line, match):
            yield Candidate("Secret Keyword", value, Proof.PASSWORD)
    for match in URL_PASSWORD.finditer(line):
        text = match[1]
        if not text.isdigit():
            kind = "Basic Auth Credentials"
            # A short one is an ordinary word elsewhere: it counts only here.
            whole = text if len(text) >= 8 else f":{text}@"
            yield Candidate(kind, whole, Proof.NO_PLACEHOLDER)
    for match in _CONNECTION.finditer(line):
        text = match[1] or match[2]
        yield Candidate("Connection String", text, Proof.NO_PLACEHOLDER)
    for pattern in (_ARGUMENT, _USER_ARGUMENT):
        for match in pattern.finditer(line):
            text = match[1].rstrip(_END)
            yield Candidate("Command Line Argument", text, Proof.RANDOM)


def headers(line: str) -> Iterator[Candidate]:
    """Yield the values of HTTP headers and of a URL's parameters."""
    for kind, pattern in (("HTTP Header", _HEADER), ("URL Parameter", _PARAMETER)):
        for match in pattern.finditer(line):
            yield Candidate(kind, match[1].rstrip(_END), Proof.RANDOM)


def _quoted_value(line: str, match: re.Match[str]) -> str:
    """Return the literal after a secret's name; "" for a name of another thing."""
    name = _NAME_BEFORE.search(line, _name_start(line, match.start()))
    if not name or not _SECRET_NAME.search(name[0]) or OTHER_NAME.search(name[0]):
        return ""
    quote = line[match.end() - 1]
    end = line.find(quote, match.end())
    while end > 0 and line[end - 1] == "\\":
        end = line.find(quote, end + 1)
    return line[match.end() : end if end >= 0 else len(line)]


def _name_start(line: str, position: int) -> int:
    """Return where the word at a position begins."""
    while position and (line[position - 1].isalnum() or line[position - 1] in "_-"):
        position -= 1
    return position


@cache
def _token_pattern() -> tuple[re.Pattern[str], dict[str, str]]:
    """Compile all forms into one expression; return the kind of each of its groups."""
    import tomllib  # only a line that looks like a secret needs it

    path = data_folder("configs") / "secrets.toml"
    tokens = tomllib.loads(path.read_text("utf-8"))["tokens"]
    kinds, groups = {}, []
    for number, (kind, forms) in enumerate(tokens.items()):
        kinds[f"k{number}"] = kind
        groups.append(f"(?P<k{number}>{'|'.join(map(form_pattern, forms))})")
    return re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(groups)})(?![A-Za-z0-9])"), kinds


def form_pattern(form: str) -> str:
    """Return a form of configs/secrets.toml as a regular expression.

    Raises:
        ValueError: it names an unknown class.
    """
    pattern, end = "", 0
    for part in _PART.finditer(form):
        name, count, more = part.groups()
        if name not in _CLASSES:
            raise ValueError(f'unknown class "{name}" in "{form}"')
        # In the name of a heading "-" replaces "_".
        pattern += re.escape(form[end : part.start()]).replace("_", "[_-]")
        pattern += f"{_CLASSES[name]}{{{count}{',' if more else ''}}}"
        end = part.end()
    return pattern + re.escape(form[end:])


def _bits(text: str) -> float:
    """Return the Shannon entropy of the text, in bits per character."""
    shares = [count / len(text) for count in Counter(text).values()]
    return -sum(share * log2(share) for share in shares)
