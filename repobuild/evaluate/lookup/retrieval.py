"""Find the facts that the tables hold about what a question names.

    name or path       in backticks, or a word that looks like one; plain words only if
                       the question has no such name (name_marker.py)
    quoted text        the heading of a section, or the first sentence of a docstring
    name that is gone  by the samples about changes (table `history`)
    none of these      the project as a whole

A name that nothing has, and a kind of fact that was not found about what is named, are
facts, too: a model that is given none makes one up.

Facts are the answers of the samples about these elements (grounding.py). Those of the
kind that the question asks for come first (question_reader.py). A sample that was
dropped, because it shows a secret or a licence forbids it, is never read, and nor is
one whose phrasing is held out: a report that asks it would find its own answer.

Every look-up goes by key or by index, so that it costs the same in a large repository.
Only names that are gone have no index: a finder reads the keys of `history` once, when
the first name is looked up.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, islice, zip_longest
from typing import NamedTuple

from repobuild.code.facts.element_row import name_of
from repobuild.code.graph.graph import PROJECT, elements_of, split_id
from repobuild.code.scan.file_roles import is_test
from repobuild.code.usage.prose_language import is_chinese
from repobuild.engine.contract import Table, Value
from repobuild.evaluate.lookup.asked import Asked
from repobuild.evaluate.lookup.name_marker import NameMarker
from repobuild.evaluate.lookup.question_reader import (
    CODE_WORD,
    FULL,
    QUOTED,
    THIS_PROJECT,
    WORD,
    AskedAbout,
    Phrasing,
    QuestionReader,
    names_project,
    without_names,
)
from repobuild.evaluate.lookup.unsampled import ContextReader, place_of
from repobuild.evaluate.mentions.mention_parser import (
    is_name,
    is_python,
    path_of,
    prose,
    spans,
)
from repobuild.evaluate.mentions.symbol_lookup import SymbolLookup
from repobuild.evaluate.questions import RECALL
from repobuild.evaluate.scoring.truncate import COMPLETIONS
from repobuild.model.grounding import GroundedQuestion, fact_text, is_fact, on_one_line
from repobuild.model.teaching.curriculum import kind_of
from repobuild.samples.contexts.clues import normal_clue
from repobuild.samples.contexts.element_view import strip_counts
from repobuild.samples.dataset.all_samples import (
    AllSamples,
    SampleSource,
    keys_about,
)
from repobuild.samples.dataset.review_filter import REVIEWED
from repobuild.samples.dataset.secrets_filter import secrets_of
from repobuild.samples.tasks.phrases import load_phrases
from repobuild.samples.tasks.registry import every_sample
from repobuild.samples.text.summary.purpose import first_sentence_of

MOST_FACTS = 6
# Share of the best fact's score that others must have, beside the best of each name.
LIKE_THE_BEST = 0.6
MOST_BYTES = 1_000  # of all facts, in UTF-8: about 250 tokens
MOST_ELEMENTS = 8  # that one name stands for
MOST_NEAREST = 3  # files and elements that are near to a question without an answer
LIKELY = 26.0  # of 100: from here on the best fact is taken for the answer
SURE = 40.0  # of 100: from here on it is said that no fact of the kind was found
SHARE_OF_WORDS = 3  # one in so many words of a question is in what is nearest
LEAST_LIKE = 35.0  # of 100, of a fact about a project that the question does not name

_DEFINITION = re.compile(r"^[ \t]*(?:async )?(?:def|class|func|fn) (\w+)", re.MULTILINE)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")  # between the words of `HelpFormatter`
_PURPOSE = frozenset({"explain", "module", "sketch"})  # kinds that say what it is for
# Of what says no purpose: what a module defines, what a function takes and calls.
_NEXT_BEST = {
    "module": ("contents",),
    "explain": ("sketch", "written"),
}
_SHORTEST_WORD = 3
_FORBIDDEN = ("secret: ", "licence: ", REVIEWED)  # reasons of samples to be dropped


@dataclass(frozen=True, slots=True)
class FoundFact:
    """A fact, and the dataset key of a sample that states it, or of its element.

    The key is "" where the fact is that nothing has a name.
    """

    id: str
    text: str  # as it is taught
    score: float  # 0 to 100: how much the question is like one that this fact answers
    found: bool = True  # False: it says that no such fact, or no such name, was found

    @property
    def line(self) -> str:
        return on_one_line(self.text)


class _Candidate(NamedTuple):
    fact: FoundFact
    is_same_language: bool


class _Subjects(NamedTuple):
    """The ids that each name of a question stands for."""

    ids: list[list[str]]
    guessed: bool = False  # from words that need not be names
    missing: tuple[str, ...] = ()  # names that nothing has, where no other is known


def with_found(question: str, facts: Sequence[FoundFact]) -> GroundedQuestion:
    """Return a question with the facts that were found for it."""
    answered = bool(facts) and facts[0].score >= LIKELY
    return GroundedQuestion(question, tuple(fact.text for fact in facts), answered)


class FactFinder:
    """Looks up facts in the tables of one build."""

    def __init__(self, source: SampleSource) -> None:
        graph, contexts = source.table("graph"), source.table("contexts")
        self._graph: Table = graph
        self._contexts: Table = contexts
        self._dataset: Table = source.table("dataset")
        self._samples = AllSamples.of(source)
        self._lookup = SymbolLookup(graph, contexts, graph, (), lambda blob: b"")
        self._project = str((contexts.get(PROJECT) or {}).get("name", ""))
        self._marker = NameMarker(
            self._lookup, self._project, self._named, self._is_missing
        )

    def find(self, question: str) -> tuple[FoundFact, ...]:
        """Return at most `MOST_FACTS` facts, the best first; () if there are none."""
        question = self.mark_names(question)
        wanted = _Wanted.of(question, self._project)
        subjects = self._subjects(question, wanted.reader)
        if subjects.missing:
            return tuple(self._missing(name, wanted) for name in subjects.missing)
        found = [
            sorted(self._candidates(ids, wanted, subjects), key=_by_score)
            for ids in subjects.ids
        ]
        facts = _choose([best_first for best_first in found if best_first], subjects)
        is_weak = bool(facts) and facts[0].score < LIKELY
        return () if subjects.guessed and is_weak else facts

    def nearest(self, question: str, ids: Iterable[str]) -> tuple[FoundFact, ...]:
        """Return that no answer is known, and what the question may be about.

        These are the files and elements of `ids` that share at least a third of the
        words that say what a question is about, with the purpose of the first; () if
        none does. One fact: of several, a small model tells any.
        """
        wanted = _Wanted.of(question, self._project)
        about = {word for word in wanted.question.words if wanted.reader.is_rare(word)}
        near = {strip_counts(id): id for id in ids if self._shares(about, id)}
        if not near:
            return ()
        chosen = list(islice(near.values(), MOST_NEAREST))
        phrases = load_phrases(wanted.language)
        places = [place_of(id, phrases) for id in chosen]
        text = Asked.of(wanted.language).nearest.format(items=phrases.listed(places))
        if purpose := self._purpose(chosen[0], wanted):
            text = f"{text}\n\n{purpose.text}"
        return (FoundFact("", text, LIKELY, found=False),)

    def _shares(self, about: Set[str], id: str) -> bool:
        context = self._contexts.get(id) or {}
        text = f"{_HUMP.sub(' ', id)} {context.get('summary', '')}"
        return 0 < len(about) <= SHARE_OF_WORDS * len(Phrasing.of(text).words & about)

    def _purpose(self, id: str, wanted: _Wanted) -> FoundFact | None:
        """Return the fact that says what a file or an element is for, if one does."""
        told = [one for one in self._told([id], wanted) if one.is_same_language]
        return next(
            (one.fact for one in told if kind_of(one.fact.id) in _PURPOSE), None
        )

    def answers(
        self, question: str, facts: Sequence[FoundFact]
    ) -> list[FoundFact] | None:
        """Return the best of the found facts that answer a question, if one does.

        None where it cannot be told what the question asks for. Facts of another kind
        are no answer: what a class inherits from does not say who inherits from it.
        """
        wanted = _Wanted.of(self.mark_names(question), self._project)
        kinds = wanted.likeliest_kinds(_subject(facts[0].id) if facts else None)
        if not kinds:
            return None
        best = wanted.of_kind(min(kinds))
        least = best if best == FULL else LIKE_THE_BEST * best  # FULL: word for word
        if facts and facts[0].id.startswith(PROJECT):
            least = LIKELY  # "What is it for?" is word for word a question about files
        told = [fact for fact in facts if fact.score >= least]
        return [fact for fact in told if fact.score == told[0].score]

    def mark_names(self, question: str) -> str:
        """Return the question with its names in backticks, as adapters are taught them.

        Of a file that is the only one of its name, the whole path.
        """
        return self._marker.mark(question, QuestionReader.of(_language(question)))

    def ground(self, question: str) -> GroundedQuestion:
        """Return the question with its facts."""
        return with_found(question, self.find(question))

    # ------------------------------------------------------- what a question is about

    def _subjects(self, question: str, reader: QuestionReader) -> _Subjects:
        """Return the ids that each name, path or quotation in a question stands for.

        Of plain words those are names first in which no question is put: `greedy`
        before `parameters`.
        """
        text, subjects = prose(question), []
        for quoted in QUOTED.finditer(text):
            if ids := self._quoted(next(filter(None, quoted.groups()))):
                subjects.append(ids)
                text = text.replace(quoted[0], " ")
        for span in spans(text):
            if ids := self._of_file(span):
                subjects.append(ids)
                text = text.replace(f"`{span}`", " ")
        names = [path_of(span).removesuffix("()") for span in spans(text)]
        names += [word.removesuffix("()") for word in _code_words(text)]
        names = list(dict.fromkeys(names))
        paths = {path for name in names for path in self._lookup.files_ending_in(name)}
        subjects += [ids for name in names if (ids := self._named(name, paths))]
        if subjects:
            return _Subjects(subjects)
        if missing := tuple(filter(self._is_missing, names)):
            return _Subjects([], missing=missing)
        text = THIS_PROJECT.sub(" ", text)
        # The definitions in fenced code, else words such as `Signer`, else any word.
        for words in (_DEFINITION.findall(question), _capitalised(text)):
            if subjects := [ids for word in words if (ids := self._named(word))]:
                return _Subjects(subjects)
        words = [word for word in _plain_words(text) if word != self._project]
        rare = [word for word in words if not reader.asks_with(word)]
        subjects = [ids for word in rare if (ids := self._named(word))]
        subjects = subjects or [ids for word in words if (ids := self._named(word))]
        return _Subjects(subjects if names else [*subjects, [PROJECT]], guessed=True)

    def _is_missing(self, name: str) -> bool:
        """Return whether a name can only mean something that is not there.

        A file may be there and not be analysed: `tox.ini` is no name of this kind, and
        `a.b` is one only if `a` is known.
        """
        known, (top, dot, rest) = self._lookup.known, name.partition(".")
        if is_python(top) or self._lookup.is_imported(top) or name.upper() == name:
            return False
        if dot and (top not in known.names or rest in known.suffixes):
            return False
        there = known.has_name(name) or self._lookup.is_folder(name)
        return is_name(name) and not there

    def _missing(self, name: str, wanted: _Wanted) -> FoundFact:
        text = Asked.of(wanted.language).missing
        told = text.format(name=name, project=self._project)
        return FoundFact("", told, FULL, found=False)

    def _named(self, name: str, paths: Iterable[str] = ()) -> list[str]:
        """Return the ids of a name or path, at most `MOST_ELEMENTS`."""
        if files := self._lookup.files_ending_in(name):
            return files[:MOST_ELEMENTS]
        if not is_name(name):
            return list(self._gone(name))
        files, qual = self._lookup.definitions(name)
        files = [path for path in files if path in paths] or files
        files = sorted(files, key=lambda path: (is_test(path), path))[:MOST_ELEMENTS]
        ids = [one.id for path in files for one in self._lookup.elements(path, qual)]
        # An element with exactly this name precedes methods whose last name it is.
        ids.sort(key=lambda id: strip_counts(split_id(id)[1]) != qual)
        ids = ids or self._lookup.files_of_module(name)
        return [*ids[:MOST_ELEMENTS], *self._gone(name)]

    def _of_file(self, span: str) -> list[str]:
        """Return the ids of a name that follows its path, as in `src/a.c::run`."""
        path, qual = split_id(span)
        if not qual or path not in self._lookup.known.paths:
            return []
        return [one.id for one in self._lookup.elements(path, qual)]

    def _gone(self, name: str) -> Iterator[str]:
        """Yield ids with this name that only the samples about changes know."""
        for id in self._changed_ids.get(name, ()):
            if id not in self._contexts:
                yield id

    @cached_property
    def _changed_ids(self) -> Mapping[str, Sequence[str]]:
        """Return the ids of `history` by path, or dotted name and its last part."""
        ids: dict[str, list[str]] = {}
        history = self._samples.tables.get("history")
        for id in history.keys() if history else ():
            qual = strip_counts(split_id(id)[1])
            for name in {qual, name_of(qual)} if qual else {id}:
                ids.setdefault(name, []).append(id)
        return ids

    def _quoted(self, text: str) -> list[str]:
        """Return the sections with a title, or the elements with a docstring."""
        find = self._contexts.index.find
        clue = normal_clue(text.rpartition(" > ")[2])
        paths = find(f"heading:{clue}")
        if not paths:
            clue = normal_clue(first_sentence_of(text))
            paths = find(f"purpose:{clue}")
        ids = []
        for path in paths:
            for qual, _ in elements_of(self._graph.get(path)):
                row = self._contexts.get(f"{path}::{qual}") or {}
                texts = (str(row.get(name, "")) for name in ("label", "summary"))
                if any(clue in normal_clue(text) for text in texts):
                    ids.append(f"{path}::{qual}")
        return ids[:MOST_ELEMENTS]

    # ------------------------------------------------------------ what is known of it

    def _candidates(
        self, ids: Sequence[str], wanted: _Wanted, subjects: _Subjects
    ) -> list[_Candidate]:
        """Return the facts about one subject that its samples tell.

        Some kinds are asked of a share of all elements, and in some of the languages.
        What the question asks for is made where no sample tells it.
        """
        found = list(self._told(ids, wanted))
        fitting = [one for one in found if one.is_same_language]
        best = max((one.fact.score for one in fitting), default=0.0)
        kinds = wanted.likeliest_kinds(_subject(ids[0]))
        asked = wanted.of_kind(min(kinds)) if kinds else 0.0
        if asked > best:
            made = [one for id in ids for one in self._made(id, kinds, wanted)]
            is_read = asked >= SURE and not subjects.guessed
            if not made and is_read and ids != [PROJECT]:
                made = self._next_best(ids, kinds, wanted)
                made = made or self._unsampled(ids, kinds, wanted)
            found += made
        return found

    def _next_best(
        self, ids: Sequence[str], kinds: Collection[str], wanted: _Wanted
    ) -> list[_Candidate]:
        """Return the facts that come next to kinds of which there is none."""
        score = wanted.of_kind(min(kinds))
        for kind in chain(*(_NEXT_BEST.get(kind, ()) for kind in kinds)):
            made = [one.fact for id in ids for one in self._made(id, {kind}, wanted)]
            if made:
                facts = (replace(fact, score=score) for fact in made)
                return [_Candidate(fact, is_same_language=True) for fact in facts]
        return []

    def _unsampled(
        self, ids: Sequence[str], kinds: Collection[str], wanted: _Wanted
    ) -> list[_Candidate]:
        """Return what contexts tell of what is asked for.

        Of several elements with one name, that something was found of one of them.
        """
        score = wanted.of_kind(min(kinds))
        facts = []
        for id in filter(self._may_be_told, ids):
            context = self._contexts.get(id) or {}
            reader = ContextReader(id, context, self._project, wanted.language)
            if answer := reader.answer(kinds):
                facts.append(FoundFact(id, answer.text, score, answer.found))
        told = [fact for fact in facts if fact.found] or facts[:1]
        return [_Candidate(fact, is_same_language=True) for fact in told]

    def _may_be_told(self, id: str) -> bool:
        """Return whether samples of an element are kept, none dropped for a secret."""
        places = self._dataset.get(id) or {}
        reasons = [str(place.get("dropped", "")) for place in places.values()]
        is_forbidden = any(reason.startswith(_FORBIDDEN) for reason in reasons)
        return id in self._contexts and "" in reasons and not is_forbidden

    def _made(
        self, id: str, kinds: Collection[str], wanted: _Wanted
    ) -> Iterator[_Candidate]:
        """Yield facts of some kinds about an element of which samples are kept.

        None, if one was dropped for what it shows: the same may stand in these.
        """
        context = self._contexts.get(id)
        if context is None or not self._may_be_told(id):
            return
        told = set()
        for sub, sample in every_sample(context, wanted.language).items():
            text, kind = fact_text(str(sample["answer"])), kind_of(id + sub)
            if kind not in kinds or text in told or "ambiguous" in sample:
                continue
            told.add(text)
            if is_fact(on_one_line(text)) and not secrets_of({sub: sample}):
                fact = FoundFact(id, text, wanted.of_kind(kind))
                yield _Candidate(fact, is_same_language=True)

    def _told(self, ids: Sequence[str], wanted: _Wanted) -> Iterator[_Candidate]:
        """Yield the facts that kept samples tell."""
        for key in dict.fromkeys(key for id in ids for key in self._keys(id)):
            splits = self._dataset.get(key) or {}
            texts = (self._samples.get(key) or {}) if splits else {}
            for sub, sample in texts.items():
                row = splits.get(sub, {})
                if "split" not in row or row.get("track") == RECALL:
                    continue
                if sample["form"] == "fim" or sample["task"] in COMPLETIONS:
                    continue
                text = fact_text(str(sample["answer"]))
                if is_fact(on_one_line(text)):
                    fact = FoundFact(key + sub, text, wanted.score(key + sub, sample))
                    if key != PROJECT or fact.score >= wanted.least:
                        same = sample["language"] == wanted.language
                        yield _Candidate(fact, same)

    def _keys(self, id: str) -> Iterator[str]:
        """Yield the dataset keys of all samples about an element."""
        yield from keys_about(self._samples, id)
        if id != PROJECT:
            yield from self._dataset.index.find(f"i:{id}")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A question without its names, and how much it is like those of each kind."""

    question: Phrasing
    language: str
    project: str  # name
    least: float  # score of a fact about the project
    reader: QuestionReader
    kinds: dict[str, float]  # score, by kind

    @classmethod
    def of(cls, question: str, project: str) -> _Wanted:
        language = _language(question)
        least = 0.0 if names_project(question, project) else LEAST_LIKE
        plain, reader = Phrasing.of(question, project), QuestionReader.of(language)
        return cls(plain, language, project, least, reader, {})

    def score(self, id: str, sample: Mapping[str, Value]) -> float:
        """Return how much the question is like those that a sample's fact answers."""
        kind = kind_of(id)
        if kind not in self.reader.kinds:  # a rule of the repository's own
            own = Phrasing.of(str(sample["question"]), self.project)
            return round(self.reader.likeness(self.question, own), 1)
        return self.of_kind(kind)

    def of_kind(self, kind: str) -> float:
        """Return how much the question is like those that a kind of fact answers."""
        if kind not in self.kinds:
            self.kinds[kind] = round(self.reader.score(self.question, kind), 1)
        return self.kinds[kind]

    def likeliest_kinds(self, subject: AskedAbout | None) -> set[str]:
        """Return the kinds that the question asks for, all with the best score.

        Those about such a subject, or None = about any.
        """
        kinds = [
            kind
            for kind in self.reader.kinds
            if subject is None or subject in self.reader.subjects[kind]
        ]
        best = max(map(self.of_kind, kinds))
        if best < LIKELY:
            return set()
        return {kind for kind in kinds if self.of_kind(kind) == best}


def _subject(id: str) -> AskedAbout | None:
    """Return what the key of a sample or an element is about; None of no element."""
    if not id:
        return None
    if id.startswith(PROJECT):
        return AskedAbout.PROJECT
    return AskedAbout.ELEMENT if "::" in id else AskedAbout.FILE


def _choose(
    by_subject: list[list[_Candidate]], subjects: _Subjects
) -> tuple[FoundFact, ...]:
    """Return the best facts of all subjects in turn, as far as they fit.

    Every subject that is named has its best fact there. Guessed ones are weighed
    against each other: `type` may be a name, or a word of a question for commands.
    """
    if subjects.guessed:
        by_subject.sort(key=lambda best_first: -best_first[0].fact.score)
    named = 0 if subjects.guessed else len(by_subject)
    in_turn = [c for c in chain(*zip_longest(*by_subject)) if c is not None]
    if any(c.is_same_language for c in in_turn):
        in_turn = [c for c in in_turn if c.is_same_language]
    best = max((c.fact.score for c in in_turn), default=0.0)
    chosen: dict[str, FoundFact] = {}
    size = 0
    for place, (fact, _) in enumerate(in_turn):
        more = len(fact.line.encode("utf-8", "replace"))
        if place >= named and fact.score < LIKE_THE_BEST * best:
            continue
        if fact.line in chosen or (chosen and size + more > MOST_BYTES):
            continue
        chosen[fact.line] = fact
        size += more
    return tuple(islice(chosen.values(), MOST_FACTS))


def _by_score(candidate: _Candidate) -> tuple[float, str]:
    return -candidate.fact.score, candidate.fact.id


# ---------------------------------------------------------------------------- words


def _language(question: str) -> str:
    return "zh" if is_chinese(without_names(question)) else "en"


def _code_words(text: str) -> list[str]:
    return [word for word in WORD.findall(text) if CODE_WORD.fullmatch(word)]


def _capitalised(text: str) -> list[str]:
    return [word for word in _plain_words(text) if not word.islower()]


def _plain_words(text: str) -> list[str]:
    words = dict.fromkeys(WORD.findall(text))
    return [word for word in words if len(word) >= _SHORTEST_WORD]
