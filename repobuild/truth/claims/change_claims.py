"""Check samples about commits: a commit did this to that element.

Evidence is the commit's own two trees, and the tree that the samples were made from
("now"). An element may have moved since the commit: its definition is then looked for
by name in all files that the commit changed.

    changed         old and new signature, parameters, defaults, first docstring lines,
                    and removed and added lines are those of the two versions
    added           the element is in the file after the commit, not before
    removed         in the file before the commit, not after, and not now
    moved, renamed  here before the commit, not here now, there now
    came            there before the commit, here now
    absent          some file had it before the commit and not after, none has it now
    former          as absent, and the other element is there now
    removed_file    there before the commit, not after, and not now
    renamed_file    the old path before the commit, the new path now
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from repobuild.truth.answer_template import AnswerTemplates, Fields
from repobuild.truth.claims.list_claims import parse_names
from repobuild.truth.claims.prose_match import collapsed
from repobuild.truth.claims.signature_claims import check_head
from repobuild.truth.subject import CheckedClaim
from repobuild.truth.tree.file_version import (
    Commit,
    FileVersion,
    VersionPair,
    all_version_pairs,
    version_pairs,
)
from repobuild.truth.tree.python_reader import (
    PythonDefinition,
    display_name,
    is_same_expression,
    parse_python,
)
from repobuild.truth.tree.tree_index import Location, TreeIndex

_LONGEST_DOC = 160  # characters of a docstring's first line
_FENCE_LINE = re.compile(r"^```\w*$", re.M)
_LONGEST_SUBJECT = 100  # characters of a commit's subject

FindCommit = Callable[[str], Commit | None]  # by its id


@dataclass(frozen=True, slots=True)
class ChangeSubject:
    """A sample about a commit while its claims are checked."""

    kind: str
    fields: Fields
    templates: AnswerTemplates
    index: TreeIndex
    commit: Commit | None

    def field(self, name: str) -> str:
        """Return a field of the answer template, "" where it has none."""
        return self.fields.get((self.kind, name), "")

    @property
    def element(self) -> Location:
        return Location(self.field("path"), self.field("name"))

    @property
    def other(self) -> Location:
        """The element that it became or was before."""
        return Location(self.field("other_path"), self.field("other"))


def check_change(subject: ChangeSubject) -> Iterator[CheckedClaim]:
    """Yield every claim of the sample."""
    commit, kind = subject.commit, subject.kind
    actual = "" if commit else "there is no such commit"
    yield CheckedClaim("commit", "", actual)
    if commit is None:
        return
    claimed = subject.field("subject")
    yield CheckedClaim("subject", claimed, _check_subject(subject, commit))
    if claimed := subject.field("date"):
        actual = commit.date or subject.templates.words["no_date"]
        wrong = "" if claimed == actual else f"it is of {actual}"
        yield CheckedClaim("date", claimed, wrong)
    if claimed := subject.field("kind"):
        yield CheckedClaim("kind", claimed, _check_kind(subject, claimed))
    claimed = " ".join(subject.element)
    yield CheckedClaim(kind, claimed, _CHECKS[kind](subject, commit))
    if kind == "changed":
        yield from _difference_claims(subject, commit)


def _check_subject(subject: ChangeSubject, commit: Commit) -> str:
    actual = commit.subject.strip()[:_LONGEST_SUBJECT].replace("`", "'")
    actual = actual or subject.templates.words["no_subject"]
    same_words = collapsed(subject.field("subject")) == collapsed(actual)
    return "" if same_words else f"it is {actual}"


def _check_kind(subject: ChangeSubject, claimed: str) -> str:
    path, name = subject.element
    file = subject.index.files.get(path)
    definition = file.definitions.get(name) if file else None
    if definition is None:
        return ""
    actual = subject.templates.words.get(definition.kind, "")
    return "" if claimed == actual else f"it is a {actual}"


def _exists_now(subject: ChangeSubject, element: Location) -> bool:
    file = subject.index.files.get(element.path)
    if file is None:
        return False
    if file.is_text:
        return element.qual.rpartition(".")[2] in file.text
    return any(display_name(qual) == element.qual for qual in file.definitions)


def _is_gone(subject: ChangeSubject, element: Location) -> bool:
    """Return whether an element may be missing now: a text can still name it."""
    file = subject.index.files.get(element.path)
    return file is None or file.is_text or not _exists_now(subject, element)


def _defines(path: str, text: str | None, name: str) -> bool:
    """Return whether a version of a file defines an element, or as text names it."""
    if text is None:
        return False
    file = parse_python(path, text)
    if file is None:
        return name.rpartition(".")[2] in text
    return any(display_name(qual) == name for qual in file.definitions)


def _lacks(path: str, text: str | None, name: str) -> bool:
    """Return whether a version may lack an element: a text can name it all the same."""
    file = parse_python(path, text)
    return not _defines(path, text, name) or file is None


def _changed(subject: ChangeSubject, commit: Commit) -> str:
    if not _exists_now(subject, subject.element):
        return "it is not there now"
    if version_pairs(commit, *subject.element):
        return ""
    changed = _changed_texts(commit, subject.element.qual)
    return "" if changed else "the commit did not change it"


def _changed_texts(commit: Commit, name: str) -> list[tuple[str, str]]:
    """Return both texts of changed files that no parser reads and that have a name."""
    texts: list[tuple[str, str]] = []
    for old, new in commit.paths:
        before, after = commit.before(old) or "", commit.after(new) or ""
        is_read = parse_python(old, before) and parse_python(new, after)
        if not is_read and before != after:
            if _defines("", before, name) and _defines("", after, name):
                texts.append((before, after))
    return texts


def _added(subject: ChangeSubject, commit: Commit) -> str:
    name = subject.element.qual
    if not _exists_now(subject, subject.element):
        return "it is not there now"
    for old, new in commit.paths:
        before, after = commit.before(old), commit.after(new)
        if before == after:
            continue
        if _defines(new, after, name) and _lacks(old, before, name):
            return ""
    return "the commit did not add it"


def _removed(subject: ChangeSubject, commit: Commit) -> str:
    path, name = subject.element
    if not _is_gone(subject, subject.element):
        return "it is there now"
    before = _defines(path, commit.before(path), name)
    gone = before and _lacks(path, commit.after(path), name)
    return "" if gone else "the commit did not remove it"


def _moved(subject: ChangeSubject, commit: Commit) -> str:
    path, name = subject.element
    if not _is_gone(subject, subject.element):
        return "it is there now"
    if not _exists_now(subject, subject.other):
        return f"there is no {'::'.join(subject.other)}"
    existed = _defines(path, commit.before(path), name)
    return "" if existed else "it was not there before"


def _came(subject: ChangeSubject, commit: Commit) -> str:
    if not _exists_now(subject, subject.element):
        return "it is not there now"
    path, name = subject.other
    existed = _defines(path, commit.before(path), name)
    return "" if existed else "it was not there before the commit"


def _absent(subject: ChangeSubject, commit: Commit) -> str:
    name = subject.field("name")
    if now := subject.index.named(name):
        return f"it is in {min(now).path} now"
    for old, new in commit.paths:
        before, after = commit.before(old), commit.after(new)
        had, has = (_has_name(p, t, name) for p, t in ((old, before), (new, after)))
        is_text = after is not None and parse_python(new, after) is None
        if had and before != after and (is_text or not has):
            return ""
    return "the commit did not remove it from any file"


def _has_name(path: str, text: str | None, name: str) -> bool:
    """Return whether a version defines a bare or qualified name, or as text has it."""
    if text is None:
        return False
    file = parse_python(path, text)
    if file is None:
        return name.rpartition(".")[2] in text
    quals = map(display_name, file.definitions)
    return any(f".{qual}".endswith(f".{name}") for qual in quals)


def _former(subject: ChangeSubject, commit: Commit) -> str:
    if not _exists_now(subject, subject.other):
        return f"there is no {'::'.join(subject.other)}"
    return _absent(subject, commit)


def _removed_file(subject: ChangeSubject, commit: Commit) -> str:
    path = subject.field("name")
    if path in subject.index.paths:
        return "it is there now"
    gone = commit.before(path) is not None and commit.after(path) is None
    return "" if gone else "the commit did not remove it"


def _renamed_file(subject: ChangeSubject, commit: Commit) -> str:
    old, new = subject.field("name"), subject.field("other_path")
    if new not in subject.index.paths or old in subject.index.paths:
        return "the tree has the old path, or lacks the new one"
    gone = commit.before(old) is not None and commit.after(old) is None
    # The new path may be missing after the commit: renamed again since.
    return "" if gone and commit.before(new) is None else "the commit did not rename it"


_CHECKS: Mapping[str, Callable[[ChangeSubject, Commit], str]] = {
    "changed": _changed,
    "added": _added,
    "removed": _removed,
    "moved": _moved,
    "renamed": _moved,
    "came": _came,
    "absent": _absent,
    "former": _former,
    "removed_file": _removed_file,
    "renamed_file": _renamed_file,
}


def _difference_claims(
    subject: ChangeSubject, commit: Commit
) -> Iterator[CheckedClaim]:
    """Yield the claims about what differs, from a pair of versions for which all hold.

    Where no pair fits, the first pair's claims are yielded, some of them wrong.
    """
    first: list[CheckedClaim] | None = None
    pairs = chain(version_pairs(commit, *subject.element), all_version_pairs(commit))
    for pair in pairs:
        claims = list(_pair_claims(subject, pair))
        if not any(claim.actual for claim in claims):
            yield from claims
            return
        if first is None:
            first = claims
    if first is None:
        yield from _text_claims(subject, commit)
    yield from first or ()


def _text_claims(subject: ChangeSubject, commit: Commit) -> Iterator[CheckedClaim]:
    """Yield, for files that no parser reads, the claims that their texts can prove."""
    texts = _changed_texts(commit, subject.element.qual)
    bare = ["".join("\n".join(side).split()) for side in zip(*texts, strict=True)]
    for side, text in zip(("old", "new"), bare, strict=False):
        if claimed := subject.fields.get(("change_signature", side)):
            code = _FENCE_LINE.sub("", claimed).strip("`\n")
            actual = "" if "".join(code.split()) in text else "it does not occur there"
            yield CheckedClaim(f"{side} signature", code, actual)
    if claimed := subject.fields.get(("change_body", "code")):
        actual = ""
        for line in claimed.split("\n"):
            text = bare[line[:1] == "+"] if line[:2] in ("- ", "+ ") and bare else ""
            if "".join(line[2:].split()) not in text:
                actual = f"{line!r} does not occur there"
        yield CheckedClaim("change_body", claimed, actual)


def _pair_claims(subject: ChangeSubject, pair: VersionPair) -> Iterator[CheckedClaim]:
    fields = subject.fields
    old, new = pair.old.definition, pair.new.definition
    sides = (("old", old), ("new", new))
    for side, version in sides:
        if claimed := fields.get(("change_signature", side)):
            text = claimed.strip("`\n")
            yield CheckedClaim(f"{side} signature", text, check_head(text, version))
    for part, here, there in (
        ("change_added", new, old), ("change_removed", old, new),
    ):  # fmt: skip
        if claimed := fields.get((part, "items")):
            actual = _check_parameters(subject, claimed, here, there)
            yield CheckedClaim(part, claimed, actual)
    for text in filter(None, fields.get(("", "defaults"), "").split("\n\n")):
        actual = _check_default(subject, "\n\n" + text, old, new)
        yield CheckedClaim("change_default", text, actual)
    for side, version in sides:
        if claimed := fields.get(("change_summary", side)):
            actual = _check_doc(subject, claimed, version)
            yield CheckedClaim(f"{side} description", claimed, actual)
    if claimed := fields.get(("change_documented", "new")):
        actual = "it had a docstring" if old.doc else _check_doc(subject, claimed, new)
        yield CheckedClaim("new description", claimed, actual)
    if ("change_doc", "said") in fields:
        actual = "" if old.doc != new.doc else "the docstring is the same"
        yield CheckedClaim("change_doc", "edited", actual)
    if ("change_no_doc", "said") in fields:
        actual = "" if old.doc and not new.doc else "it was not removed"
        yield CheckedClaim("change_no_doc", "taken out", actual)
    if ("change_lines", "went") in fields:
        removed, added = (fields["change_lines", side] for side in ("went", "came"))
        actual = _check_line_counts(int(removed), int(added), pair)
        yield CheckedClaim("change_lines", f"{removed}, {added}", actual)
    if claimed := fields.get(("change_body", "code")):
        actual = _check_diff(claimed, pair.old, pair.new)
        yield CheckedClaim("change_body", claimed, actual)


def _check_parameters(
    subject: ChangeSubject,
    claimed: str,
    here: PythonDefinition,
    there: PythonDefinition,
) -> str:
    """Check that a list names the parameters of one version that the other lacks."""
    other = {p.name for p in there.parameters()}
    actual = [p.name for p in here.parameters() if p.name not in other]
    listed = [one.name for one in parse_names(claimed, subject.templates) or ()]
    return "" if listed == actual else f"they are {', '.join(actual)}"


def _check_default(
    subject: ChangeSubject, text: str, old: PythonDefinition, new: PythonDefinition
) -> str:
    readings = subject.templates.match_parts(("change_default",), text)
    if not readings:
        return "it cannot be read"
    fields, none = readings[0], subject.templates.words["none"]
    name = fields["change_default", "name"]
    for side, version in (("old", old), ("new", new)):
        claimed = fields["change_default", side]
        parameter = next((p for p in version.parameters() if p.name == name), None)
        if parameter is None:
            return f"there was no `{name}`"
        both_none = claimed == none and parameter.default is None
        if not both_none and not is_same_expression(claimed[1:-1], parameter.default):
            return f"the {side} default of `{name}` is another"
    return ""


def _check_doc(subject: ChangeSubject, claimed: str, version: PythonDefinition) -> str:
    first = version.doc.strip().partition("\n")[0][:_LONGEST_DOC]
    actual = first or subject.templates.words["none"]
    same_words = collapsed(claimed) == collapsed(actual)
    return "" if same_words else f"it begins: {first!r}"


def _check_line_counts(removed: int, added: int, pair: VersionPair) -> str:
    """Check that this many removed and added lines can turn one version into the other.

    A diff may remove and add more lines than necessary, so the numbers may be larger
    than the minimum as long as their difference is right.
    """
    before, after = Counter(pair.old.lines()), Counter(pair.new.lines())
    least_removed = (before - after).total()
    least_added = (after - before).total()
    if (
        removed - added == before.total() - after.total()
        and least_removed <= removed <= before.total()
        and least_added <= added
    ):
        return ""
    return f"at least {least_removed} are removed and {least_added} added"


def _check_diff(claimed: str, old: FileVersion, new: FileVersion) -> str:
    """Check that "- " lines are the old version's, and "+ " lines the new one's."""
    removed: Counter[str] = Counter()
    added: Counter[str] = Counter()
    for line in claimed.split("\n"):
        if line[:2] not in ("- ", "+ "):
            return f"{line!r} is neither removed nor added"
        (removed if line[0] == "-" else added)[line[2:].strip()] += 1
    before = Counter(old.lines(with_head=True))
    after = Counter(new.lines(with_head=True))
    for line in {*removed, *added, *old.lines(), *new.lines()}:
        if removed[line] - added[line] != before[line] - after[line]:
            return f"{line!r}: {before[line]} before, {after[line]} after"
    for line in {*removed, *added}:
        if not before[line] + after[line]:
            return f"{line!r} occurs in neither"
    return ""
