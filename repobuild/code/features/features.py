"""Make the `features` table: what each file and element is for.

A row is a file: `{sub: [[phrase, source, confidence], ...]}`, as in the graph: "" is
the file, "::qual" an element. Sources and confidences: element_feature.py. No text of
the source is stored, nor any line number, so what only moved keeps its row.

A file's features: the first clause of its docstring; and what its elements do, their
most common verb with the nouns that are theirs most. A module that only imports exports
what it imports. One that has nothing of these has no feature of its own, and readers
show its name.

A map: a row depends on the facts of one file alone. A renamed or reverted file is found
in the memo. A commit that changes one function gives that function's entry another
value, and no other's.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from repobuild.code.facts.element_row import ElementRow, parent_of, row_of
from repobuild.code.features.element_feature import (
    BODY,
    DOCSTRING,
    NAME,
    Feature,
    features_of,
)
from repobuild.code.features.phrase import of_sentence, phrase, words_of
from repobuild.code.features.vocabulary import vocabulary
from repobuild.engine.contract import Scope, Value

_MOST_NOUNS = 3
_MOST_EXPORTS = 4
_EMPTY_WORDS = frozenset(
    "of to in for and or from with by on at as into not all object self describe check"
    " return test represent set get value values name data result is are has be what"
    " which when where than more one no new its".split()
)


def features(value: Mapping[str, Value], scope: Scope) -> Value:
    """Return the features of one file and of its elements."""
    if not value.get("language"):
        return {}
    rows = [row_of(item) for item in value.get("elements", ())]
    members: dict[str, list[ElementRow]] = defaultdict(list)
    for row in rows:
        members[parent_of(row.qual)].append(row)
    found = {f"::{r.qual}": features_of(r, members.get(r.qual, ())) for r in rows}
    own = list(_of_file(value, rows, found))
    return {"": own, **found}


def _of_file(
    facts: Mapping[str, Value],
    rows: list[ElementRow],
    found: Mapping[str, list[Feature]],
) -> Iterator[Feature]:
    if doc := facts.get("doc"):
        text, has_verb = of_sentence(doc)
        if text:
            yield [text, DOCSTRING, 0.9 if has_verb else 0.6]
    tops = [row for row in rows if "." not in row.qual and row.type != "section"]
    phrases = [_of_its_name(found[f"::{row.qual}"]) for row in tops]
    if summary := summarize(phrases):
        yield [summary, BODY, 0.5]
    elif exported := list(_exported(facts)):
        words = [" ".join(words_of(name)) for name in exported[:_MOST_EXPORTS]]
        yield [phrase("export", *", ".join(words).split()), NAME, 0.4]


def _of_its_name(features: list[Feature]) -> str:
    """Return the phrase of an element's name: its words recur in a file, those of
    sentences do not.
    """
    named = (feature for feature in features if feature[1] == NAME)
    return str(next(named, features[0])[0])


def summarize(phrases: Iterable[str]) -> str:
    """Return the most common verb of some phrases with their most common nouns."""
    verbs: Counter[str] = Counter()
    nouns: Counter[str] = Counter()
    for text in phrases:
        words = text.split()
        verbs.update([words[0]] if words[0] in vocabulary().verbs else ())
        nouns.update(w for w in {*words[1:]} if _is_telling(w))
    if not nouns:
        return ""
    best = min(verbs, key=lambda verb: (-verbs[verb], verb), default="define")
    chosen = sorted(nouns, key=lambda noun: (-nouns[noun], noun))[:_MOST_NOUNS]
    return phrase(best, *chosen)


def _is_telling(word: str) -> bool:
    return len(word) > 1 and word.isalpha() and word not in _EMPTY_WORDS


def _exported(facts: Mapping[str, Value]) -> Iterator[str]:
    """Yield the names that a module states to export, else those that it imports."""
    yield from facts.get("all") or ()
    if not facts.get("all"):
        for _, module, name, alias in facts.get("imports", ()):
            yield alias or (name if name not in ("", "*") else module)
