"""Make the `old_answers` table: questions whose answer changed some commits ago.

    key   the id that the question is about: it is gone, or it changed
    row   {"kind": "moved|removed|changed", "element": id, "question": str,
           "expected": str, "old": str, "gone": bool, "language": str}

`expected` is true now, `old` was trained before. The report asks these questions of
every model: an answer that states what only `old` states still holds the old fact.

    moved     to another file: asks where it is, by its present name or, when that name
              differs, by the old one. Renamed in its file, or moved out of its class:
              asks which element its description describes, because the old location
              is still right
    removed   asks where it is, by its old name
    changed   asks what to pass to it; only where the signature changed

`gone` says that the question uses a name that no element has any more. The true answer
then mentions the old location, too: what counts is whether an answer gives it as the
present one.

The questions are the held-out phrasings of samples about location and signature, so
none of them is ever trained. No question is asked about held-out elements, tests,
classes that changed, the elements of a removed file, and names that another element has
now. A renamed file is represented by `OF_A_FILE` of its elements.

Every run computes all rows again: at most `MOST` of a kind, drawn by the hash of their
key. They are a pure function of four tables, whatever was built before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from zlib import crc32

from repobuild.code.graph.graph import elements_of, split_id
from repobuild.code.scan.file_roles import is_test
from repobuild.engine.contract import Value, View
from repobuild.samples.changes.change_samples import GONE_KINDS, change_fields
from repobuild.samples.changes.history_scope import HistoryScope
from repobuild.samples.changes.latest_change import LatestChange, latest_changes
from repobuild.samples.contexts.display_names import NAMED_TYPES
from repobuild.samples.tasks.facts import with_id_fields
from repobuild.samples.tasks.location import SHORTEST_CLUE
from repobuild.samples.tasks.phrases import Phrases, load_phrases
from repobuild.samples.text.summary.purpose import lead

MOST = 60  # rows of a kind
OF_A_FILE = 3  # elements of a renamed file
KINDS = ("moved", "removed", "changed")
# What happened to an element, by what happened to its file.
_WITH_ITS_FILE = {"file renamed": "moved", "file removed": "removed"}

Row = dict[str, Value]


def old_answers(view: View) -> None:
    """Bring the questions up to date with the commits, the graph and the contexts."""
    rows = _draw_rows(view)
    for key, row in rows.items():
        view.own.put(key, row)
    if not view.full:
        for key in sorted(set(view.own.keys()) - rows.keys()):
            view.own.drop(key)


def _draw_rows(view: View) -> dict[str, Row]:
    """Return `MOST` rows of each kind, in the order of the hashes of their keys."""
    tables = (dict(view.table(name).items()) for name in ("commits", "changes"))
    sampler = OldAnswerSampler(HistoryScope.of(view), latest_changes(*tables))
    rows: dict[str, Row] = {}
    counts = dict.fromkeys(KINDS, 0)
    for key, change in sorted(sampler.changes(), key=lambda pair: _hash_of(pair[0])):
        kind = kind_of(change)
        if not kind or key in rows or counts[kind] >= MOST:
            continue
        if row := sampler.row(kind, key, change):
            rows[key] = row
            counts[kind] += 1
    return dict(sorted(rows.items()))


def kind_of(change: LatestChange) -> str:
    """Return the kind of question; "" for a change that makes no old answer wrong."""
    if change.is_gone:
        return "moved" if change.new_id else "removed"
    changed = change.item["what"] == "changed" and "signature" in change.item
    return "changed" if changed else ""


@dataclass(frozen=True, slots=True)
class OldAnswer:
    """A question, with the fields of its answer now and of that before."""

    kind: str  # one of KINDS
    element: str
    asked: str  # kind of the question file, of the question and of the old answer
    now: Mapping[str, str]
    then: Mapping[str, str]
    gone_kind: str = ""  # kind of the true answer when the question's name is gone

    def row(self, wording: Phrases) -> Row:
        return {
            "kind": self.kind,
            "element": self.element,
            "language": wording.language,
            "question": wording.kinds[self.asked].held_out.format_map(self.now),
            "expected": wording.answer(self.gone_kind or self.asked, **self.now),
            "old": wording.answer(self.asked, **self.then),
            "gone": bool(self.gone_kind),
        }


class OldAnswerSampler:
    """Makes the questions about one change at a time."""

    def __init__(self, scope: HistoryScope, latest: Mapping[str, LatestChange]) -> None:
        self._scope = scope
        self._latest = latest

    def changes(self) -> Iterator[tuple[str, LatestChange]]:
        """Yield the changes that are true; for a renamed file those of its elements."""
        for id, change in self._latest.items():
            if not self._scope.is_current(id, change):
                continue
            if "::" in id:
                yield id, change
            elif change.is_gone and change.new_id:
                yield from self._elements_of_renamed_file(id, change)

    def _elements_of_renamed_file(
        self, path: str, change: LatestChange
    ) -> Iterator[tuple[str, LatestChange]]:
        row = self._scope.graph.get(change.new_id)
        subs = [f"::{qual}" for qual, _ in elements_of(row)]
        for sub in sorted(subs, key=lambda sub: _hash_of(path + sub))[:OF_A_FILE]:
            yield path + sub, change._replace(new_id=change.new_id + sub)

    def row(self, kind: str, id: str, change: LatestChange) -> Row | None:
        """Return the question about a change, None where none can be asked."""
        now = change.new_id if change.is_gone else id
        is_held_out = self._scope.is_held_out
        if "#" in id + now or is_held_out(id) or (now and is_held_out(now)):
            return None
        context = self._code_context(now) if now else {}
        if context is None or _is_dunder(id) or is_test(split_id(id)[0]):
            return None
        languages = self._scope.languages
        wording = load_phrases(languages[crc32(id.encode()) % len(languages)])
        if kind == "changed":
            question = _changed_signature(context, change.item["signature"], wording)
        elif now and split_id(id)[1] == split_id(now)[1]:
            question = _moved_to_file(id, context)
        elif now and split_id(id)[0] == split_id(now)[0]:
            question = self._renamed_in_file(id, context, wording)
        else:
            question = self._gone(id, change, wording)
        return question.row(wording) if question else None

    def _code_context(self, id: str) -> Row | None:
        """Return the context of a code element, None for a test or anything else."""
        row = self._scope.contexts.get(id)
        if row is None or row["kind"] not in NAMED_TYPES or row.get("brief"):
            return None
        return with_id_fields({**row, "id": id})

    def _renamed_in_file(
        self, old: str, context: Row, wording: Phrases
    ) -> OldAnswer | None:
        """Ask by the description: a question by the old name would confirm it."""
        path, qual = split_id(old)
        label, summary = context["label"], lead(context.get("summary", ""))
        old_name = qual if "." in label else qual.rpartition(".")[2]
        is_ambiguous = context.get("shared") or context.get("repeated")
        is_ambiguous = is_ambiguous or old_name == label
        if len(summary) < SHORTEST_CLUE or is_ambiguous:
            return None
        now = {
            "kind": wording.words.get(context["kind"], context["kind"]),
            "summary": summary,
            "project": self._scope.project,
            "name": label,
            "path": path,
        }
        then = {**now, "name": old_name}
        return OldAnswer("moved", context["id"], "reverse", now, then)

    def _gone(
        self, id: str, change: LatestChange, wording: Phrases
    ) -> OldAnswer | None:
        """Ask by the old name, unless another element has it now."""
        name = self._scope.unused_name(id)
        if not name:
            return None
        fields = {
            **change_fields(change, wording),
            "project": self._scope.project,
            "name": name,
            "path": split_id(id)[0],
        }
        what = str(change.item["what"])
        return OldAnswer(
            kind_of(change),
            element=change.new_id or id,
            asked="location",
            now=fields,
            then=fields,
            gone_kind=GONE_KINDS[_WITH_ITS_FILE.get(what, what)],
        )


def _moved_to_file(old: str, context: Row) -> OldAnswer:
    name, path = context["label"], split_id(context["id"])[0]
    now = {"name": name, "path": path}
    then = {"name": name, "path": split_id(old)[0]}
    return OldAnswer("moved", context["id"], "location", now, then)


def _changed_signature(
    context: Row, signatures: list[str], wording: Phrases
) -> OldAnswer | None:
    if context["kind"] == "class":
        return None
    id, fence, code = context["id"], context.get("fence", ""), wording.words["code"]
    then, now = (
        {
            "name": context["label"],
            "path": split_id(id)[0],
            "code": code.format(fence=fence, code=signature),
        }
        for signature in signatures
    )
    return OldAnswer("changed", id, "signature", now, then)


def _is_dunder(id: str) -> bool:
    """Return whether it is a method like `__len__`: many elements share its name."""
    return split_id(id)[1].rpartition(".")[2].startswith("__")


def _hash_of(key: str) -> bytes:
    return blake2b(key.encode("utf-8", "replace"), digest_size=8).digest()
