"""Make the `history` table: samples about changes that are still true.

    key   element id or path, of what exists or of what is gone
    sub   as in `samples`: #code_change.LANGUAGE.N
    row   as there, and "commit", its id: people look it up, no text quotes it

An element in the graph has samples about its newest change. One that is gone has
samples about the commit that removed it, or about where it is now. It is also asked for
under the questions that its location was trained with, as long as no other element has
its name: a model that learned the old answer is asked in just these words. A change is
used only while the graph has the very shape that it resulted in, so that no sample
describes an edited work tree, or spans a commit too large to read.

Nothing is indexed: the newest changes (latest_change.py) are computed from the old and
the new window of commits, a few hundred items each. An update writes only the ids whose
change or whose graph row differs, and ids that are gone whose name an element gained or
lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from repobuild.code.facts.element_row import name_of
from repobuild.code.graph.graph import PROJECT, elements_of, node, split_id
from repobuild.engine.contract import Value, View
from repobuild.samples.changes.difference import describe_difference
from repobuild.samples.changes.history_scope import HistoryScope
from repobuild.samples.changes.latest_change import (
    LatestChange,
    LatestChanges,
    latest_changes,
)
from repobuild.samples.contexts.project_context import project_name
from repobuild.samples.tasks.facts import (
    Fact,
    FactScope,
    Sample,
    phrasing_seed,
    samples_of,
)
from repobuild.samples.tasks.phrases import Phrases, load_phrases

TASK = "code_change"
# Kinds of the question file, by what happened (code/changes/change.py).
_PRESENT_KINDS = {
    "added": "added",
    "changed": "changed",
    "moved": "came",
    "renamed": "came",
}
GONE_KINDS = {
    "removed": "removed",
    "file removed": "removed_file",
    "moved": "moved",
    "renamed": "renamed",
    "file renamed": "renamed_file",
}


def history(view: View) -> None:
    """Bring the samples up to date with the commits and the graph."""
    sampler = ChangeSampler(HistoryScope.of(view))
    old: LatestChanges = {} if view.full else _latest_changes(view, 0)
    new = _latest_changes(view, 1)
    ids = old.keys() | new.keys()
    if not (_is_project_renamed(view) or _has_other_languages(view)):
        ids = {id for id in ids if old.get(id) != new.get(id)}
        ids |= _in_changed_graph_rows(view, new) | _gone_with_touched_name(view, new)
    for id in sorted(ids):
        row = sampler.row(id, new[id]) if id in new else {}
        if row:
            view.own.put(id, row)
        elif not view.full:
            view.own.drop(id)


def _latest_changes(view: View, side: int) -> LatestChanges:
    """Return the changes before this update (0) or after it (1)."""
    if view.settings["samples.tasks"] and TASK not in view.settings["samples.tasks"]:
        return {}
    tables = []
    for name in ("commits", "changes"):
        rows = dict(view.table(name).items())
        for key, versions in view.changes(name).items():
            rows[key] = versions[side]
        tables.append({key: row for key, row in rows.items() if row is not None})
    return latest_changes(*tables)


def _is_project_renamed(view: View) -> bool:
    old, new = view.changes("graph").get(PROJECT, (None, None))
    if not old:
        return False
    return project_name(old.get("", {})) != project_name((new or {}).get("", {}))


def _has_other_languages(view: View) -> bool:
    old, new = view.changes("contexts").get(PROJECT, (None, None))
    return (old or {}).get("languages") != (new or {}).get("languages")


def _in_changed_graph_rows(view: View, changes: LatestChanges) -> set[str]:
    """Return the ids whose file, old or new, has another graph row now."""
    paths = view.changes("graph")
    return {
        id
        for id, change in changes.items()
        if split_id(id)[0] in paths
        or (change.new_id and split_id(change.new_id)[0] in paths)
    }


def _gone_with_touched_name(view: View, changes: LatestChanges) -> set[str]:
    """Return the ids that are gone and whose name an element gained or lost."""
    gone = [id for id, change in changes.items() if change.is_gone and "::" in id]
    if not gone:
        return set()
    touched: set[str] = set()
    for old, new in view.changes("graph").values():
        touched.update(name for name, _ in _named_kinds(old) ^ _named_kinds(new))
    return {id for id in gone if name_of(split_id(id)[1]) in touched}


def _named_kinds(row: Value | None) -> set[tuple[str, str]]:
    """Return (bare name, kind) of the elements of one file."""
    return {(name_of(qual), element["kind"]) for qual, element in elements_of(row)}


class ChangeSampler:
    """Makes the samples about one change at a time."""

    def __init__(self, scope: HistoryScope) -> None:
        self._scope = scope

    def row(self, id: str, change: LatestChange) -> dict[str, Sample]:
        """Return the samples about a change, none when it is no longer true."""
        if "#" in split_id(id)[1] + split_id(change.new_id)[1]:
            return {}  # several definitions have the name: a question is ambiguous
        if not self._scope.is_current(id, change):
            return {}
        row: dict[str, Sample] = {}
        for language in self._scope.languages:
            for fact, about in self._facts(id, change, load_phrases(language)):
                for sub, sample in samples_of(fact, about):
                    row[sub] = {**sample, "commit": change.commit}
        return row

    def _facts(
        self, id: str, change: LatestChange, wording: Phrases
    ) -> Iterator[tuple[Fact, FactScope]]:
        is_held_out = self._scope.is_held_out
        about = self._fact_scope(id, change, wording)
        if is_held_out(id) and not is_held_out(about.id):
            return
        fact = _change_fact(change, about)
        if fact is not None:
            yield fact, about
        is_gone = change.is_gone and "::" in id
        name = self._scope.unused_name(id) if is_gone else ""
        if not name:
            return
        if is_held_out(about.id) and not is_held_out(id):
            # Its new location is not trained; that it is gone can be.
            change = change._replace(new_id="")
            about = self._fact_scope(id, change, wording)
        yield _location_fact(id, change, about, name), about

    def _fact_scope(self, id: str, change: LatestChange, wording: Phrases) -> FactScope:
        path, qual = split_id(id)
        context = {
            "id": self._existing_subject(id, change),
            "kind": change.item.get("kind", "file"),
            "name": qual or path.rpartition("/")[2],
            "label": qual or path,
            "path": path,
            "project": self._scope.project,
        }
        scope = self._scope
        return FactScope(context, wording, scope.languages, scope.is_held_out)

    def _existing_subject(self, id: str, change: LatestChange) -> str:
        """Return the nearest id that exists: a sample's sources must."""
        if not change.is_gone:
            return id
        if change.new_id:
            return change.new_id
        path = split_id(id)[0]
        return path if node(self._scope.graph, path) else PROJECT


def _change_fact(change: LatestChange, about: FactScope) -> Fact | None:
    """Return what happened to an element; None for a change without any detail."""
    kind = (GONE_KINDS if change.is_gone else _PRESENT_KINDS)[change.item["what"]]
    fields = change_fields(change, about.phrases)
    answer = about.answer(kind, **fields)
    if kind == "changed":
        difference = describe_difference(change.item, about.phrases)
        if not difference:
            return None
        answer += difference
    return Fact(kind, answer, (about.id,), "medium", fields)


def _location_fact(id: str, change: LatestChange, about: FactScope, name: str) -> Fact:
    """Return the answer for a user who asks where a gone element is.

    The questions are those that its location was trained with, and one more.
    """
    fields = {**change_fields(change, about.phrases), "name": name}
    kind = "former" if change.new_id else "absent"
    answer, turn = about.answer(kind, **fields), phrasing_seed("location", id)
    return Fact(kind, answer, (about.id,), "medium", fields, phrasing_seed=turn)


def change_fields(change: LatestChange, wording: Phrases) -> Mapping[str, str]:
    """Return the fields that the question file uses of a change."""
    path, qual = split_id(change.new_id if change.is_gone else change.item["id"])
    return {
        "subject": change.subject.replace("`", "'") or wording.words["no_subject"],
        "date": change.date or wording.words["no_date"],
        "other": qual or path,
        "other_path": path,
    }
