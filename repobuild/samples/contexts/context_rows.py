"""The rows of `contexts`: what may be said of one element, file or document.

Empty fields are left out, and so are path and name, which the id holds, and a label
that is the bare name. `shared` says that a label may be another element's, too. Lists
of other elements hold ids, sorted by path and name, at most eight; `more` names the
lists that were cut. Others are quoted by id and by their first sentence only, so that a
context changes with few of its neighbours.

A `brief` row is that of a test or of a function within a function: it is where it is,
and nothing else is told of it, for tests would swamp what a user asks about. A test may
have `before`, `hidden` and `needs`: what one of its assertions expects, expectation.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from repobuild.engine.contract import Value
from repobuild.samples.contexts.display_names import NAMED
from repobuild.samples.contexts.element_view import ElementView
from repobuild.samples.contexts.file_context import FileContext
from repobuild.samples.contexts.graph_reader import (
    case_of,
    made_id,
    parted,
)
from repobuild.samples.text.docstring_parts import described, summary
from repobuild.samples.text.import_statements import needed
from repobuild.samples.text.quote import Quote

MOST = 8
_LONGEST_SIGNATURE = 300
_OUTLINE = 6
_RECEIVERS = ("self", "cls")

Row = dict[str, Value]


def element_row(
    file: FileContext, element: ElementView, quoted: Quote | None
) -> Row | None:
    """The row of one element, or None when nothing is to be said of it."""
    if not file.told(element):
        return None
    if element.type == "section":
        return _section(file, element)
    if element.type not in NAMED:
        return None
    row = _named(file, element)
    if file.brief(element):
        return row | {"brief": True}
    row.update(_own(file, element))
    relations = _relations(file, element)
    relations["more"] += row.get("more", ())  # of the members of a class
    row.update(relations)
    if quoted:
        row["head"], row["body"] = quoted.head, quoted.body
        row["outline"] = _outline(file, element)
        code = f"{quoted.head}\n{quoted.body}"
        own = (found.name.lstrip("*") for found in element.parameters())
        row["needs"] = needed(code, file.imports, own, internal=True)
    return _packed(row)


def file_row(file: FileContext) -> Row | None:
    """The row of a module or a document."""
    language = file.facts.get("language", "")
    if language in ("", "manifest"):
        return None
    document = any(e.type == "section" for e in file.elements.values())
    kind = "document" if document or language == "markdown" else "module"
    row: Row = {
        "kind": kind,
        "id": file.path,
        "label": file.path,
        "project": file.project,
        "fence": language,
        "summary": file.summary,
        "brief": file.test,
    }
    row.update(_lists(members=_top(file), **({} if file.test else _imports(file))))
    if kind == "document":
        row["titles"] = [file.elements[parted(id)[1]].title for id in row["members"]]
    return _packed(row)


def _named(file: FileContext, element: ElementView) -> Row:
    """Path and bare name are in the id; fact.completed() adds them."""
    label, alone = file.names.label(element, file.counts)
    row: Row = {"kind": element.type, "id": element.id, "project": file.project}
    if label != element.name:
        row["label"] = label
    if not alone:
        row["shared"] = True
    return row


def _section(file: FileContext, element: ElementView) -> Row:
    row: Row = {"kind": element.type, "id": element.id, "project": file.project}
    row |= {"label": element.title, "shared": True, "summary": summary(element.doc)}
    return _packed(row)


def _own(file: FileContext, element: ElementView) -> Row:
    """What the element says of itself, and what holds it."""
    about = described(element.doc)
    signature = element.signature
    row: Row = {
        "fence": file.fence,
        "summary": about.summary,
        "returns": element.row.returns,
        "returns_text": about.returns,
        "decorators": list(element.row.decorators),
        "async": element.is_async,
        "module_summary": file.summary,
    }
    if len(signature) <= _LONGEST_SIGNATURE:
        row["signature"] = signature
    row["params"] = _parameters(element, about.parameters)
    holder = file.elements.get(element.parent)
    if holder:
        row["container"] = holder.shown
        row["container_summary"] = summary(holder.doc)
        row["container_signature"] = holder.signature
        row["sole"] = file.methods[element.name] == 1
    if element.type == "class":
        row.update(_class(file, element))
    return row


def _class(file: FileContext, element: ElementView) -> Row:
    """Public methods, and the parameters of the constructor."""
    methods = sorted(
        (e.name.startswith("_"), e.name)
        for e in file.children(element.qual)
        if e.type == "method" and file.told(e)
    )
    row = _lists(members=[name for _, name in methods])
    start = file.elements.get(element.qual + ".__init__")
    if start:
        row["params"] = _parameters(start, described(start.doc).parameters)
    return row


def _parameters(element: ElementView, texts: dict[str, str]) -> list[list[str]]:
    """[name, type, default, description, how passed]; stars with the name."""
    rows = []
    for number, found in enumerate(element.parameters()):
        if number or element.type != "method" or found.name not in _RECEIVERS:
            text = texts.get(found.name.lstrip("*"), "")
            rows.append([found.name, found.type, found.default, text, found.passing])
    return rows


def _relations(file: FileContext, element: ElementView) -> Row:
    around, id = file.around, element.id
    row = _lists(
        callers=(one for one in around.incoming(id, "calls", tests=False) if one != id),
        callees=_in_call_order(element, around.outgoing(id, "calls")),
        bases=around.outgoing(id, "inherits"),
        subclasses=around.incoming(id, "inherits", tests=False),
        overrides=_overrides(file, element),
        overridden=_overridden(file, element),
        tests=_tests(file, element),
    )
    known = [(callee, around.sentence(callee)) for callee in row["callees"]]
    row["callee_summaries"] = {callee: text for callee, text in known if text}
    return row


def _lists(**lists: Iterable[str]) -> Row:
    """Bounded lists, and under `more` the names of those that were cut."""
    row: Row = {}
    more = []
    for name, ids in lists.items():
        first = list(islice(ids, MOST + 1))
        row[name] = first[:MOST]
        if len(first) > MOST:
            more.append(name)
    return row | {"more": more}


def _in_call_order(element: ElementView, callees: list[str]) -> list[str]:
    """Callees by the place of their first call; the order survives a blank line."""
    place: dict[str, int] = {}
    for number, name in enumerate(element.calls()):
        place.setdefault(name.rpartition(".")[2], number)
    last = len(place)

    def first_call(id: str) -> tuple[int, str]:
        return place.get(parted(id)[1].rpartition(".")[2], last), id

    # Making an object calls its class and its `__init__`: one of them tells it.
    known = {element.id, *(made for id in callees for made in _constructors(id))}
    return sorted((id for id in callees if id not in known), key=first_call)


def _constructors(id: str) -> Iterator[str]:
    """A class's constructor as Python, JavaScript, and Java or C++ name it."""
    own = id.rpartition("::")[2].rpartition(".")[2]
    yield from (f"{id}.{name}" for name in ("__init__", "constructor", own))


def _tests(file: FileContext, element: ElementView) -> Iterator[str]:
    """The tests that call it or, of a class, one of its methods."""
    called = [element.id]
    if element.type == "class":
        called += [e.id for e in file.children(element.qual) if e.type == "method"]
    calls = (file.around.incoming(id, "calls", tests=True) for id in called)
    return unique(case for ids in calls for id in ids if (case := case_of(id)))


def unique(ids: Iterable[str]) -> Iterator[str]:
    """Each once, as lazily as they come."""
    seen: set[str] = set()
    for id in ids:
        if id not in seen:
            seen.add(id)
            yield id


def _overridden(file: FileContext, element: ElementView) -> Iterator[str]:
    """The methods of subclasses that take this one's place."""
    if element.type != "method" or element.name.startswith("__"):
        return
    heirs = file.heirs(element.parent)
    known = file.names.paths(element.name) if heirs else ()
    for heir in heirs:
        id = f"{heir}.{element.name}"
        if parted(heir)[0] in known and file.around.exists(id):
            yield id


def _overrides(file: FileContext, element: ElementView) -> list[str]:
    if element.type != "method" or element.name.startswith("__"):
        return []
    for base in file.around.ancestors(made_id(file.path, element.parent)):
        inherited = f"{base}.{element.name}"
        if file.around.exists(inherited):
            return [inherited]
    return []


def _outline(file: FileContext, element: ElementView) -> list[str]:
    """Heads of a few siblings: what a reader of the hole would see around it."""
    heads = (head for head, id in file.heads(element.parent) if id != element.id)
    return list(islice(heads, _OUTLINE))


def _top(file: FileContext) -> Iterable[str]:
    """Top-level elements: classes first, then by name; sections as they stand."""
    known = [e for e in file.elements.values() if file.told(e)]
    if any(e.type == "section" for e in known):
        return [e.id for e in known]
    top = [e for e in known if not e.parent]
    return [e.id for e in sorted(top, key=lambda e: (e.type, e.name))]


def _imports(file: FileContext) -> dict[str, Iterable[str]]:
    """Files that this one imports, and files that import it, tests apart."""
    targets = file.around.outgoing(file.path, "imports")
    imports = sorted({parted(id)[0] for id in targets})
    importers = file.around.incoming(file.path, "imports", tests=False)
    return {
        "imports": [path for path in imports if path != file.path],
        "importers": dict.fromkeys(parted(id)[0] for id in importers),
    }


def _packed(row: Row) -> Row:
    """Without empty fields."""
    return {name: value for name, value in row.items() if value}
