"""The `history` table: samples about changes that still hold.

    key   element id or path, of what is there or of what is gone
    sub   as in `samples`: #code_change.LANGUAGE.N
    row   as there, and "commit", its id: it is looked up, not learnt, so no text has it

Of an element in the graph: what the last commit did that concerned it. Of one that is
gone: which commit removed it, or where it is now; and once more under the questions
that asked where it is, as far as its name is no other element's now, because who was
taught the old answer is asked just so. A change is told only while the graph
has the very shape that came out of it, so that nothing is told of an edited work tree,
or across a commit too large to look into.

Nothing is indexed: what the commits amount to (story.py) is worked out from the old and
the new window, a few hundred items each, and only ids whose story or whose node in the
graph changed are written, and of what is gone those whose name came or went somewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from repobuild.code.facts.element_row import name_of
from repobuild.code.graph.graph import PROJECT, elements_of, node, split_id
from repobuild.engine.contract import Table, Value, View
from repobuild.samples.changes.difference import difference
from repobuild.samples.changes.latest_change import (
    LatestChange,
    Stories,
    latest_changes,
)
from repobuild.samples.contexts.project_context import project_name
from repobuild.samples.dataset.split import Split
from repobuild.samples.tasks.facts import Fact, FactScope, Sample, samples_of, turn_of
from repobuild.samples.tasks.phrases import Phrases, phrases

TASK = "code_change"
_KINDS = {
    "added": "added",
    "changed": "changed",
    "moved": "came",
    "renamed": "came",
}
GONE = {
    "removed": "removed",
    "file removed": "removed_file",
    "moved": "moved",
    "renamed": "renamed",
    "file renamed": "renamed_file",
}


def history(view: View) -> None:
    """Bring the samples up to date with the commits and the graph."""
    teller = ChangeSampler(view)
    now = _stories(view, 1)
    was = {} if view.full else _stories(view, 0)
    if teller.is_renamed:
        concerned = was.keys() | now.keys()
    else:
        concerned = {id for id in was.keys() | now.keys() if was.get(id) != now.get(id)}
        concerned |= _moved_below(view, now) | _named_anew(view, now)
    for id in sorted(concerned):
        row = teller.row(id, now[id]) if id in now else {}
        if row:
            view.own.put(id, row)
        elif not view.full:
            view.own.drop(id)


def _stories(view: View, side: int) -> Stories:
    """Return what the tables amount to: as they were last seen (0), or are now (1)."""
    if view.settings["samples.tasks"] and TASK not in view.settings["samples.tasks"]:
        return {}
    tables = []
    for name in ("commits", "changes"):
        rows = dict(view.table(name).items())
        for key, change in view.changes(name).items():
            rows[key] = change[side]
        tables.append({key: row for key, row in rows.items() if row is not None})
    return latest_changes(*tables)


def _moved_below(view: View, now: Stories) -> set[str]:
    """Return the ids that speak of a file whose graph changed."""
    paths = view.changes("graph")
    return {
        id
        for id, story in now.items()
        if split_id(id)[0] in paths or (story.to and split_id(story.to)[0] in paths)
    }


def _named_anew(view: View, now: Stories) -> set[str]:
    """Return the ids that are gone and whose name something got or lost."""
    gone = [id for id, story in now.items() if story.gone and "::" in id]
    if not gone:
        return set()
    touched: set[str] = set()
    for old, new in view.changes("graph").values():
        touched.update(name for name, _ in _kinds(old) ^ _kinds(new))
    return {id for id in gone if name_of(split_id(id)[1]) in touched}


def _kinds(row: Value | None) -> set[tuple[str, str]]:
    """(bare name, kind) of the elements of one file."""
    return {(name_of(qual), found["kind"]) for qual, found in elements_of(row)}


def free_name(id: str, contexts: Table) -> str:
    """Return how one spoke of what is gone; "" when that is another's name now."""
    qual = split_id(id)[1]
    names = (name_of(qual), qual)
    free = (name for name in names if not contexts.index.find(f"name:{name}"))
    return next(free, "")


class ChangeSampler:
    """Makes the rows."""

    def __init__(self, view: View) -> None:
        settings = view.settings
        self._graph = view.table("graph")
        self._contexts = view.table("contexts")
        self._languages = tuple(settings["samples.languages"])
        self._hidden = Split.of(settings).generalised
        known = (self._graph.get(PROJECT) or {}).get("", {})
        self._project = project_name(known)
        before: Value = view.changes("graph").get(PROJECT, (None, None))[0]
        old = before.get("", {}) if before else known
        self.is_renamed = project_name(old) != self._project

    def row(self, id: str, story: LatestChange) -> dict[str, Sample]:
        """Return the samples of one story, none when it does not hold."""
        if "#" in split_id(id)[1] + split_id(story.to)[1]:
            return {}  # one of several with its name; a question could mean another
        if not holds(id, story, self._graph):
            return {}
        rows: dict[str, Sample] = {}
        for language in self._languages:
            for fact, about in self._facts(id, story, phrases(language)):
                for sub, sample in samples_of(fact, about):
                    rows[sub] = {**sample, "commit": story.commit}
        return rows

    def _facts(
        self, id: str, story: LatestChange, said: Phrases
    ) -> Iterator[tuple[Fact, FactScope]]:
        about = self._about(id, story, said)
        if about.hidden(id) and not about.hidden(about.id):
            return
        fact = _fact(id, story, about)
        if fact is not None:
            yield fact, about
        name = free_name(id, self._contexts) if story.gone and "::" in id else ""
        if name and about.hidden(about.id) and not about.hidden(id):
            # Of where it is now nothing is trained; that it is gone can be.
            story = story._replace(to="")
            about = self._about(id, story, said)
        if name:
            yield _absent(id, story, about, name), about

    def _about(self, id: str, story: LatestChange, said: Phrases) -> FactScope:
        path, qual = split_id(id)
        kind = story.item.get("kind", "file")
        context = {
            "id": _subject(id, story, self._graph),
            "kind": kind,
            "name": qual or path.rpartition("/")[2],
            "label": qual or path,
            "path": path,
            "project": self._project,
        }
        return FactScope(context, said, self._languages, self._hidden)


def holds(id: str, story: LatestChange, graph: Table) -> bool:
    """Return whether a story is still true of what is in the graph."""
    found = node(graph, id)
    if story.gone:
        return found is None and (not story.to or node(graph, story.to) is not None)
    if found is None or story.item["what"] != "changed":
        return found is not None
    part = "face" if found["kind"] == "class" else "shape"
    return bool(found.get(part) == story.item["shape"])


def _subject(id: str, story: LatestChange, graph: Table) -> str:
    """Return what exists of what a sample is about: sources must."""
    if not story.gone:
        return id
    if story.to:
        return story.to
    path = split_id(id)[0]
    return path if node(graph, path) else PROJECT


def _absent(id: str, story: LatestChange, about: FactScope, name: str) -> Fact:
    """What to answer to who asks where it is, as if it were still there.

    The questions are those that its place was taught in, and one more.
    """
    fields = {**fields_of(id, story, about.phrases), "name": name}
    kind = "former" if story.to else "absent"
    answer, turn = about.answer(kind, **fields), turn_of("location", id)
    return Fact(kind, answer, (about.id,), "medium", fields, turn=turn)


def _fact(id: str, story: LatestChange, about: FactScope) -> Fact | None:
    kind = (GONE if story.gone else _KINDS)[story.item["what"]]
    fields = fields_of(id, story, about.phrases)
    frame = about.answer(kind, **fields)
    more = difference(story.item, about.phrases) if kind == "changed" else ""
    if kind == "changed" and not more:
        return None
    return Fact(kind, frame + more, (about.id,), "medium", fields)


def fields_of(id: str, story: LatestChange, said: Phrases) -> Mapping[str, str]:
    path, qual = split_id(story.to if story.gone else story.item["id"])
    return {
        "subject": story.subject.replace("`", "'") or said.words["no_subject"],
        "other": qual or path,
        "other_path": path,
    }
