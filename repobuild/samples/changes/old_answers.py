"""The `old_answers` table: questions whose answer is another one than some commits ago.

    key   what the question is about: the id that is gone, or that changed
    row   {"kind": "moved|removed|changed", "element": id, "question": str,
           "expected": str, "old": str, "gone": bool, "language": str}

`expected` is what is true now, `old` what was taught before.  The report asks these of
every model; who still states what only `old` states has not dropped the old fact.

    moved     to another file: where it is, by its name of now or, where that is another
              one, of then.  Renamed in its file, or out of its class: what its
              description describes, for the old place is still the right one
    removed   where it is, by its name of then
    changed   what to pass to it; only where the signature changed

`gone` says that the question is about a name which is no more; the old place stands in
the true answer, too, and what counts is whether it is said to be the present one.

The questions are the held-out phrasings of samples about location and signature, so
none of them is ever trained.  Not asked about: elements of which nothing is trained,
tests, classes that changed, what a removed file held, and names that now mean another
element.  A file that was renamed is asked about by a few of its elements.

Rows are worked out anew by every run, at most `MOST` of a kind, drawn by the hash of
their key: a pure function of four tables, whatever was built before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from zlib import crc32

from repobuild.code.graph.graph import PROJECT, elements_of, split_id
from repobuild.engine.contract import Value, View
from repobuild.samples.changes.change_samples import GONE, fields_of, free_name, holds
from repobuild.samples.changes.latest_change import LatestChange, latest_changes
from repobuild.samples.contexts.display_names import NAMED
from repobuild.samples.contexts.graph_reader import is_test
from repobuild.samples.contexts.project_context import project_name
from repobuild.samples.dataset.split import Split
from repobuild.samples.tasks.facts import completed
from repobuild.samples.tasks.location import SHORTEST_CLUE
from repobuild.samples.tasks.phrases import Phrases, phrases

MOST = 60  # rows of a kind
OF_A_FILE = 3  # elements of a renamed file
KINDS = ("moved", "removed", "changed")

Row = dict[str, Value]


def old_answers(view: View) -> None:
    """Bring the questions up to date with the commits, the graph and the contexts."""
    rows = _drawn(view)
    for key, row in rows.items():
        view.own.put(key, row)
    if not view.full:
        for key in sorted(set(view.own.keys()) - rows.keys()):
            view.own.drop(key)


def _drawn(view: View) -> dict[str, Row]:
    asker = OldAnswerSampler(view)
    found: dict[str, Row] = {}
    counts = dict.fromkeys(KINDS, 0)
    for key, story in sorted(asker.stories(), key=lambda pair: _luck(pair[0])):
        kind = kind_of(story)
        open_ = kind and key not in found and counts[kind] < MOST
        if open_ and (row := asker.row(kind, key, story)):
            found[key] = row
            counts[kind] += 1
    return dict(sorted(found.items()))


def kind_of(story: LatestChange) -> str:
    """ "" for what leaves nothing behind that could still be believed."""
    if story.gone:
        return "moved" if story.to else "removed"
    changed = story.item["what"] == "changed" and "signature" in story.item
    return "changed" if changed else ""


class OldAnswerSampler:
    """Makes the rows."""

    def __init__(self, view: View) -> None:
        settings = view.settings
        self._graph = view.table("graph")
        self._contexts = view.table("contexts")
        self._languages = tuple(settings["samples.languages"])
        self._hidden = Split.of(settings).generalised
        known = (self._graph.get(PROJECT) or {}).get("", {})
        self._project = project_name(known)
        self._told = latest_changes(
            *(dict(view.table(n).items()) for n in ("commits", "changes"))
        )

    def stories(self) -> Iterator[tuple[str, LatestChange]]:
        """Every story that holds; that of a renamed file as its elements' stories."""
        for id, story in self._told.items():
            if not holds(id, story, self._graph):
                continue
            if "::" in id:
                yield id, story
            elif story.gone and story.to:
                yield from self._went_along(id, story)

    def _went_along(
        self, path: str, story: LatestChange
    ) -> Iterator[tuple[str, LatestChange]]:
        found = elements_of(self._graph.get(story.to))
        subs = [f"::{qual}" for qual, _ in found]
        for sub in sorted(subs, key=lambda sub: _luck(path + sub))[:OF_A_FILE]:
            yield path + sub, story._replace(to=story.to + sub)

    def row(self, kind: str, id: str, story: LatestChange) -> Row | None:
        """The question, or None where none can be asked."""
        now = story.to if story.gone else id
        if "#" in id + now or self._hidden(id) or (now and self._hidden(now)):
            return None
        about = self._about(now) if now else {}
        if about is None or _is_private(id) or is_test(split_id(id)[0]):
            return None
        said = phrases(self._languages[crc32(id.encode()) % len(self._languages)])
        if kind == "changed":
            return _changed(id, about, story.item["signature"], said)
        if now and split_id(id)[1] == split_id(now)[1]:
            return _moved(id, now, about, said)
        if now and split_id(id)[0] == split_id(now)[0]:
            return self._renamed(id, about, said)
        return self._gone(kind, id, story, said)

    def _about(self, id: str) -> Row | None:
        """The context of an element that is asked about: code, and no test."""
        found = self._contexts.get(id)
        if found is None or found["kind"] not in NAMED or found.get("brief"):
            return None
        return completed({**found, "id": id})

    def _renamed(self, old: str, about: Row, said: Phrases) -> Row | None:
        """By its description: who is asked by the old name takes it for right."""
        path, qual = split_id(old)
        label, clue = about["label"], about.get("summary", "")
        name = qual if "." in label else qual.rpartition(".")[2]
        if len(clue) < SHORTEST_CLUE or about.get("shared") or name == label:
            return None
        kind = said.words.get(about["kind"], about["kind"])
        told = {"kind": kind, "summary": clue, "project": self._project}
        now = {**told, "name": label, "path": path}
        then = {**now, "name": name}
        return {
            **_row("moved", about["id"], said, "reverse", now),
            "expected": said.answer("reverse", **now),
            "old": said.answer("reverse", **then),
            "gone": False,
        }

    def _gone(
        self, kind: str, id: str, story: LatestChange, said: Phrases
    ) -> Row | None:
        """By the name of then, unless something else has it now."""
        name = free_name(id, self._contexts)
        if not name:
            return None
        told, path = fields_of("", story, said), split_id(id)[0]
        names = {**told, "project": self._project, "name": name, "path": path}
        return {
            **_row(kind, story.to or id, said, "location", names),
            "expected": said.answer(GONE[_what(story)], **names),
            "old": said.answer("location", **names),
            "gone": True,
        }


def _what(story: LatestChange) -> str:
    """What happened to an element, also when it happened to its file."""
    what = str(story.item["what"])
    return {"file renamed": "moved", "file removed": "removed"}.get(what, what)


def _moved(old: str, new: str, about: Mapping[str, Value], said: Phrases) -> Row:
    then = {"name": about["label"], "path": split_id(old)[0]}
    now = {**then, "path": split_id(new)[0]}
    return {
        **_row("moved", new, said, "location", now),
        "expected": said.answer("location", **now),
        "old": said.answer("location", **then),
        "gone": False,
    }


def _changed(
    id: str, about: Mapping[str, Value], signatures: list[str], said: Phrases
) -> Row | None:
    if about["kind"] == "class":
        return None
    names = {"name": about["label"], "path": split_id(id)[0]}
    fence = about.get("fence", "")
    codes = [said.words["code"].format(fence=fence, code=text) for text in signatures]
    old, new = (said.answer("signature", **names, code=code) for code in codes)
    return {
        **_row("changed", id, said, "signature", names),
        "expected": new,
        "old": old,
        "gone": False,
    }


def _row(
    kind: str, element: str, said: Phrases, asked: str, names: Mapping[str, str]
) -> Row:
    question = said.kinds[asked].held_out.format_map(names)
    return {
        "kind": kind,
        "element": element,
        "language": said.language,
        "question": question,
    }


def _is_private(id: str) -> bool:
    """Methods with a meaning to Python: one of many with their name."""
    return split_id(id)[1].rpartition(".")[2].startswith("__")


def _luck(key: str) -> bytes:
    return blake2b(key.encode("utf-8", "replace"), digest_size=8).digest()
