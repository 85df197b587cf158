"""Make phrases of names and sentences: lower case, a verb first, at most eight words.

get_user_name          return user name
isValid                check valid
to_json (of Tree)      convert tree to json
"Returns the name of the user, if known."      return name of user
"""

from __future__ import annotations

import re
from functools import lru_cache

from repobuild.code.features.vocabulary import vocabulary

MOST_WORDS = 8
_WORD = re.compile(r"[A-Z]+s?(?=[A-Z][a-z]|[\W\d_]|$)|[A-Z]?[^\W\dA-Z_]+|\d+|[A-Z]+")
_MARKUP = re.compile(
    r":[\w:]+:(?=`)|`{1,3}|\*{1,2}|\[([^\]]*)\]\([^)]*\)|<[^>\s]*>|@\w+\{?|\s+_\b"
)
# Where the first clause of a sentence ends.
_CLAUSE = re.compile(
    r"[.:;!?](?:\s|$)|\n\s*\n|\s[-–—]{1,2}\s|\s\(|,\s(?:and|or|if|when|where|which|so)\s"
    r"|\s(?:if|when|whenever|unless|because|so that|such that|which|e\.g\.|i\.e\.)\s"
    r"|\n\s*(?:>>>|:param|@param|Args:|Parameters|-{3,}|={3,})"
)
_TOKEN = re.compile(r"[^\W_][\w.'-]*")
_ARTICLES = frozenset("a an the this that its their our your it".split())
# Words between a verb and what it does something to.
_FILLERS = frozenset(
    "helper utility convenience simple wrapper method function class".split()
)
# A phrase that is cut must not end with one of these.
_LOOSE_ENDS = frozenset(
    "about across after against and as at be been before between both but by can each"
    " every for from has have if in into is not of on or other over per than to under"
    " until upon using via what when where whether which while who will with".split()
)
_CHECKS = frozenset("is has can should are was does needs supports contains".split())
_MODALS = frozenset("must may will would could shall".split())


@lru_cache(maxsize=50_000)
def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name in lower case, abbreviations written out."""
    short = vocabulary().short
    found = []
    for word in _WORD.findall(name):
        lowered = word.lower()
        found += short.get(lowered, lowered).split(" ")
    return tuple(found)


@lru_cache(maxsize=20_000)
def base_verb(word: str) -> str:
    """Return the verb that a word is a form of, "" for another word."""
    verbs = vocabulary().verbs
    if word in verbs:
        return word
    for ending, instead in (
        ("ies", ("y",)),
        ("es", ("", "e")),
        ("s", ("",)),
        ("ing", ("", "e")),
    ):
        stem = word.removesuffix(ending)
        if stem == word or len(stem) < 2:
            continue
        for more in instead:
            if stem + more in verbs:
                return stem + more
        if ending == "ing" and stem[-1] == stem[-2] and stem[:-1] in verbs:
            return stem[:-1]
    return ""


def phrase(verb: str, *objects: str) -> str:
    """Return a verb with what it acts on, within the limit of words."""
    verb = vocabulary().vague.get(verb, verb)
    words = [*verb.split(), *(word for text in objects for word in text.split())]
    words = words[:MOST_WORDS]
    while len(words) > 2 and words[-1] in _LOOSE_ENDS:
        words.pop()
    return " ".join(words)


def filled(template: str, owner: str) -> str:
    """Return a phrase of the vocabulary with a noun in place of `{}`."""
    return phrase(*template.replace("{}", owner).split())


def of_sentence(text: str) -> tuple[str, bool]:
    """Return the phrase of a docstring's first clause, and whether it has a verb.

    Without a verb it is "describe ..."; ("", False) where nothing is said.
    """
    tokens = _tokens(text)
    while tokens and (tokens[0] in _FILLERS or tokens[0] in _MODALS):
        tokens = tokens[1:]
    if tokens[:1] in (["to"], ["for"], ["used"], ["of"]):
        tokens = tokens[2:] if tokens[:2] == ["used", "to"] else tokens[1:]
    if not tokens:
        return "", False
    is_noun = len(tokens) > 1 and tokens[1] == "of" and not tokens[0].endswith("s")
    verb = "" if is_noun else base_verb(tokens[0])
    if not verb:
        if len(tokens) < 2 and not tokens[0].isalpha():
            return "", False
        return phrase("describe", *tokens), False
    if verb in ("return", "check", "test") and tokens[1:2] == ["whether"]:
        return phrase("check", *tokens[2:]), True
    if len(tokens) == 1:
        return "", False
    return phrase(verb, *tokens[1:]), True


def _tokens(text: str) -> list[str]:
    """Return the words of the first clause in lower case, without articles."""
    plain = _MARKUP.sub(r"\1", text[:600].partition(">>>")[0]).strip()
    if not plain:
        return []
    clause = _CLAUSE.split(plain, maxsplit=1)[0]
    found = (word.strip(".'-").lower() for word in _TOKEN.findall(clause))
    return [word for word in found if word and word not in _ARTICLES]


def of_name(name: str, owner: str, argument: str = "") -> tuple[str, bool]:
    """Return the phrase of a function's name, and whether the name has a verb.

    `owner` are the words of the class around it, `argument` those of its first
    parameter, "" for none: what a verb without an object acts on.
    """
    words = words_of(name)
    if not words:
        return "", False
    first, rest = words[0], words[1:]
    object_ = " ".join(rest) or owner or argument
    if first in _CHECKS:
        return phrase("check", object_), True
    if first in ("to", "as") and rest:
        return phrase("convert", owner, "to", *rest), True
    if first == "from" and rest:
        return phrase("build", owner, "from", *rest), True
    if first == "of" and owner:
        return phrase("build", owner), True
    if first == "without" and rest:
        return phrase("remove", *rest), True
    if first in ("with", "set") and rest:
        return phrase("set", *rest), True
    if first in ("on", "handle") and rest:
        return phrase("respond to", *rest), True
    if first in ("test", "should") and rest:
        return phrase("test", *rest), True
    if verb := base_verb(first):
        is_name_of_thing = first != verb and first not in vocabulary().verbs
        if not is_name_of_thing or first.endswith("ing"):
            return (phrase(verb, object_), True) if object_ else (verb, False)
    return " ".join(words[:MOST_WORDS]), False
