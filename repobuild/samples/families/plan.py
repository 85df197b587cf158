"""Make plans: a requirement, how the code meets such ones so far, then the steps.

A row of `families` is a family of siblings, one sibling as the model for another, or
the files that changed with a file. The rows of these samples are made like those of
`contexts`, but a plan rests on many elements: it is a table of its own that extends
`samples`, with the tasks `implementation_path` and `architecture_understanding`.

Every step says what the repository shows, with the number of siblings that show it. A
sample has `evidence`, with which the checker counts again
(repobuild/truth/claims/plan_claims.py).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from repobuild.code.facts.element_row import name_of
from repobuild.engine.contract import Scope, Value
from repobuild.samples.contexts.element_view import strip_counts
from repobuild.samples.dataset.split import Split
from repobuild.samples.families.family_tree import HALF, NEARLY_ALL
from repobuild.samples.families.registration import SORTED, SORTED_PART
from repobuild.samples.families.sibling_code import without_docstring
from repobuild.samples.tasks import answer_parts
from repobuild.samples.tasks.facts import (
    Fact,
    FactScope,
    Sample,
    samples_of,
    with_id_fields,
)
from repobuild.samples.tasks.phrases import load_phrases
from repobuild.samples.tasks.registry import languages_of
from repobuild.samples.tasks.trace import numbered

_MODEL_TASK, _FILES_TASK = "implementation_path", "architecture_understanding"
_LONGEST = 980  # characters of an answer, below the default of samples.max_answer
_NAMED = 4  # siblings that are named
_SITES, _CAME = 4, 3
_LINKS = 2  # to other code that say enough without the code of the model
_EXPORTS = ("exports", "reexport")  # kinds of sites that every public name has
# Kinds of sites whose line shows no pattern: a list has names alone, the others prose
# or code of many forms.
_SHOWN_WITHOUT_LINE = (
    "exports", "listed", "document", "function", "raise", "raise_in"
)  # fmt: skip
_RAISES = ("raise", "raise_in")
_REGISTERS = ("table", "call", "entry", "function", *_RAISES)
# Begin the names of steps.
_SITE, _DOCUMENT, _PERHAPS = "plan_site", "plan_document", "plan_perhaps"
_BASE_STEP = f"{_PERHAPS} base"
_NUMBERED_FILE_STEPS = (_SITE, _DOCUMENT, _PERHAPS, "plan_test_")
_SHORTEST_NEED = 24  # characters of a summary that says what is needed
_KEY_PARTS = {"document": "plan_key_document", "definition": "plan_key_definition"}
_FEWEST_OWN_BASES = 3  # siblings with a base of their own, that show a habit
_SHORTER = "shorter"  # names the model alone of the siblings
# Steps that say what a new one consists of.
_CONTENTS = frozenset(
    "plan_abstract plan_methods plan_choice plan_own plan_attributes".split()
)
# Steps that a question says itself, or that hold for all code.
_SAID = frozenset(
    "plan_home plan_base plan_decorator plan_name plan_some plan_changelog".split()
)
# What a long plan can do without, the first to go first.
_SPARE = (
    "plan_looked",
    _SHORTER,
    "plan_attributes",
    "plan_past",
    "plan_partners",
    "plan_some",
)


def plans(value: Mapping[str, Value], scope: Scope) -> Value:
    """Return the samples of one row: {"#TASK.LANGUAGE.NUMBER": sample}."""
    if value["kind"] == "changelog":
        return {}
    settings = scope.settings
    chosen = settings["samples.tasks"] or (_MODEL_TASK, _FILES_TASK)
    languages = languages_of(settings, value)
    hidden = Split.of(settings).is_held_out
    context = with_id_fields(value)
    rows: dict[str, Sample] = {}
    if value["kind"] != "together" and _is_plain(value):
        return rows
    for language in languages:
        phrases = load_phrases(language)
        about = FactScope(context, phrases, languages, hidden)
        for fact in _KINDS[value["kind"]](about):
            if phrases.kinds[fact.kind].task not in chosen:
                continue
            for sub, sample in samples_of(fact, about):
                rows[sub] = sample | _evidence(value)
    return rows


def _is_plain(row: Mapping[str, Value]) -> bool:
    """Return whether functions have only their file and `__all__` in common."""
    known = ("tests", "past", "together", "partners")
    if row["family"][0] != "functions" or any(row.get(name) for name in known):
        return False
    return all(kind in _EXPORTS for kind, *_ in row.get("sites", ()))


def _evidence(row: Mapping[str, Value]) -> dict[str, Value]:
    """Return what the checker needs to count again."""
    evidence: dict[str, Value] = {"commits": row.get("past_ids", [])}
    if row["kind"] != "together":
        evidence["home_commits"] = row.get("home_ids", [])
        ids = _sibling_ids(row)
        evidence |= {"family": row["family"], "siblings": ids}
        evidence["sites"] = [
            [path, where, [ids[n] for n in numbers]]
            for _, path, where, numbers, *_ in row.get("sites", ())
        ]
        evidence["made"] = [
            [base, [[ids[n], one] for n, one in pairs]]
            for base, pairs in row.get("made", ())
        ]
        evidence["helpers"] = [
            [path, [[ids[n], one] for n, one in pairs]]
            for path, pairs in row.get("helpers", ())
        ]
        evidence["members"] = [
            [enum, [[ids[n], *rest] for n, *rest in pairs]]
            for enum, pairs in row.get("members", ())
        ]
        evidence |= _evidence_of_entries(row, ids)
        for name in ("constants", "own_bases"):
            if rows := row.get(name):
                evidence[name] = [
                    [path, [[ids[n], one] for n, one in pairs]] for path, pairs in rows
                ]
        evidence["tests"] = [
            [path, [ids[n] for n in numbers]] for path, numbers in row.get("tests", ())
        ]
    return {"evidence": evidence}


def _evidence_of_entries(row: Mapping[str, Value], ids: list[str]) -> dict[str, Value]:
    """Return what is entered with siblings and done for each, to be counted again."""

    def of_siblings(pairs: list[Value]) -> list[Value]:
        return [[ids[number], *rest] for number, *rest in pairs]

    path, owner, methods = row.get("asked", ("", "", ()))
    found: dict[str, Value] = {
        "keys": [
            [path, where, of_siblings(pairs)]
            for _, path, where, pairs in row.get("key_sites", ())
        ],
        "key_members": [
            [owner, path, of_siblings(pairs)]
            for owner, path, pairs in row.get("key_members", ())
        ],
        "paired": [
            [group, of_siblings(pairs)] for group, pairs in row.get("paired", ())
        ],
        "module_imports": [
            [path, [ids[n] for n in numbers]]
            for path, numbers in row.get("module_imports", ())
        ],
        "module_calls": [
            [call, of_siblings(lines)] for call, lines in row.get("module_calls", ())
        ],
        "asked": [
            [path, owner, method, [ids[n] for n in numbers]]
            for method, numbers in methods
        ],
    }
    return {name: one for name, one in found.items() if one}


def _family(scope: FactScope) -> Iterator[Fact]:
    """A new sibling, and the files that change for it."""
    rows = {id: row for id, *row in scope.get("siblings")}
    allowed = scope.without_held_out(list(rows))
    newest = [id for _, ids, _ in scope.get("past") or () for id in ids]
    shown = [id for id in dict.fromkeys((*newest, *allowed)) if id in allowed]
    models = [id for id in shown if id in rows and rows[id][-1]]
    models = _of_usual_bases(models, rows)
    if not models:
        return
    # The one that is registered wherever the others are shows what there is to do.
    ids, sites = list(rows), scope.get("sites") or ()
    places = Counter(ids[n] for _, _, _, numbers, *_ in sites for n in numbers)

    # Of several it is the shortest, so that there is room for its code.
    def fitness(id: str) -> tuple[int, bool, int]:
        _, _, code, outline, *_ = rows[id]
        return places[id], bool(code or outline), -len(code or outline)

    model = max(models, key=fitness)
    plan = _Plan(scope, [model, *rows[model][:-1]], shown)
    fields = {"noun": plan.noun}
    answer = plan.answer("plan")
    if not answer:
        return
    yield Fact("plan", answer, plan.sources(), "hard", fields)
    if files := plan.files():
        answer = scope.answer("plan_files", **fields, **files)
        yield Fact("plan_files", answer, plan.sources(), "hard", fields)


def _of_usual_bases(models: list[str], rows: Mapping[str, list[Value]]) -> list[str]:
    """Return the models with the bases that most siblings have, all if none are."""
    bases = {id: tuple(row[-2]) for id, row in rows.items()}
    (usual, count), *_ = Counter(bases.values()).most_common(1)
    if count <= HALF * len(bases):
        return models
    return [id for id in models if bases[id] == usual]


def _like(scope: FactScope) -> Iterator[Fact]:
    """Another one like this sibling."""
    model = scope.get("model")
    plan = _Plan(scope, model, scope.without_held_out(scope.get("siblings")))
    fields = {"noun": plan.noun, "like": plan.model_name}
    if answer := plan.answer("plan_like", **fields):
        yield Fact("plan_like", answer, plan.sources(), "hard", fields)
    # Of a module that is its title, which says what it is and not what is needed; signs
    # are an ornament.
    is_need = scope.get("family")[0] != "modules" and model[1][:1].isalnum()
    if is_need and len(model[1]) >= _SHORTEST_NEED:
        fields = {**fields, "summary": model[1]}
        if answer := plan.answer("plan_need", **fields):
            yield Fact("plan_need", answer, plan.sources(), "hard", fields)


def _together(scope: FactScope) -> Iterator[Fact]:
    """The files that a new feature in a file touches besides."""
    total = str(scope.get("commits"))
    part = scope.phrases.part
    steps = [
        part("together_path", other=path, count=str(count), total=total)
        for path, count in scope.get("paths")
    ]
    subject, added = scope.get("latest")
    subject = subject.replace("`", "'")
    names = scope.phrases.listed([f"`{name}`" for name in added.split(", ")])
    fields = {"subject": subject, "members": names, "total": total}
    answer = scope.answer("together", items=numbered(steps), **fields)
    yield Fact("together", answer, (scope.id,), "hard")


_KINDS: Mapping[str, Callable[[FactScope], Iterator[Fact]]] = {
    "family": _family,
    "like": _like,
    "together": _together,
}


def _sibling_ids(row: Mapping[str, Value]) -> list[str]:
    """Return the ids of the siblings, in the row of a family or of one of them."""
    return [one if isinstance(one, str) else one[0] for one in row["siblings"]]


class _Plan:
    """The plan for a new sibling after a model: see `siblings` in family_row.py."""

    def __init__(self, scope: FactScope, model: list[Value], shown: list[str]) -> None:
        self._scope = scope
        self._part = scope.phrases.part
        self._kind, self._where, self._owner, self._pattern = scope.get("family")
        self._model_id, _, self._code_qual, self._code, self._outline = model[:5]
        self._methods, self._bases = model[5:]
        self._is_like = scope.get("kind") == "like"
        self._model_path = self._model_id.partition("::")[0]
        self._shown = [id for id in shown if id != self._model_id]
        self._ids = _sibling_ids(scope.context)
        names = [strip_counts(id.partition("::")[2] or id) for id in self._ids]
        self._is_shared = names.count(self._name_of_model()) > 1
        if len(set(names)) < len(names):  # several have one name: none without its file
            scope = replace(scope, context={**scope.context, "path": ""})
        self._listing = scope
        self._count = len(self._ids)
        self.noun = self._noun()

    @property
    def model_name(self) -> str:
        """The sibling's name; its path for a module, or where others share the name."""
        return self._model_path if self._is_shared else self._name_of_model()

    def _name_of_model(self) -> str:
        return strip_counts(self._model_id.partition("::")[2] or self._model_path)

    def sources(self) -> tuple[str, ...]:
        about = self._scope.get("about") or self._scope.id
        past = [id for _, ids, _ in self._scope.get("past") or () for id in ids]
        ids = (self._scope.id, about, self._model_id, *self._shown[: _NAMED - 1])
        ids += (*past,)
        kept = self._scope.without_held_out(list(dict.fromkeys(ids)))
        return tuple(kept)

    def answer(self, kind: str, **fields: str) -> str:
        """Return reasoning, steps and code, without what is spare in a long one.

        Return "" where they tell little more than the question does: nothing of other
        code that a new one needs, or little of that and no code of the model.
        """
        frame = self._scope.answer(kind, **{"noun": self.noun, **fields})
        reasons, steps = dict(self._reasons()), dict(self._steps())
        links = len([one for one in steps if one not in _SAID | _CONTENTS])
        links -= sum(one.startswith(_DOCUMENT) for one in steps)
        links += "plan_past" in reasons
        is_telling = links >= _LINKS or self._is_registered()
        is_telling &= not _CONTENTS.isdisjoint(steps)
        if not _are_certain(steps):
            return ""
        longest = fitting = ""
        for spare in ("", *_SPARE):
            reasons.pop(spare, None)
            if spare == _SHORTER:
                reasons["plan_pattern"] = self._pattern_of([self._model_id])
            steps.pop(spare, None)
            text = frame + self._part(
                "plan_reasoning", items=numbered([*reasons.values()])
            )
            text += self._part("plan_steps", items=numbered([*steps.values()]))
            longest = longest or text
            if len(text) <= _LONGEST:
                fitting = fitting or text
            if spare == "plan_some":
                break  # no code is worth it
            if code := self._example(_LONGEST - len(text)):
                return text + code if links else ""
        return (fitting or longest) if is_telling else ""

    def _is_registered(self) -> bool:
        """Return whether there is a place without which a new one does not work."""
        return any(kind in _REGISTERS for kind, *_ in self._scope.get("sites") or ())

    def files(self) -> dict[str, str]:
        """Return the reasons and the files of a new sibling; empty for one file."""
        steps = [
            text
            for part, text in self._steps()
            if part in _FILE_STEPS or part.startswith(_NUMBERED_FILE_STEPS)
        ]
        if len(steps) < 2 or not _are_certain(part for part, _ in self._steps()):
            return {}
        reasons = [text for part, text in self._reasons()]
        return {"reasons": numbered(reasons), "items": numbered(steps)}

    def _noun(self) -> str:
        base = strip_counts(self._where.rpartition("::")[2])
        folder, path = self._scope.get("folder") or ".", self._where.partition("::")[0]
        if self._kind == "subclass":
            part = "noun_subclass" if "::" in self._where else "noun_foreign"
        elif self._kind == "functions":
            part = "noun_method" if self._owner else "noun_function"
        else:
            part = f"noun_{self._kind}"
        return self._part(
            part,
            base=base,
            path=path,
            folder=folder if self._kind != "decorated" else self._where or ".",
            owner=self._owner,
            pattern=self._pattern,
        )

    # -------------------------------------------------------------------- reasoning

    def _reasons(self) -> Iterator[tuple[str, str]]:
        count, total = self._count, self._scope.get("count")
        is_short = total < _NAMED or len(self._scope.get("homes")) == 1
        ids = [self._model_id, *self._shown][: _NAMED if is_short else 2]
        yield "plan_pattern", self._pattern_of(ids)
        if total > count:
            yield "plan_looked", self._part("plan_looked", count=str(count))
        hidden = set(
            self._scope.without_held_out(
                [id for _, ids, _ in self._scope.get("past") or () for id in ids]
            )
        )
        for subject, ids, paths in self._scope.get("past") or ():
            if not hidden.issuperset(ids) or not paths:
                continue
            names = answer_parts.list_elements(self._listing, ids, files=True)
            text = answer_parts.list_texts(self._scope, [f"`{one}`" for one in paths])
            subject = subject.replace("`", "'")
            fields = {"subject": subject, "members": names, "paths": text}
            yield "plan_past", self._part("plan_past", **fields)
            break

    def _pattern_of(self, ids: list[str]) -> str:
        """Return how many siblings there are, and name some."""
        total = self._scope.get("count")
        return self._part(
            ("plan_pattern" if total == len(ids) else "plan_pattern_some")
            + ("_public" if self._are_public() else ""),
            total=str(total),
            members=answer_parts.list_elements(self._listing, ids, files=True),
            project=str(self._scope.get("project")),
        )

    def _are_public(self) -> bool:
        """Return whether siblings of a private name are left out (membership.py)."""
        base = self._where.rpartition("::")[2].rpartition(".")[2]
        return self._kind == "subclass" and not base.startswith("_")

    # ------------------------------------------------------------------------ steps

    def _steps(self) -> Iterator[tuple[str, str]]:
        yield self._home()
        yield from self._definitions()
        yield from self._own_classes()
        yield from self._entered()
        yield from self._registrations()
        yield from self._habits()
        yield from self._keys()
        for path, _ in (self._scope.get("tests") or ())[:1]:
            yield "plan_tests", self._part("plan_tests", other=path)
        for number, (path, where, is_variable) in enumerate(self._test_lists()):
            part = "plan_test_list" if is_variable else "plan_test_parameters"
            fields = {"where": where, "other": path, "total": str(self._count)}
            yield f"{part} {number}", self._part(part, **fields)
        known = {site[1] for site in self._scope.get("sites") or ()}
        known |= {path for path, _ in self._scope.get("tests") or ()}
        known |= {path for path, *_ in self._test_lists()}
        known |= {path for path, _ in self._scope.get("homes")}
        past = self._scope.get("past_count")
        together = [[*one, past] for one in self._scope.get("together") or ()]
        for part, rows in (
            ("plan_together", together),
            ("plan_partners", self._partners()),
        ):
            rows = [row for row in rows if row[0] not in known][:_CAME]
            known |= {path for path, *_ in rows}
            items = [
                self._part("plan_came", other=path, count=str(n), total=str(total))
                for path, n, total in rows
            ]
            if items:
                listed = self._scope.phrases.listed(items)
                home = self._scope.get("homes")[0][0]
                yield part, self._part(part, members=listed, home=home)
        log = self._scope.get("changelog")
        if log and log not in known:
            yield "plan_changelog", self._part("plan_changelog", other=log)

    def _registrations(self) -> Iterator[tuple[str, str]]:
        """Say where it is registered, documented and raised.

        What several files raise is told by those that raise the model.
        """
        sites = self._sites()[:_SITES]
        raised = self._raising_model([site for site in sites if site[0] in _RAISES])
        is_told = False
        for number, site in enumerate(sites):
            part = _DOCUMENT if site[0] == "document" else _SITE
            is_raising = site[0] in _RAISES
            if not is_raising and self._is_partial(site):
                part = _PERHAPS
            if not (is_raising and raised):
                yield f"{part} {number}", self._site(site)
            elif not is_told:
                is_told = True
                yield f"{part} {number}", self._raised(raised)

    def _raising_model(self, sites: list[Value]) -> list[Value]:
        """Return the files that raise the model, where they have to be told.

        They have not where one place raises siblings, and the model in no other file.
        """
        raised = self._scope.get("raised") or {}
        rows: list[Value] = raised.get(self._model_id) or []
        is_of_one = [site[1] for site in sites] == [path for path, _ in rows]
        is_of_one &= len(sites) == 1
        is_of_one |= not self._is_like and len(sites) < 2
        return [] if is_of_one else rows

    def _raised(self, rows: list[Value]) -> str:
        """Say which files raise the model, and whether they import it."""
        listed = self._scope.phrases.listed([f"`{path}`" for path, _ in rows])
        fields = {"members": listed, "model": self._name_of_model()}
        text = self._part("plan_raise_like", **fields)
        others = [is_imported for path, is_imported in rows if path != self._model_path]
        text += self._part("plan_import") if others and all(others) else ""
        return text + self._scope.phrases.words["stop"]

    def _sites(self) -> list[Value]:
        """Return the places; one that imports siblings and lists them is a single one.

        Of documents one is enough.
        """
        sites = self._scope.get("sites") or []
        lists = {(p, tuple(n)) for kind, p, _, n, *_ in sites if kind == "exports"}
        imports = {(p, tuple(n)) for kind, p, _, n, *_ in sites if kind == "reexport"}
        documents = [site for site in sites if site[0] == "document"]
        kept: list[Value] = []
        for site in sites:
            kind, place = site[0], (site[1], tuple(site[3]))
            if kind == "reexport" and place in lists or site in documents[1:]:
                continue
            is_both = kind == "exports" and place in imports
            kept.append(["listed", *site[1:]] if is_both else site)
        return kept

    def _test_lists(self) -> list[Value]:
        """Return the parameters and lists in tests that hold all siblings.

        There are none where only some of the siblings were compared.
        """
        is_of_all = self._scope.get("count") == self._count
        return (self._scope.get("test_lists") or []) if is_of_all else []

    def _partners(self) -> list[Value]:
        """Return what changes with the file that a new sibling goes into."""
        return self._scope.get("partners") or []

    def _home(self) -> tuple[str, str]:
        """Say where a new one goes."""
        homes = self._scope.get("homes")
        path, count = homes[0]
        if self._scope.get("new_file"):
            folder = self._scope.get("folder") or "."
            part, other = "plan_new_file", self._model_path
            fields = {"folder": folder, "other": other}
            return "plan_home", self._part(part, **fields)
        part = "plan_home_all" if count == self._count else "plan_home"
        return "plan_home", self._counted(part, path, count)

    def _definitions(self) -> Iterator[tuple[str, str]]:
        """Say what it defines: base, methods, attributes, arguments."""
        if self._kind == "subclass":
            base = strip_counts(self._where.rpartition("::")[2])
            if self._bases:
                yield "plan_base", self._base_classes()
            else:
                yield "plan_base", self._part("plan_base", base=base)
        elif self._kind == "decorated":
            yield "plan_decorator", self._part("plan_decorator", pattern=self._pattern)
        elif self._kind == "functions":
            yield (
                "plan_name",
                self._part(
                    "plan_name",
                    pattern=self._pattern,
                    members=self._scope.phrases.listed(
                        [f"`{name}`" for name in self._scope.get("arguments")]
                    ),
                ),
            )
        yield from self._decorators()
        rows = self._scope.get("required") or ()
        is_own = self._is_like and bool(self._methods)
        for part, is_wanted in (("plan_abstract", True), ("plan_methods", False)):
            items = [
                self._item(name, count)
                for name, count, is_abstract in rows
                if is_abstract == is_wanted
            ]
            if items and (is_wanted or not is_own):
                yield part, self._part(part, members=self._scope.phrases.listed(items))
        open_ones = {name for name, _, is_abstract in rows if is_abstract}
        own = [one for one in self._methods if one not in open_ones]
        if is_own and own:
            listed = self._scope.phrases.listed([f"`{one}`" for one in own])
            fields = {"members": listed, "model": self._name_of_model()}
            part = "plan_own_besides" if open_ones else "plan_own"
            yield "plan_own", self._part(part, **fields)
        elif not is_own:
            yield from self._chosen()
        if not self._is_like:  # the model sets what is told of it, and nothing else
            yield from self._attributes()

    def _chosen(self) -> Iterator[tuple[str, str]]:
        """Say of which methods each sibling defines one, and what only some define."""
        for name in ("choice", "some"):
            if items := [self._item(*item) for item in self._scope.get(name) or ()]:
                listed = self._scope.phrases.listed(items)
                yield f"plan_{name}", self._part(f"plan_{name}", members=listed)

    def _base_classes(self) -> str:
        """Say what it inherits from; one made for the model is one to make."""
        model = self._name_of_model()
        for path, pairs in self._scope.get("own_bases") or ():
            own = {self._ids[number]: id for number, id in pairs}.get(self._model_id)
            if own is None or not self._scope.without_held_out([own]):
                continue
            like = name_of(own.partition("::")[2])
            others = [one for one in self._bases if one.rpartition(".")[2] != like]
            is_elsewhere = path != self._model_path
            return self._part(
                "plan_base_own_bound" if is_elsewhere else "plan_base_own",
                members=self._scope.phrases.listed([f"`{one}`" for one in others]),
                other=path,
                like=like,
                model=model,
                **self._counts(len(pairs)),
                **({"home": self._model_path} if is_elsewhere else {}),
            )
        listed = self._scope.phrases.listed([f"`{one}`" for one in self._bases])
        return self._part("plan_bases", members=listed, model=model)

    def _decorators(self) -> Iterator[tuple[str, str]]:
        """Say which decorators most classes have, or, with a model, those of it."""
        for number, (pattern, having) in enumerate(self._scope.get("decorators") or ()):
            if not self._is_like or self._model_id in [self._ids[n] for n in having]:
                fields = {"pattern": pattern, **self._counts(len(having))}
                text = self._part("plan_decorated", **fields)
                yield f"plan_decorated {number}", text

    def _attributes(self) -> Iterator[tuple[str, str]]:
        """Say which class attributes most siblings set."""
        items = [self._item(*row) for row in self._scope.get("attributes") or ()]
        if items:
            listed = self._scope.phrases.listed(items)
            yield "plan_attributes", self._part("plan_attributes", members=listed)

    def _own_classes(self) -> Iterator[tuple[str, str]]:
        """Say what a new one needs besides itself: classes, functions, a member."""
        made = self._scope.get("made") or ()
        own = (self._scope.get("own") or {}).get(self._model_id, ())
        allowed = self._scope.without_held_out(list(own))
        if made and self._is_like and allowed:
            members = answer_parts.list_elements(
                self._listing, allowed, more=len(allowed) < len(own)
            )
            fields = {"members": members, "model": self._name_of_model()}
            yield "plan_made", self._part("plan_made_like", **fields)
        elif made and not self._is_like:
            yield from self._shown_by_model("plan_made", *made[0])
        for path, pairs in (self._scope.get("helpers") or ())[:1]:
            yield from self._shown_by_model("plan_helper", path, pairs)
        for enum, pairs in (self._scope.get("members") or ())[:1]:
            yield from self._shown_by_model("plan_member", enum, pairs)
        yield from self._own_of_some()

    def _own_of_some(self) -> Iterator[tuple[str, str]]:
        """Say what most siblings have, and not every one: constants, a base class.

        With a model it is that of the model.
        """
        for step, name in (("plan_constant", "constants"), (_BASE_STEP, "own_bases")):
            for path, pairs in self._scope.get(name) or ():
                sibling, one = self._shown_pair(pairs)
                is_base = step == _BASE_STEP
                is_told = sibling == self._model_id or not self._is_like
                if is_base:
                    is_told = not self._is_like and sibling != self._model_id
                    is_told &= len(pairs) >= _FEWEST_OWN_BASES
                if sibling and is_told:
                    fields = {"model": strip_counts(sibling.partition("::")[2])}
                    fields |= self._counts(len(pairs))
                    part = "plan_base_some" if is_base else step
                    like = name_of(one.partition("::")[2]) if is_base else one
                    yield step, self._part(part, other=path, like=like, **fields)

    def _shown_by_model(
        self, part: str, id: str, pairs: list[Value]
    ) -> Iterator[tuple[str, str]]:
        """Say what most siblings have, by that of the model or of another one."""
        rows = [(self._ids[number], *rest) for number, *rest in pairs]
        rows.sort(key=lambda row: row[0] != self._model_id)
        for sibling, like, *_ in rows:
            named = [sibling, id, like] if "::" in like else [sibling, id]
            if len(self._scope.without_held_out(named)) < len(named):
                continue
            yield (
                part,
                self._part(
                    part,
                    item=strip_counts(id.partition("::")[2]),
                    other=id.partition("::")[0],
                    count=str(len(pairs)),
                    total=str(self._count),
                    like=strip_counts(like.rpartition("::")[2]),
                    model=strip_counts(sibling.partition("::")[2]),
                ),
            )
            return

    def _shown_pair(self, pairs: list[Value]) -> tuple[str, str]:
        """Return (sibling, what it has) of the model, or of another that may be named;
        "" where none may.
        """
        rows = [(self._ids[number], one) for number, one in pairs]
        rows.sort(key=lambda row: row[0] != self._model_id)
        for sibling, one in rows:
            named = [sibling, one] if "::" in one else [sibling]
            if len(self._scope.without_held_out(named)) == len(named):
                return sibling, one
        return "", ""

    def _entered(self) -> Iterator[tuple[str, str]]:
        """Say what is entered with a new one: its key, and its companion."""
        for owner, _, pairs in self._scope.get("key_members") or ():
            sibling, key = self._shown_pair(pairs)
            if sibling:
                yield (
                    "plan_key_member",
                    self._part(
                        "plan_key_member",
                        item=strip_counts(owner.partition("::")[2]),
                        other=owner.partition("::")[0],
                        like=key,
                        model=strip_counts(sibling.partition("::")[2]),
                    ),
                )
        made = {base for base, _ in self._scope.get("made") or ()}  # told before
        paired = [row for row in self._scope.get("paired") or () if row[0] not in made]
        for number, (group, pairs) in enumerate(paired):
            sibling, one = self._shown_pair(pairs)
            path, _, base = group.partition("::")
            if sibling:
                part = "plan_paired" if base else "plan_paired_function"
                fields = {"item": strip_counts(base)} if base else {}
                yield (
                    f"plan_paired {number}",
                    self._part(
                        part,
                        other=one.partition("::")[0] if base else path,
                        like=strip_counts(one.partition("::")[2]),
                        model=strip_counts(sibling.partition("::")[2]),
                        **self._counts(len(pairs)),
                        **fields,
                    ),
                )

    def _habits(self) -> Iterator[tuple[str, str]]:
        """Say what is done for each sibling, in its module and by those who use it."""
        for path, numbers in self._scope.get("module_imports") or ():
            fields = {"other": path, "of": self._share(len(numbers), False)}
            yield "plan_module_import", self._part("plan_module_import", **fields)
        for number, (_, pairs) in enumerate(self._scope.get("module_calls") or ()):
            whole = [pair for pair in pairs if pair[1].endswith(")")]
            sibling, line = self._shown_pair(whole)
            if sibling:
                fields = {"line": line, **self._counts(len(pairs))}
                text = self._part("plan_module_call", **fields)
                yield f"plan_module_call {number}", text
        if asked := self._scope.get("asked"):
            path, owner, rows = asked
            listed = self._scope.phrases.listed([f"`{method}`" for method, _ in rows])
            fields = {"item": owner, "other": path, "members": listed}
            yield "plan_asked", self._part("plan_asked", **fields)

    def _keys(self) -> Iterator[tuple[str, str]]:
        """Say where the keys of siblings occur besides."""
        sites = self._scope.get("key_sites") or ()
        items = [
            self._part(
                _KEY_PARTS.get(kind, "plan_key_item"),
                other=path,
                where=where,
                **self._counts(len(pairs)),
            )
            for kind, path, where, pairs in sites
        ]
        every = {number: key for *_, pairs in sites for number, key in pairs}
        sibling, key = self._shown_pair([*every.items()])
        if items and sibling:
            listed = self._scope.phrases.listed(items)
            model = strip_counts(sibling.partition("::")[2])
            fields = {"members": listed, "like": key, "model": model}
            yield "plan_keys", self._part("plan_keys", **fields)

    def _counts(self, count: int) -> dict[str, str]:
        return {"count": str(count), "total": str(self._count)}

    def _item(self, name: str, count: int) -> str:
        return self._part(
            "plan_item", item=name, count=str(count), total=str(self._count)
        )

    def _site(self, site: list[Value]) -> str:
        kind, path, where, numbers, lines, order, imports, branch = site
        # Who holds a part of them holds those of some sort.
        is_some = kind in ("function", "table") and self._is_partial(site)
        part = f"plan_{kind}_some" if is_some else f"plan_{kind}"
        share = self._share(len(numbers), kind == "document")
        text = self._part(part, other=path, where=where, of=share)
        name = name_of(self._model_id.partition("::")[2])
        line = lines.get(name, "")
        # In a function what comes after the last branch of an `if` may never run.
        is_place = kind != "function" or self._is_of_several(line)
        if is_place and not is_some and not branch:
            text += self._order(kind, order, numbers)
        text += self._branch(branch, len(numbers))
        is_used = path != self._model_path and _is_imported(name, line)
        if is_used and imports:
            text += self._part("plan_import")
        shows = kind not in _SHOWN_WITHOUT_LINE and line.strip(" ,()") != name and line
        if shows:
            text += self._part("plan_line", line=line)
        return text + self._scope.phrases.words["stop"]

    def _is_partial(self, site: list[Value]) -> bool:
        """Return whether a place may do without a new one: it names only some, or is a
        function that does not name all.
        """
        least = self._count if site[0] == "function" else NEARLY_ALL * self._count
        return len(site[3]) < least

    def _share(self, count: int, is_least: bool) -> str:
        """Return how many siblings a place names; prose may name more, as words."""
        part = "plan_of_least" if is_least else "plan_of"
        if count == self._count:
            part = "plan_of_all"
        return self._part(part, count=str(count), total=str(self._count))

    def _order(self, kind: str, order: str, numbers: list[int]) -> str:
        """Say where a new one goes in a list: see `sites` in family_row.py.

        Where no order shows, it goes after its model: of names that are exported, and
        without a model, the place is of no importance, or known to nobody.
        """
        if order in ("", SORTED, SORTED_PART):
            part = "plan_sorted" if order == SORTED else "plan_sorted_part"
            return self._part(part) if order else ""
        if self._kind == "modules" or kind in (*_EXPORTS, "listed"):
            return ""
        is_listed = self._model_id in [self._ids[number] for number in numbers]
        if not is_listed or not self._is_like:
            return ""
        order = name_of(self._model_id.partition("::")[2])
        return self._part("plan_behind", item=order)

    def _is_of_several(self, line: str) -> bool:
        """Return whether a line is that of a list: it names several siblings."""
        words = set(re.findall(r"\w+", line))
        return sum(name_of(id.partition("::")[2]) in words for id in self._ids) > 1

    def _branch(self, branch: list[Value], count: int) -> str:
        """Say which siblings a place names under one `if`."""
        if not branch:
            return ""
        line, numbers = branch
        ids = [self._ids[number] for number in numbers]
        allowed = self._scope.without_held_out(ids)
        if len(allowed) < len(ids):
            return ""
        if len(ids) == count:
            return self._part("plan_under_all", line=line)
        names = [f"`{name_of(one.partition('::')[2])}`" for one in allowed]
        return self._part(
            "plan_under", members=self._scope.phrases.listed(names), line=line
        )

    def _counted(self, part: str, path: str, count: int) -> str:
        return self._part(part, other=path, count=str(count), total=str(self._count))

    # ------------------------------------------------------------------------- code

    def _example(self, room: int) -> str:
        """Return the model's code, or its outline where there is no room, or ""."""
        name, fence = strip_counts(self._code_qual), self._scope.get("language")
        fields = {"element": name, "other": self._model_path}
        shorter = without_docstring(self._code)
        for part, code in (
            ("plan_code", self._code),
            ("plan_code", shorter),
            ("plan_outline", self._outline),
        ):
            shown = self._scope.phrases.words["code"].format(fence=fence, code=code)
            text = self._part(part, code=shown, **fields)
            if code and len(text) <= room:
                return text
        return ""


def _are_certain(steps: Iterable[str]) -> bool:
    """Return whether a new one needs something, and not only perhaps."""
    uncertain = _SAID | _CONTENTS | {"plan_keys"}
    return any(
        one not in uncertain and not one.startswith((_DOCUMENT, _PERHAPS))
        for one in steps
    )


def _is_imported(name: str, line: str) -> bool:
    """Return whether a line of Python uses a name that its file has to import."""
    pattern = rf"(?:raise|return|except|=|\() *{re.escape(name)}\("
    return bool(re.search(pattern, line)) and '"' not in line and "'" not in line


_FILE_STEPS = frozenset(
    (
        "plan_home",
        "plan_made",
        "plan_helper",
        "plan_member",
        "plan_constant",
        "plan_paired 0",
        "plan_paired 1",
        "plan_module_import",
        "plan_asked",
        "plan_keys",
        "plan_tests",
        "plan_together",
        "plan_partners",
        "plan_changelog",
    )
)
