"""Lift the features of one element from its row of facts.

A feature is `[phrase, source, confidence]`, the surest first, at most three:

    docstring  0.9   its first clause begins with a verb
               0.6   it describes a thing: "describe ..."
    name       0.8   begins with a verb, or is one of Python's own methods
               0.7   a class by the last word of its name: "build connection"
               0.5   a noun: "compute total", "expose total" of a property
    body       0.8   a decorator that says what a function serves
               0.5   what a class's methods do; its bases
               0.4   what a function without a docstring and verb calls

An element always has one. A model may replace the weak ones.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from repobuild.code.facts.element_row import (
    FIXTURE,
    ElementRow,
    name_of,
    parameter_name,
    without_type_arguments,
)
from repobuild.code.features.phrase import (
    base_verb,
    filled,
    of_name,
    of_sentence,
    phrase,
    words_of,
)
from repobuild.code.features.vocabulary import vocabulary

Feature = list[str | float]  # phrase, source, confidence
DOCSTRING, NAME, BODY = "docstring", "name", "body"
_MOST = 3
_ALIKE = 0.6  # share of common words from which two phrases say the same
_ROUTE = re.compile(
    r"(?:^|\.)(?:route|get|post|put|patch|delete|head|options|websocket|api_route"
    r"|command|group|task|register|receiver|on|event)\(\s*[rbf]?(['\"])([^'\"]{1,60})\1"
)
_COMMAND = re.compile(r"(?:^|\.)(?:command|group)\(")
_PROPERTY = re.compile(r"(?:^|\.)(?:cached_)?property$")
# Called by anything, and no sign of what an element is for.
_COMMON_CALLS = frozenset(
    "all any append bool dict enumerate extend float format get getattr hasattr int"
    " isinstance issubclass items iter join keys len list map max min next open pop"
    " print range repr reversed set setattr setdefault sorted split startswith endswith"
    " strip str sum super tuple type update values warn zip add copy debug info error"
    " deepcopy is_available size view to".split()
)
_MOST_METHODS = 3


def features_of(row: ElementRow, members: Sequence[ElementRow]) -> list[Feature]:
    """Return an element's features; `members` are what a class or function contains."""
    if row.type == "section":
        found = _of_section(row)
    elif row.type == "class":
        found = _of_class(row, members)
    else:
        found = _of_function(row)
    ranked = sorted(found, key=lambda feature: -float(feature[2]))  # stable
    return _distinct(ranked) or [[name_of(row.qual).lower(), NAME, 0.1]]


def _of_section(row: ElementRow) -> Iterator[Feature]:
    text, has_verb = of_sentence(row.returns)
    if text:
        yield [text, NAME, 0.6 if has_verb else 0.5]


def _of_docstring(row: ElementRow) -> Iterator[Feature]:
    if row.doc:
        text, has_verb = of_sentence(row.doc)
        if text:
            yield [text, DOCSTRING, 0.9 if has_verb else 0.6]


def _of_class(row: ElementRow, members: Sequence[ElementRow]) -> Iterator[Feature]:
    yield from _of_docstring(row)
    words = words_of(name_of(row.qual))
    if not words:
        return
    noun, last = " ".join(words), words[-1]
    rest = " ".join(words[:-1])
    if words[0] == "test" and len(words) > 1:
        yield [phrase("test", *words[1:]), NAME, 0.8]
    elif last in vocabulary().role and rest:
        yield [filled(vocabulary().role[last], rest), NAME, 0.7]
    elif (verb := _agent(last)) and rest:
        yield [phrase(verb, rest), NAME, 0.7]
    else:
        yield [phrase("represent", noun), NAME, 0.4]
    if verbs := _verbs(members):
        text = " and ".join(filter(None, [", ".join(verbs[:-1]), verbs[-1]]))
        yield [phrase(*text.split(), noun), BODY, 0.5]
    bases = [words_of(without_type_arguments(b).rpartition(".")[2]) for b in row.bases]
    bases = [base for base in bases if base and base != ("object",)]
    if bases:
        yield [phrase("extend", *bases[0]), BODY, 0.45]


def _verbs(members: Sequence[ElementRow]) -> list[str]:
    """Return the verbs that begin most names of a class's public methods."""
    names = (name_of(member.qual) for member in members if member.type == "method")
    firsts = (words_of(name)[:1] for name in names if name[:1] != "_")
    verbs = Counter(v for first in firsts if first and (v := base_verb(first[0])))
    ranked = sorted(verbs, key=lambda verb: (-verbs[verb], verb))
    vague = vocabulary().vague
    return [vague.get(verb, verb) for verb in ranked[:_MOST_METHODS]]


def _agent(word: str) -> str:
    """Return the verb of a noun such as `tokenizer` or `collector`."""
    if word.endswith(("er", "or")):
        stem = word[:-2]
        for verb in (stem, stem + "e", stem[:-1] if stem[-1:] == stem[-2:-1] else ""):
            if verb in vocabulary().verbs:
                return verb
    return ""


def _of_function(row: ElementRow) -> Iterator[Feature]:
    yield from _of_docstring(row)
    name, owner = name_of(row.qual), _owner(row)
    yield from _of_decorators(row, name)
    if name[:2] == "__" and name.endswith("__"):
        if known := vocabulary().dunder.get(name[2:-2]):
            yield [filled(known, owner or "object"), NAME, 0.8]
            return
    text, has_verb = of_name(name, owner, _first_parameter(row))
    if has_verb:
        yield [text, NAME, 0.8]
    elif text:
        is_property = any(_PROPERTY.search(one) for one in row.decorators)
        verb = "expose" if is_property else "compute" if _has_result(row) else "perform"
        yield [phrase(verb, text), NAME, 0.5]
    if not row.doc and not has_verb:
        yield from _of_calls(row)


def _owner(row: ElementRow) -> str:
    """Return the words of the class around a method, "" for a function."""
    if row.type != "method":
        return ""
    return " ".join(words_of(name_of(row.qual.rpartition(".")[0])))


def _first_parameter(row: ElementRow) -> str:
    names = (parameter_name(one) for one in row.parameters)
    own = (name for name in names if name not in ("self", "cls"))
    return " ".join(words_of(next(own, "")))


def _has_result(row: ElementRow) -> bool:
    return bool(row.returns) and row.returns != "None"


def _of_decorators(row: ElementRow, name: str) -> Iterator[Feature]:
    for text in row.decorators:
        if FIXTURE.match(text):
            yield [phrase("provide fixture", *words_of(name)), BODY, 0.8]
        elif found := _ROUTE.search(text):
            is_command = _COMMAND.search(text) is not None
            verb = "run command" if is_command else "serve"
            yield [phrase(verb, *found[2].lower().split()), BODY, 0.8]
        elif text.endswith(".setter"):
            yield [phrase("set", *words_of(name)), BODY, 0.8]


def _of_calls(row: ElementRow) -> Iterator[Feature]:
    """Yield what the first telling call of a body does."""
    for chain, *_ in row.calls:
        called = chain.rpartition(".")[2]
        if called in _COMMON_CALLS or "?" in called or "[" in called:
            continue
        text, has_verb = of_name(called, "")
        if has_verb and " " in text:
            yield [text, BODY, 0.4]
            return


def _distinct(features: Sequence[Feature]) -> list[Feature]:
    """Return the surest features that do not repeat each other."""
    kept: list[Feature] = []
    for feature in features:
        words = set(str(feature[0]).split())
        if not words:
            continue
        others = (set(str(one[0]).split()) for one in kept)
        if all(len(words & one) < _ALIKE * len(words | one) for one in others):
            kept.append(feature)
    return kept[:_MOST]
