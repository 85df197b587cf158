"""Make the `call_sites` table: the best call of each callee in each source file.

A row is a file: `{callee id: [score, code]}`, sorted by callee; see call_example.py for
the quotation. A call counts when the graph has a confident edge from the element to the
callee, and the element calls nothing else of the callee's name: neither another callee
of the project, nor what it reaches under another name (`pathlib.Path` beside
`fake.Path`). What a class does with itself shows nobody how it is used: calls of its
public methods from its own code do not count, nor do those of a public class from the
functions of its own file, which make it for their callers. The table has no index: the
graph's `in:calls ID` names the files.

The rows depend on the file's own text, facts and edges only, so an edit that leaves the
quoted calls as they are changes nothing beyond this table.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from repobuild.code.facts.element_row import ElementRow, name_of, row_of
from repobuild.code.graph.graph import PROJECT
from repobuild.code.graph.nodes import edge_key, split_id
from repobuild.code.scan.file_roles import is_test
from repobuild.code.scan.source_text import source_of
from repobuild.code.usage.call_example import CallExample, call_example
from repobuild.code.usage.explained_names import FileImport, FileNames, file_names
from repobuild.engine.contract import Value, View

_CONFIDENT = 0.5  # samples state no edge below
_TRIED = 3  # calls of one callee in one element


def call_sites(view: View) -> None:
    """Bring the rows of the changed files up to date."""
    changed = {*view.changes("facts"), *view.changes("graph")} - {PROJECT}
    for path, (old, new) in view.changes("files").items():
        if (old or {}).get("blob") != (new or {}).get("blob"):
            changed.add(path)
    for path in sorted(changed):
        row = _sites_of_file(view, path)
        if row:
            view.own.put(path, row)
        elif not view.full:
            view.own.drop(path)


def _sites_of_file(view: View, path: str) -> Value:
    """Return the best call of each callee of one file."""
    facts, edges = view.table("facts").get(path), view.table("graph").get(path)
    file = view.table("files").get(path)
    if not facts or not edges or not file:
        return {}
    callees = _callees_by_source(edges)
    if not callees:
        return {}
    try:
        source = source_of(view.blob(file["blob"]))[0]
    except KeyError:
        return {}
    lines = source.decode("utf-8", "replace").split("\n")
    names = _names_of_file(path, facts, lines)
    best: dict[str, CallExample] = {}
    for callee, name, line in _called_lines(path, facts, callees, lines):
        known = best.get(callee)
        found = call_example(lines, line - 1, name, names, known)
        if found and (known is None or found.rank < known.rank):
            best[callee] = found
    return {callee: [best[callee].score, best[callee].code] for callee in sorted(best)}


def _names_of_file(path: str, facts: Value, lines: list[str]) -> FileNames | None:
    """Return the names that a file of Python explains to those who read its calls."""
    if facts.get("language") != "python":
        return None
    imports = (
        FileImport(module, name, alias)
        for line, module, name, alias in facts.get("imports", ())
        if line <= len(lines) and lines[line - 1][:1] not in (" ", "\t")
    )
    top = (qual for qual, *_ in facts.get("elements", ()) if "." not in qual)
    return file_names(imports, lines, top, is_test(path))


def _callees_by_source(edges: Value) -> dict[str, list[str]]:
    """Return the ids that each element of a file calls, by its qualified name."""
    callees: dict[str, list[str]] = defaultdict(list)
    for sub, item in edges.items():
        key = edge_key(sub)
        if key and key.kind == "calls" and item["confidence"] >= _CONFIDENT:
            callees[key.source[2:]].append(key.target)
    return callees


def _called_lines(
    path: str, facts: Value, callees: dict[str, list[str]], text: list[str]
) -> Iterator[tuple[str, str, int]]:
    """Yield (callee id, its name, line) of the calls that name a callee."""
    calls: dict[str, list[list[Any]]] = {"": facts.get("calls", [])}
    for item in facts.get("elements", ()):
        if item[0] in callees:
            row = row_of(item)
            calls[item[0]] = [*_bare_decorators(row, text), *row.calls]
    classes = {qual for qual, kind, *_ in facts.get("elements", ()) if kind == "class"}
    for source, targets in sorted(callees.items()):
        named = {id: name_of(split_id(id)[1]) for id in targets}
        counts = Counter(named.values())
        written: dict[str, list[str]] = defaultdict(list)  # by last name
        for name, *_ in calls.get(source, ()):
            written[name.rpartition(".")[2]].append(name)
        for name, *lines in calls.get(source, ()):
            last = name.rpartition(".")[2]
            if counts[last] != 1 or last.startswith("__"):
                continue
            callee = next(id for id, one in named.items() if one == last)
            if _is_inner(path, source, callee, classes):
                continue
            if name in (f"self.{last}", f"cls.{last}"):
                continue  # of a subclass: without its class nobody can call it so
            if len(written[last]) == 1 or _names_owner(name, callee, written[last]):
                for line in lines[:_TRIED]:
                    yield callee, last, line


def _is_inner(path: str, source: str, callee: str, classes: set[str]) -> bool:
    """Return whether an element calls what its users call, from the inside.

    That is itself, a public method of its own class, or a public class of its file.
    A private one is used nowhere else.
    """
    home, qual = split_id(callee)
    if home != path or not source:
        return False
    owner, _, name = qual.rpartition(".")
    if name.startswith("_"):
        return f"{source}.".startswith(f"{qual}.")
    if qual in classes:
        return True
    around = owner or qual
    return f"{source}.".startswith(f"{around}.")


def _bare_decorators(row: ElementRow, lines: list[str]) -> Iterator[list[Any]]:
    """Yield [name, line] of the decorators without arguments: applying one calls it."""
    for text in row.decorators:
        above = range(row.start_line - 1, row.start_line - row.lead - 1, -1)
        rows = (n for n in above if lines[n - 1].strip() == f"@{text}")
        if "(" not in text and (line := next(rows, 0)):
            yield [text, line]


def _names_owner(name: str, callee: str, written: list[str]) -> bool:
    """Return whether a call alone is written with its callee's class, `Class.method`.

    `digest.update` and `bar.update` in one function: only the class would tell. Beside
    `Path.home` is `pathlib.Path.home` another one.
    """
    owner = split_id(callee)[1].rpartition(".")[0]
    whole = f"{owner}.{name_of(callee)}"
    naming = [one for one in written if f".{one}".endswith(f".{whole}")]
    return bool(owner) and name in naming and (len(naming) == 1 or name == whole)
