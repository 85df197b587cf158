"""Claims that the sample's own file proves: where it is, what it says, what is in it.

A check returns "" when the claim holds, else what the tree says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from repobuild.truth.claims.list_claims import ParsedList, listing, names, without_more
from repobuild.truth.claims.prose_match import begins, stands
from repobuild.truth.subject import Subject
from repobuild.truth.tree.python_reader import PythonDefinition

Check = Callable[[Subject, str], str]


def name(about: Subject, said: str) -> str:
    """One of the element's names; a short one must be its alone in the repository."""
    dotted = f"{_module(about.path)}.{about.shown}"
    if said not in (about.name, about.shown, dotted):
        return f"it is called `{about.shown}`"
    gone = _missing(about)
    return gone if gone or said == dotted else about.later("unambiguous", said)


def short_name(about: Subject, said: str) -> str:
    """The bare name of a method; the file must have no other of that name."""
    if said != about.name or not about.definition or not about.file.python:
        return f"it is called `{about.name}`"
    quals = about.file.python.definitions.values()
    found = [d.qual for d in quals if (d.kind, d.name) == ("method", said)]
    return "" if len(found) == 1 else f"the file has {', '.join(found)}"


def own_name(about: Subject, said: str) -> str:
    return "" if said == about.name else f"it is called `{about.name}`"


def kind(about: Subject, said: str) -> str:
    words = about.frames.words
    found = _kind(about)
    return "" if said == words.get(found, found) else f"it is a {found}"


def path(about: Subject, said: str) -> str:
    if said != about.path:
        return f"it is in {about.path}"
    return about.later("path", said) or _missing(about)


def container(about: Subject, said: str) -> str:
    found, python = about.definition, about.file.python
    if found is None or python is None:
        return _missing(about) or _textual(about, said)
    holder = python.definitions.get(found.parent)
    if holder is None or said != about.shown.rpartition(".")[0]:
        return f"it is in `{found.parent}`"
    return "" if holder.kind == "class" else f"`{found.parent}` is no class"


def quoted_container(about: Subject, said: str) -> str:
    return container(about, said.strip("`")) if said[:1] == "`" else "it is no name"


def language(about: Subject, said: str) -> str:
    return "" if said == about.file.language else f"it is {about.file.language}"


def mark(about: Subject, said: str) -> str:
    return "" if said == "`<...>`" else "the mark is `<...>`"


def first_line(about: Subject, said: str) -> str:
    if about.file.python:
        return _line(about.definition, said, "start")
    return _text_line(about, said)


def last_line(about: Subject, said: str) -> str:
    if about.file.python:
        return _line(about.definition, said, "end")
    lines = about.file.text.count("\n") + 1
    return "" if said.isdigit() and int(said) <= lines else f"it has {lines} lines"


def summary(about: Subject, said: str) -> str:
    if about.definition:
        return _begins(said, about.definition.doc)
    if about.file.python:
        return _missing(about) or _begins(said, about.file.python.doc)
    if about.file.document:
        return _in_text(said, about.file.document.text)
    return _in_text(said, _MARKS.sub("", about.file.text))


def container_summary(about: Subject, said: str) -> str:
    found, python = about.definition, about.file.python
    holder = python.definitions.get(found.parent) if python and found else None
    if holder is None:
        return _in_text(said, _MARKS.sub("", about.file.text))
    return _begins(said, holder.doc)


def module_summary(about: Subject, said: str) -> str:
    if about.file.python:
        return _begins(said, about.file.python.doc)
    return _in_text(said, _MARKS.sub("", about.file.text))


def section(about: Subject, said: str) -> str:
    document = about.file.document
    found = document.sections.get(about.qual) if document else None
    if found is None:
        return "there is no such section"
    return "" if said == found.title else f'it is called "{found.title}"'


def passage(about: Subject, said: str) -> str:
    document = about.file.document
    found = document.sections.get(about.qual) if document else None
    return _in_text(said, found.text if found else "")


def sections(about: Subject, said: str) -> str:
    """The first titles of the document, in their order."""
    text, more = without_more(said, about.frames)
    told = [s for s in _told_sections(about)]
    join = about.frames.words["join"]
    count = next(
        (n for n in range(1, len(told) + 1) if text == _quoted(told[:n], join)), 0
    )
    if not count:
        return f"its sections are {_quoted(told[:8], join)}"
    return _complete(count, len(told), more)


def contents(about: Subject, said: str) -> str:
    """What stands at the top of the file; complete, or said not to be."""
    found = listing(said, about.frames, about.path, about.sample["sources"])
    if isinstance(found, str):
        return found
    wrong = [id for id in found.ids if id.partition("::")[0] != about.path]
    if wrong:
        return f"{wrong[0]} is in another file"
    if about.file.python is None and about.file.document is None:
        return _all_named(about, found)
    known = {f"{about.path}::{qual}" for qual in _top(about)}
    foreign = [id for id in found.ids if id not in known]
    if foreign:
        return f"{foreign[0]} does not stand at its top"
    return _complete(len(found.ids), len(known), found.more)


def methods(about: Subject, said: str) -> str:
    """The methods of a class; complete, or said not to be."""
    text, more = without_more(said, about.frames)
    read = names(text, about.frames) or []
    found = [named.name for named in read]
    if not found or any(named.path for named in read):
        return "it cannot be read as a list of names"
    if about.file.python is None:
        return next(filter(None, (_textual(about, one) for one in found)), "")
    known = [d.name for d in _told(about, about.qual) if d.kind == "method"]
    foreign = [one for one in found if one not in known]
    if foreign or len(set(found)) < len(found):
        return f"its methods are {', '.join(known)}"
    # An answer about a way to extend a class quotes the same bounded list.
    hidden = more or about.kind == "extend"
    return "" if hidden else _complete(len(found), len(known), more)


def methods_with_lines(about: Subject, said: str) -> str:
    """Methods of a class, each with its first and its last line."""
    if about.file.python is None:
        return ""
    known = {d.name: d for d in about.file.python.children(about.qual)}
    known |= about.file.python.effective(about.qual)
    for item in said.split(about.frames.words["join"]):
        fields = next(iter(about.frames.part(("lines_of",), item)), {})
        found = known.get(fields.get(("lines_of", "name"), ""))
        if found is None:
            return f"{item} is none of its methods"
        start, end = (fields["lines_of", side] for side in ("start", "end"))
        if (start, end) != (str(found.start), str(found.end)):
            return f"{found.name} is in lines {found.start}-{found.end}"
    return ""


def called_line(about: Subject, line: str, code: str) -> str:
    """A line of the definition, as it stands there."""
    found, lines = about.definition, about.file.text.split("\n")
    number = int(line) if line.isdigit() else 0
    said = code[3:-3] if code.startswith("`` ") else code[1:-1]
    if not 0 < number <= len(lines) or lines[number - 1].strip() != said:
        return "that line reads otherwise"
    inside = found is None or found.first <= number <= found.end
    return "" if inside else "that line is not in the definition"


_MARKS = re.compile(
    r"^[ \t]*(?:/\*+!?|\*+/|//+[!/]?|#+|--+|;+|\*)[ \t]?|\*+/\s*$", re.M
)


def _module(path: str) -> str:
    """The dotted name of a file, as it is imported from the top or from `src`."""
    stem = path[: path.rfind(".")] if "." in path.rpartition("/")[2] else path
    parts = stem.split("/")
    parts = parts[1:] if parts[0] == "src" and len(parts) > 1 else parts
    parts = parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts
    return ".".join(parts)


def _missing(about: Subject) -> str:
    """What is wrong when the element is not there."""
    if about.file.python:
        gone = about.qual and about.definition is None
        return f"{about.path} defines no `{about.qual}`" if gone else ""
    if about.file.document:
        gone = about.qual and about.qual not in about.file.document.sections
        return f"{about.path} has no section `{about.qual}`" if gone else ""
    return _textual(about, about.name) if about.qual else ""


def _textual(about: Subject, word: str) -> str:
    last = word.rpartition(".")[2]
    found = re.search(rf"(?<!\w){re.escape(last)}(?!\w)", about.file.text)
    return "" if found else f"`{last}` stands nowhere in {about.path}"


def _kind(about: Subject) -> str:
    if about.definition:
        return about.definition.kind
    if not about.qual:
        return "document" if about.file.document else "module"
    return "section" if about.file.document else str(about.sample.get("kind", ""))


def _line(found: PythonDefinition | None, said: str, side: str) -> str:
    if found is None:
        return "there is no such definition"
    line = str(found.start if side == "start" else found.end)
    return "" if said == line else f"that is line {line}"


def _text_line(about: Subject, said: str) -> str:
    """Without a parser: the name stands in that line or in one right after it."""
    lines = about.file.text.split("\n")
    place = int(said) - 1 if said.isdigit() else len(lines)
    near = "\n".join(lines[place : place + 3])
    found = re.search(rf"(?<!\w){re.escape(about.name)}(?!\w)", near)
    return "" if found else f"`{about.name}` is not there"


def _begins(said: str, doc: str) -> str:
    return "" if begins(said, doc) else f"its docstring begins: {doc[:80]!r}"


def _in_text(said: str, text: str) -> str:
    found = stands(said, text, r"(?:^|(?<=\n))[ \t]*")
    return "" if found else f"no paragraph of {len(text)} characters begins like that"


def _told(about: Subject, parent: str) -> list[PythonDefinition]:
    """Definitions that lists name: one of each name, and of the dunders those that say
    what they do."""
    python = about.file.python
    found = python.effective(parent).values() if python else ()
    return [d for d in found if not _is_plain_dunder(d)]


def _is_plain_dunder(one: PythonDefinition) -> bool:
    dunder = one.name.startswith("__") and one.name.endswith("__")
    return dunder and one.name != "__init__" and not one.doc


def _top(about: Subject) -> list[str]:
    if about.file.python:
        return [d.qual for d in _told(about, "")]
    return [qual for qual, _ in _told_titles(about)]


def _told_titles(about: Subject) -> list[tuple[str, str]]:
    """(qualified name, title) of the sections; one of each name."""
    document = about.file.document
    found = document.sections.values() if document else ()
    return [(s.qual, s.title) for s in found if "#" not in s.qual]


def _told_sections(about: Subject) -> list[str]:
    return [title for _, title in _told_titles(about)]


def _quoted(titles: list[str], join: str) -> str:
    return join.join(f'"{title}"' for title in titles)


def _all_named(about: Subject, found: ParsedList) -> str:
    words = [id.partition("::")[2] for id in found.ids]
    return next(filter(None, (_textual(about, word) for word in words)), "")


def _complete(told: int, known: int, more: bool) -> str:
    """Whether a list that claims to be all, or not to be all, does so rightly."""
    if more == (told < known):
        return ""
    return f"{told} are told, there are {known}"


OWN: Mapping[str, Check] = {
    "name": name,
    "own name": own_name,
    "short name": short_name,
    "kind": kind,
    "path": path,
    "container": container,
    "quoted container": quoted_container,
    "language": language,
    "mark": mark,
    "first line": first_line,
    "last line": last_line,
    "summary": summary,
    "container summary": container_summary,
    "module summary": module_summary,
    "section": section,
    "passage": passage,
    "sections": sections,
    "contents": contents,
    "methods": methods,
    "methods with lines": methods_with_lines,
}
