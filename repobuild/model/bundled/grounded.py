"""Ask questions below the facts that answer them, so that the base reads its prompt.

The user's message, as `ask --ground` writes it:

    - FACT
    - FACT

    QUESTION

A fact is the line that grounding.py makes of an answer. Two to six of them are given in
random order. One answers the question: in a quarter of the cases in another language
than the answer, and for places sometimes a fact of another kind that names the path.
The others are about the same file, similar names, or anything in the repository. In
half of the messages all names, paths and numbers are invented, in facts, question and
answer alike: the answer must be copied and cannot be known. In one of ten no fact
answers, and the answer is one of REFUSALS.

A question fits if what it asks about is named in the fact: "Which function is described
like this?" cannot be answered by a fact that gives only the function's name and path.
"""

from __future__ import annotations

import builtins
import keyword
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from repobuild.model.bundled.invented_names import in_style_of, invent_name
from repobuild.model.bundled.question_facts import QuestionFact
from repobuild.model.bundled.question_texts import (
    AskedQuestion,
    Pool,
    RepositoryFacts,
    ask,
    known_fields,
)
from repobuild.model.grounding import fact_line, is_fact, with_facts
from repobuild.samples.text.paraphrases import fields_in, phrasings

REFUSALS: Mapping[str, str] = {
    "en": "The facts given do not say that.",
    "zh": "给出的事实中没有说明这一点。",
}
FOREIGN_SHARE = 0.25  # of the answering facts are in another language
OTHER_KIND_SHARE = 0.3  # of the places are answered by a fact of another kind
LONGEST_TRAINED = 300  # characters of a fact; `ask --ground` gives longer ones, too
LONGEST = 1_250  # characters of facts, question and answer
_UNNAMED = frozenset(("project", "kind", "fence", "verb", "mark"))
_CODE_QUESTIONS = frozenset(("describe", "body", "line", "assertion", "needs"))


@dataclass(frozen=True, slots=True)
class GroundedStyle:
    """How questions are put: the shares of two sorts, and the phrasings."""

    refused: float = 0.1  # share of the questions that no fact answers
    invented: float = 0.5  # share of those with invented names
    pool: Pool = phrasings


_TRAINED = GroundedStyle()


def is_whole(answer: str) -> bool:
    """Return whether an answer is no longer than its first paragraph."""
    return "\n\n" not in answer.strip() and len(answer) <= LONGEST_TRAINED


@dataclass(slots=True)
class FactIndex:
    """The facts of a repository that fit into a message, by what is searched for."""

    repository: RepositoryFacts
    facts: list[QuestionFact] = field(default_factory=list)
    by_element: dict[str, list[QuestionFact]] = field(
        default_factory=lambda: defaultdict(list)
    )
    by_path: dict[str, list[QuestionFact]] = field(
        default_factory=lambda: defaultdict(list)
    )
    by_word: dict[str, list[QuestionFact]] = field(
        default_factory=lambda: defaultdict(list)
    )

    @classmethod
    def of(cls, repository: RepositoryFacts) -> FactIndex:
        """Return the index of a repository's facts."""
        index = cls(repository)
        for fact in repository.facts:
            if fact.kind in _CODE_QUESTIONS:
                continue
            line = fact_line(fact.answer)
            if is_fact(line) and len(line) <= LONGEST_TRAINED:
                index.facts.append(fact)
                index.by_element[fact.element].append(fact)
                index.by_path[fact.element.partition("::")[0]].append(fact)
                for word in _words_of(fact.element):
                    index.by_word[word].append(fact)
        return index


def _words_of(element: str) -> list[str]:
    """Return the words of a name, sorted: the order of a set differs by process."""
    name = re.split(r"[./:]", element)[-1]
    return sorted({word for word in name.lower().split("_") if len(word) > 2})


def grounded_conversations(
    index: FactIndex,
    most: int,
    rng: random.Random,
    style: GroundedStyle = _TRAINED,
) -> Iterator[AskedQuestion]:
    """Yield at most so many conversations with facts before the question."""
    if len(index.facts) < 20:
        return
    for fact in index.repository.in_turn(rng):
        if most == 0:
            return
        if fact.kind in _CODE_QUESTIONS or not is_whole(fact.answer):
            continue
        found = _ground(fact, index, rng, style)
        if found is not None:
            most -= 1
            yield found


def _ground(
    fact: QuestionFact, index: FactIndex, rng: random.Random, style: GroundedStyle
) -> AskedQuestion | None:
    given = _answering(fact, index, rng)
    fields = known_fields(fact, index.repository.project)
    line = fact_line(given.answer)
    asked = ask(fact, _named_fields(fact, fields, line, style), rng, style.pool)
    if asked is None:
        return None
    refused = rng.random() < style.refused
    count = rng.randint(1, 5)
    others = list(_others(fact, index, count + refused, rng, apart=refused))
    lines = [fact_line(one.answer) for one in others] + ([] if refused else [line])
    rng.shuffle(lines)
    answer = REFUSALS[fact.language] if refused else fact.answer
    texts = [*dict.fromkeys(lines), asked.question, answer]
    answering = None if refused else texts.index(line)
    if rng.random() < style.invented:
        texts = invent_all(texts, rng)
    while sum(map(len, texts)) > LONGEST and len(texts) > 4:
        at = rng.randrange(len(texts) - 2)
        if at == answering:
            return None
        del texts[at]
        if answering is not None and at < answering:
            answering -= 1
    *facts, question, answer = texts
    return AskedQuestion(fact.kind, with_facts(facts, question), answer)


def _answering(
    fact: QuestionFact, index: FactIndex, rng: random.Random
) -> QuestionFact:
    """Return the fact that is given: the asked one, or another that says the same."""
    same = index.by_element[fact.element]
    if fact.kind == "location" and rng.random() < OTHER_KIND_SHARE:
        name, path = fact.fields.get("name", ""), fact.element.partition("::")[0]
        named = (f"`{name}`", f"`{path}`")
        other = [
            one
            for one in same
            if one.kind != "location"
            and one.task != "code_change"
            and all(text in fact_line(one.answer) for text in named)
        ]
        return rng.choice(other) if other else fact
    if rng.random() < FOREIGN_SHARE:
        foreign = [
            one
            for one in same
            if one.kind == fact.kind and one.language != fact.language
        ]
        return foreign[0] if len(foreign) == 1 else fact
    return fact


def _named_fields(
    fact: QuestionFact, fields: Mapping[str, str], line: str, style: GroundedStyle
) -> Mapping[str, str]:
    """Return the fields that a question may use: those whose value the fact names."""
    named = {
        name: value
        for name, value in fields.items()
        if name in _UNNAMED or value in line
    }
    has_subject = named.keys() - _UNNAMED or fields["project"] in line
    pool = style.pool(fact.language)[fact.kind]
    subject = any(fields_in(text) - _UNNAMED for text in pool)
    if not has_subject or (subject and not named.keys() - _UNNAMED):
        return {}
    return named


def _others(
    fact: QuestionFact, index: FactIndex, count: int, rng: random.Random, apart: bool
) -> Iterator[QuestionFact]:
    """Yield facts that do not answer: of the same file, of similar names, of any."""
    path = fact.element.partition("::")[0]
    near = [one for word in _words_of(fact.element) for one in index.by_word[word]]
    pools = [index.by_path[path], near, index.facts]
    if not apart:
        pools.append(index.by_element[fact.element])
    name = fact.fields.get("name", "")
    for _ in range(count):
        pool = rng.choice(pools) or index.facts
        for _ in range(6):
            one = rng.choice(pool)
            same = one.element == fact.element
            if one.language != fact.language and rng.random() < 0.9:
                continue
            if same and (apart or one.kind == fact.kind):
                continue
            names_it = bool(name) and name in fact_line(one.answer)
            if not same and (one.fields.get("name") == name or (apart and names_it)):
                continue
            yield one
            break


# ------------------------------------------------------------------ invented names

_SPAN = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
_QUOTED = re.compile(r"`([^`\n]+)`")
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
_NUMBER = re.compile(r"(?<![\w.])\d{2,5}(?![\w.])")
_KEPT = (
    frozenset(keyword.kwlist)
    | frozenset(dir(builtins))
    | frozenset("py pyi md rst toml txt json cfg ini yml yaml c h cls self".split())
)


def invent_all(texts: Sequence[str], rng: random.Random) -> list[str]:
    """Return the texts with every quoted name, path and number invented, alike in all.

    Names are those in backticks; in code they are replaced, too. Dunder names,
    suffixes, keywords and built-in names stay.
    """
    names: dict[str, str] = {}
    for text in texts:
        for span in _QUOTED.findall(re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
            for name in _IDENTIFIER.findall(span):
                if name not in _KEPT and not name.startswith("__"):
                    names.setdefault(name, in_style_of(name, invent_name(rng)))
    numbers: dict[str, str] = {}
    return [_replace(text, names, numbers, rng) for text in texts]


def _replace(
    text: str, names: Mapping[str, str], numbers: dict[str, str], rng: random.Random
) -> str:
    def in_span(span: re.Match[str]) -> str:
        return _IDENTIFIER.sub(lambda m: names.get(m[0], m[0]), span[0])

    def number(match: re.Match[str]) -> str:
        low = 10 ** (len(match[0]) - 1)
        return numbers.setdefault(match[0], str(rng.randint(low, 10 * low - 1)))

    return _NUMBER.sub(number, _SPAN.sub(in_span, text))
