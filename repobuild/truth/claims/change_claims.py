"""Claims about changes: a commit did this to that element.

Held against the commit's own two trees and the tree of now. A change may be told of an
element that moved since: then the definition is looked for by its name in the files
that the commit changed.

    changed         old and new signature, parameters, defaults, first lines of the
                    docstrings, lines that went and came are those of the two versions
    added           the element is in the file after the commit, not before
    removed         before, not after, and not now
    moved, renamed  here before, not here now, there now
    came            there before, here now
    absent          some file had it before the commit and not after, none has it now
    former          the same, and the other one is there now
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from repobuild.truth.answer_template import AnswerTemplates, Fields
from repobuild.truth.claims.list_claims import names, shown
from repobuild.truth.claims.prose_match import collapsed
from repobuild.truth.claims.signature_claims import same_head
from repobuild.truth.tree.file_version import Commit, FileVersion, every, versions
from repobuild.truth.tree.python_reader import PythonDefinition, PythonFile, same
from repobuild.truth.tree.tree_index import TreeIndex

_LONGEST_DOC = 160
_LONGEST_SUBJECT = 100
Found = tuple[str, str, str]  # claim, what is said, what the tree says


Past = Callable[[str], Commit | None]  # by its id


@dataclass(frozen=True, slots=True)
class ChangeSubject:
    """A sample about a change while its claims are checked."""

    kind: str
    fields: Fields
    frames: AnswerTemplates
    index: TreeIndex
    commit: Commit | None

    def said(self, field: str) -> str:
        return self.fields.get((self.kind, field), "")

    @property
    def place(self) -> tuple[str, str]:
        return self.said("path"), self.said("name")

    @property
    def other(self) -> tuple[str, str]:
        return self.said("other_path"), self.said("other")


def checked(about: ChangeSubject) -> Iterator[Found]:
    """Every claim of the sample."""
    commit = about.commit
    yield "commit", "", "" if commit else "there is no such commit"
    if commit is None:
        return
    yield "subject", about.said("subject"), _subject(about, commit)
    if said := about.said("kind"):
        yield "kind", said, _kind(about, said)
    yield about.kind, " ".join(about.place), _CHECKS[about.kind](about, commit)
    if about.kind == "changed":
        yield from _difference(about, commit)


def _subject(about: ChangeSubject, commit: Commit) -> str:
    known = commit.subject.strip()[:_LONGEST_SUBJECT].replace("`", "'")
    known = known or about.frames.words["no_subject"]
    same_words = collapsed(about.said("subject")) == collapsed(known)
    return "" if same_words else f"it is {known}"


def _kind(about: ChangeSubject, said: str) -> str:
    path, name = about.place
    words, face = about.frames.words, about.index.faces.get(path)
    known = (
        {words.get(m.kind, "") for q, m in face.marks.items() if q == name}
        if (face)
        else set()
    )
    return "" if not known or said in known else f"it is a {'or '.join(known)}"


def is_now(about: ChangeSubject, path: str, name: str) -> bool:
    """Whether an element is in the tree of now."""
    face = about.index.faces.get(path)
    if face is None:
        return False
    if face.problem or not face.marks:
        return name.rpartition(".")[2] in face.text
    return any(shown(qual) == name for qual in face.marks)


def _in(text: str | None, name: str) -> bool:
    """Whether a version of a file has an element."""
    if text is None:
        return False
    try:
        return any(shown(q) == name for q in PythonFile(text).definitions)
    except (SyntaxError, ValueError):
        return name.rpartition(".")[2] in text


def _added(about: ChangeSubject, commit: Commit) -> str:
    if not is_now(about, *about.place):
        return "it is not there now"
    sides = [
        (_in(commit.before(old) if old else None, about.place[1]),
         _in(commit.after(new) if new else None, about.place[1]))
        for old, new in commit.paths
    ]  # fmt: skip
    return "" if (False, True) in sides else "the commit did not add it"


def _removed(about: ChangeSubject, commit: Commit) -> str:
    path, name = about.place
    if is_now(about, path, name):
        return "it is there now"
    gone = _in(commit.before(path), name) and not _in(commit.after(path), name)
    return "" if gone else "the commit did not remove it"


def _went(about: ChangeSubject, commit: Commit) -> str:
    """It was here, and is there now."""
    if is_now(about, *about.place):
        return "it is there now"
    if not is_now(about, *about.other):
        return f"there is no {'::'.join(about.other)}"
    path, name = about.place
    return "" if _in(commit.before(path), name) else "it was not there before"


def _came(about: ChangeSubject, commit: Commit) -> str:
    if not is_now(about, *about.place):
        return "it is not there now"
    path, name = about.other
    was = _in(commit.before(path), name)
    return "" if was else "it was not there before the commit"


def _removed_file(about: ChangeSubject, commit: Commit) -> str:
    path = about.said("name")
    if path in about.index.paths:
        return "it is there now"
    gone = commit.before(path) is not None and commit.after(path) is None
    return "" if gone else "the commit did not remove it"


def _renamed_file(about: ChangeSubject, commit: Commit) -> str:
    old, new = about.said("name"), about.said("other_path")
    if new not in about.index.paths or old in about.index.paths:
        return "it is not so now"
    was = commit.before(old) is not None and commit.after(old) is None
    came = commit.before(new) is None  # it may have been renamed again since
    return "" if was and came else "the commit did not rename it"


def _changed(about: ChangeSubject, commit: Commit) -> str:
    if not is_now(about, *about.place):
        return "it is not there now"
    return "" if versions(commit, *about.place) else "the commit did not change it"


def _has(definitions: Iterable[str], name: str) -> bool:
    """Whether something is called so: by its bare or its qualified name."""
    return any(f".{shown(qual)}".endswith(f".{name}") for qual in definitions)


def _absent(about: ChangeSubject, commit: Commit) -> str:
    name = about.said("name")
    if now := about.index.named(name):
        return f"it is in {min(now)[0]} now"
    sides = [
        (_names(commit.before(a)), _names(commit.after(b))) for a, b in commit.paths
    ]
    gone = any(_has(old, name) and not _has(new, name) for old, new in sides)
    return "" if gone else "the commit did not take it out of any file"


def _names(text: str | None) -> list[str]:
    try:
        return list(PythonFile(text).definitions) if text is not None else []
    except (SyntaxError, ValueError):
        return []


def _former(about: ChangeSubject, commit: Commit) -> str:
    if not is_now(about, *about.other):
        return f"there is no {'::'.join(about.other)}"
    return _absent(about, commit)


_CHECKS: Mapping[str, Callable[[ChangeSubject, Commit], str]] = {
    "changed": _changed,
    "added": _added,
    "removed": _removed,
    "moved": _went,
    "renamed": _went,
    "came": _came,
    "absent": _absent,
    "former": _former,
    "removed_file": _removed_file,
    "renamed_file": _renamed_file,
}


def _difference(about: ChangeSubject, commit: Commit) -> Iterator[Found]:
    """What differs, in the parts of an answer; one pair of versions has them all."""
    read: list[list[Found]] = []
    for pairs in (versions(commit, *about.place), every(commit)):
        read += [list(_parts(about, old, new)) for old, new in pairs]
        holding = [found for found in read if not any(tree for _, _, tree in found)]
        if holding:
            read = holding
            break
    yield from read[0] if read else ()


def _parts(about: ChangeSubject, old: FileVersion, new: FileVersion) -> Iterator[Found]:
    fields = about.fields
    was, now = old.found, new.found
    for side, version in (("old", was), ("new", now)):
        if said := fields.get(("change_signature", side)):
            text = said.strip("`\n")
            yield f"{side} signature", text, same_head(text, version)
    for part, here, there in (
        ("change_added", now, was), ("change_removed", was, now),
    ):  # fmt: skip
        if said := fields.get((part, "items")):
            yield part, said, _parameters(about, said, here, there)
    for text in filter(None, fields.get(("", "defaults"), "").split("\n\n")):
        yield "change_default", text, _default(about, "\n\n" + text, was, now)
    for side, version in (("old", was), ("new", now)):
        if said := fields.get(("change_summary", side)):
            yield f"{side} description", said, _doc(about, said, version)
    if ("change_doc", "said") in fields:
        yield "change_doc", "edited", "" if was.doc != now.doc else "it is the same"
    if ("change_no_doc", "said") in fields:
        gone = was.doc and not now.doc
        yield "change_no_doc", "taken out", "" if gone else "it was not taken out"
    if ("change_lines", "went") in fields:
        went, came = (fields["change_lines", s] for s in ("went", "came"))
        yield "change_lines", f"{went}, {came}", _counts(went, came, old, new)
    if said := fields.get(("change_body", "code")):
        yield "change_body", said, _lines(said, old, new)


def _parameters(
    about: ChangeSubject, said: str, here: PythonDefinition, there: PythonDefinition
) -> str:
    known = [p.name for p in here.parameters()]
    other = {p.name for p in there.parameters()}
    wanted = [name for name in known if name not in other]
    told = [named.name for named in names(said, about.frames) or ()]
    return "" if told == wanted else f"they are {', '.join(wanted)}"


def _default(
    about: ChangeSubject, text: str, was: PythonDefinition, now: PythonDefinition
) -> str:
    read = about.frames.part(("change_default",), text)
    if not read:
        return "it cannot be read"
    name, none = read[0]["change_default", "name"], about.frames.words["none"]
    for side, version in (("old", was), ("new", now)):
        said = read[0]["change_default", side]
        found = next((p for p in version.parameters() if p.name == name), None)
        if found is None:
            return f"there was no `{name}`"
        none_said = said == none and found.default is None
        if not none_said and not same(said[1:-1], found.default):
            return f"the {side} default of `{name}` is another"
    return ""


def _doc(about: ChangeSubject, said: str, version: PythonDefinition) -> str:
    first = version.doc.strip().partition("\n")[0][:_LONGEST_DOC]
    known = first or about.frames.words["none"]
    return "" if collapsed(said) == collapsed(known) else f"it begins: {first!r}"


def _counts(went: str, came: str, old: FileVersion, new: FileVersion) -> str:
    """So many lines went and came as make the one version of the other."""
    before, after = Counter(old.lines()), Counter(new.lines())
    least = (before - after).total(), (after - before).total()
    numbers = int(went), int(came)
    changed = numbers[0] - numbers[1] == before.total() - after.total()
    enough = all(n >= least_ for n, least_ in zip(numbers, least, strict=True))
    if changed and enough and numbers[0] <= before.total():
        return ""
    return f"at least {least[0]} went and {least[1]} came"


def _lines(said: str, old: FileVersion, new: FileVersion) -> str:
    """The lines that went are the old version's, those that came the new one's."""
    went: Counter[str] = Counter()
    came: Counter[str] = Counter()
    for line in said.split("\n"):
        if line[:2] not in ("- ", "+ "):
            return f"{line!r} neither went nor came"
        (went if line[0] == "-" else came)[line[2:].strip()] += 1
    before, after = Counter(old.lines(True)), Counter(new.lines(True))
    for line in {*went, *came, *old.lines(), *new.lines()}:
        if went[line] - came[line] != before[line] - after[line]:
            return f"{line!r}: {before[line]} before, {after[line]} after"
    odd = [line for line in {*went, *came} if not before[line] + after[line]]
    return f"{odd[0]!r} stands in neither" if odd else ""
