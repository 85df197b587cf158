"""Make the rows of `contexts`: what samples may quote of one element, file or document.

Empty fields are left out. So are path and name, which the id contains, and a label that
equals the bare name. `variable` says that another module has a variable of the name.
`under` is the condition under which its file defines it (text/conditions.py).
`languages` are those of the project's documents, unless that is
English alone. `shared` says that another element may have the same label,
`repeated` that another one has the same purpose or heading, `thin` that a purpose says
little more than the name; `trail` is what tells a
section from others of its document, `lost` that nothing does. Lists
of other elements hold ids, sorted by path and name, at most 16, of a file's own at most
24; `more` names the lists that were cut, `totals` gives the lengths of some of these,
`open` names those that may miss some, `open_callers` the few files that may have the
callers which are missing. Only the id
and first sentence of another element are quoted, so that a change of one context
changes few of its neighbours.

A row with `brief` describes a test, a benchmark, a setup script or a function within a
function: it gives the location and no details, because these would outnumber what users
ask about. A test may have `before`, `hidden` and `needs`: one of its assertions, cut by
text/expectation.py.

`element_row` combines these groups of fields: the element's own (`_own_fields`), its
neighbours' ids (`_neighbour_fields`), what is certain without a docstring
(explained.py), a real call of it (`example`: [path, code], usage_reader.py), or whether
a document calls something of its name (`called_in_documents`), and its code
(`_code_fields`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import filterfalse, islice, tee
from typing import NamedTuple

from repobuild.code.facts.element_row import name_of, without_type_arguments
from repobuild.code.graph.graph import split_id
from repobuild.code.resolve.binding_marks import ASSIGNED_NAME
from repobuild.code.scan.file_roles import is_benchmark, is_test, is_tool
from repobuild.engine.contract import Value
from repobuild.samples.contexts.display_names import NAMED_TYPES
from repobuild.samples.contexts.docstring_uses import adds_little
from repobuild.samples.contexts.element_view import (
    ElementView,
    ParameterRow,
    strip_counts,
)
from repobuild.samples.contexts.explained import (
    explained_fields,
    reaches_beyond,
    stale_name,
    without_absent_calls,
    without_absent_constants,
)
from repobuild.samples.contexts.file_context import (
    GETATTR,
    FileContext,
    names_chosen,
)
from repobuild.samples.contexts.graph_reader import (
    SPREAD_LISTS,
    GraphReader,
    element_id,
    enclosing_test,
    spread,
)
from repobuild.samples.contexts.package_parts import package_parts
from repobuild.samples.contexts.usage_reader import CalledAs
from repobuild.samples.text.deprecation import is_deprecated
from repobuild.samples.text.docstring_parts import (
    description,
    parse_docstring,
    summarise,
    summarise_prose,
)
from repobuild.samples.text.expectation import hide_expectation
from repobuild.samples.text.import_statements import (
    has_star_import,
    imports_for_types,
    needed_imports,
)
from repobuild.samples.text.long_strings import without_long_strings
from repobuild.samples.text.quote import Quote
from repobuild.samples.text.refusals import (
    does_nothing,
    leaves_open,
    only_raises,
    refuses_defaults,
)

_MOST = 16  # ids in a list
_MOST_COUNTED = 256  # ids of a list that is cut
_LARGEST = 3  # members of a file that no list of them lacks
_SETUP = re.compile(r"(?:^|/)setup\.py$")
_README = re.compile(r"readme(?:\.\w+)?$", re.IGNORECASE)
# A linked image of several lines, of which facts leave out the first as a badge.
_REST_OF_IMAGE = re.compile(r"[^\[\]]*\]\([^)\s]*\)\]\(")
_MOST_MEMBERS = 24  # of a file
_LONGEST_SIGNATURE = 300  # characters
_SHORT_CODE = 5  # lines below the first
_SHORT_RAW_CODE = 20  # the same with comments and docstring
_SHORT_CLASS = 16  # lines below the first of a class
_SHORT_RAW_CLASS = 40  # the same with comments
_LONGEST_CLASS = 700  # characters
_LONGEST_TEST = 60  # lines, comments and docstring included
_MOST_TESTS = 256  # users in tests that are searched for those of an element
_MOST_OPEN_CALLERS = 3  # files; more of them may well mean something else
_MOST_USERS = 64  # that are searched for what an element decorates
_SHORTEST_NAME = 3  # characters of a name that a test's name can contain
_OUTLINE = 6  # signatures of siblings
_TEST_LISTS = ("tests", "users_in_tests")
_USER_LISTS = ["callers", "readers", *_TEST_LISTS]
_FIXTURE = re.compile(r"\bself\.(?!assert)\w+\b(?!\()")
_CALLS_NOTHING = frozenset({"object", "ABC", "Generic", "Protocol", "NamedTuple"})
_NO_CODE = ("", "pass", "...")  # bodies that tell nothing
_CONSTRUCTOR_NAMES = ("__init__", "__new__")
_SUPER = "super("
_AWAITABLE = re.compile(r"Await|Corout|Future|Task|Deferred")
_ENUMERATION = re.compile(r"(?:Enum|Flag)$")
# Methods of values of Python's own types.
_COMMON = frozenset(
    name
    for type_ in (str, bytes, list, dict, set, tuple, int, float, BaseException)
    for name in dir(type_)
)
_MADE = re.compile(r"^[ \t]+(\w+) = (?:[\w.]+\.)?(\w+)\(", re.MULTILINE)
_OWN_CLASS = re.compile(r"cls|__class__|type\(self\)")
# `cls.__new__(cls)` and `type(self)(...)`, which may have a name of its own before.
_MAKES_OWN = re.compile(
    r"(?m)^[^#\n]*?\b(?:cls|self\.__class__|type\(self\))(?:\(|\.__new__\()"
    r"|^[^#\n]*?\bobject\.__new__\((?:cls|self\.__class__|type\(self\))\)"
    r"|^[ \t]+(\w+) = (?:type\(self\)|self\.__class__)(?:[ \t]*#.*)?\n[\s\S]*\b\1\("
)
_OPERATED = re.compile(r"(?<![\w.])(\w+)\[|\b(?:in |len\(|iter\()(\w+)\b(?![.(\[])")
_ALIASES = re.compile(
    r"^[ \t]+((?:\w+[ \t]*=[ \t]*)+)(\w+)[ \t]*(?:#.*)?$", re.MULTILINE
)
_OPERATED_SELF = re.compile(r"(?<![\w.])self\[|\b(?:in |len\(|iter\()self\b(?![.(\[])")
# What a `return` calls, "" where it returns anything else.
_RETURN = re.compile(r"^[ \t]+return\b(?:[ \t]+(?:\w+\.)*(\w+)\()?", re.MULTILINE)
_SPECIAL = re.compile(r"\.__\w+__$")
_WORD = re.compile(r"\w+")
_VALUE = re.compile(r"['\"\d]")  # that nobody can derive from names
_LIST = re.compile(r"\s*(?:[-*+•]|\d{1,2}[.)])\s")  # on one line it is no prose
_SENTENCE_END = re.compile(r"[.!?。！？][)\"'”’）]*$")
_DOCUMENTS = ("markdown", "restructuredtext")
_HTML_HEADING = re.compile(r"<h[1-6][\s>]", re.IGNORECASE)
_FENCED = re.compile(r"^ {0,3}(`{3,}|~{3,}).*?^ {0,3}\1", re.DOTALL | re.MULTILINE)
_MOST_NAMESAKES = 2  # headings of one text in a table of contents

Row = dict[str, Value]


# ------------------------------------------------------------------- elements


def element_row(
    file: FileContext, element: ElementView, quoted: Quote | None
) -> Row | None:
    """Return the row of one element, None for one without a row."""
    if not file.has_row(element):
        return None
    if element.type == "section":
        return _section_row(file, element)
    if element.type not in NAMED_TYPES:
        return None
    row = _identity(file, element)
    if file.is_location_only(element):
        return row | {"brief": True}
    row.update(_own_fields(file, element))
    row.update(_binding_fields(file, element))
    is_only = file.names.has_own_name(element, file.name_counts)
    neighbours = _neighbour_fields(file, element, is_only)
    if row.get("stub") and row["returns"] and neighbours["overrides"]:
        # It narrows types for checkers: what it overrides is what runs.
        neighbours |= {"overrides": [], "overridden": []}
    row.update(neighbours)
    if element.type == "class":
        if _has_renamed_base(element, row):
            row["bases"] = []  # what made the name may give another class, or none
        row.update(_foreign_bases(element, row))
    elif row["callers"] or row["readers"]:
        row.update(_reach_fields(file, element, is_only))
    if not row["summary"]:
        row.update(explained_fields(file, element, row, is_only))
    else:
        row["repeated"] = file.shares_purpose(element)
    called = CalledAs(is_only, bool(row["bound_to"]), _is_awaited(element, row))
    if real := file.usage.example(element, called):
        row["example"] = list(real)
    else:
        row["called_in_documents"] = file.usage.is_called_in_documents(element.name)
    row["thin"] = adds_little(element, row["summary"])
    if quoted:
        row.update(_code_fields(file, element, quoted))
    elif not row["summary"] or row["thin"]:
        row["short"] = _short_code(file, element)
    if element.type == "class" and not row["summary"]:
        row["short"] = _short_class(file, element)
    return _without_empty(row)


def _reach_fields(file: FileContext, element: ElementView, is_only: bool) -> Row:
    """Return whether a function that is used has other users, or uses itself."""
    # Of a public one whose name others have some callers are not resolved.
    is_shared = not is_only and not element.name.startswith("_")
    return {
        "beyond": is_shared or reaches_beyond(file, element),
        "recursive": element.id in file.reader.outgoing(element.id, "calls"),
    }


def _binding_fields(file: FileContext, element: ElementView) -> Row:
    """Return what an assignment or a class body makes of a function of a module."""
    bound_to = file.reader.binding_classes(element)
    return {
        "other_names": file.other_names(element),
        "bound_to": bound_to[:_MOST],
        "unbound": element.takes_self and not bound_to,
    }


def _identity(file: FileContext, element: ElementView) -> Row:
    """Return who it is; path and bare name follow from the id (tasks/facts.py)."""
    label, is_unique = file.names.label(element, file.name_counts)
    row: Row = {"kind": element.type, "id": element.id, "project": file.project}
    if label != element.name:
        row["label"] = label
    if not is_unique:
        row["shared"] = True
    if file.is_variable_elsewhere(element):
        row["variable"] = True
    return row


def _section_row(file: FileContext, element: ElementView) -> Row:
    row: Row = {
        "kind": element.type,
        "id": element.id,
        "project": file.project,
        "label": element.title,
        "shared": True,
        "repeated": file.shares_heading(element),
    }
    if _titles_readme(file, element):
        row["titles_readme"] = True
    text = _passage(element.doc)
    row["summary"] = text
    row["block"] = file.section_block(element)
    shown = row["block"][1] if row["block"] else ""
    is_shown = file.is_mostly_shown(element, text, shown)
    row["partial"] = not is_shown or not file.is_whole(element, text)
    row["partial"] |= file.begins_with_block(element)
    trail = file.heading_trails[element.qual]
    if trail != element.title:
        row["trail"] = trail
        row["lost"] = not trail
    return _without_empty(row)


def _titles_readme(file: FileContext, element: ElementView) -> bool:
    """Return whether a section is all of the README at the top, under its title."""
    is_first = element is next(iter(file.elements.values()))
    return is_first and element.row.complexity == 1 and bool(_README.match(file.path))


def _passage(paragraph: str) -> str:
    """Return what a section says first; a list, or what announces one, says nothing."""
    text = summarise_prose(paragraph)
    is_announcement = paragraph.rstrip().rstrip(":：").rstrip() == text != paragraph
    is_none = _LIST.match(paragraph) or _REST_OF_IMAGE.match(paragraph)
    return "" if is_none or is_announcement else text


def _begins_with_sentences(paragraph: str) -> bool:
    """Return whether a document begins with text, and not with what comes before it."""
    return bool(_SENTENCE_END.search(_passage(paragraph)))


def _own_fields(file: FileContext, element: ElementView) -> Row:
    """Return what facts know of the element itself and of its container."""
    docstring = parse_docstring(element.doc)
    signature = element.signature
    is_described = bool(docstring.parameters or docstring.returns)
    is_described &= element.name not in _CONSTRUCTOR_NAMES
    row: Row = {
        "fence": file.language,
        "summary": file.purpose(element, docstring.summary, is_described),
        "returns": element.row.returns,
        "returns_text": docstring.returns,
        "warning": docstring.warning,
        "decorators": list(element.row.decorators),
        "async": element.is_coroutine,
        "stub": element.is_stub and element.type != "class",
        "module_summary": file.summary,
        "settable": bool(file.setters(element)),
        "deprecated": file.is_deprecated,
    }
    if file.language == "python" and element.type != "class":
        row |= _python_fields(file, element, row, docstring.parameters)
    if len(signature) <= _LONGEST_SIGNATURE:
        row["signature"] = signature
    row["params"] = _parameters(element, docstring.parameters)
    row |= _container_fields(file, element)
    if element.type == "class":
        row["under"] = list(file.condition(element) or ())
        row.update(_class_fields(file, element))
        row["deprecated"] |= file.is_deprecated or is_deprecated("", element.doc, ())
    return row


def _is_awaited(element: ElementView, row: Row) -> bool | None:
    """Return whether a call of an element is awaited, None where nobody knows."""
    is_plain = element.type in ("function", "method") and row["fence"] == "python"
    if not is_plain or row.get("perhaps_async") or row["decorators"]:
        return None
    if not row["async"] and _AWAITABLE.search(row["returns"] or ""):
        return None
    return bool(row["async"])


def _container_fields(file: FileContext, element: ElementView) -> Row:
    """Return what is known of the class of a method, or of what else it belongs to."""
    container = file.elements.get(element.parent)
    # JavaScript's `a.f = function` has none that is a class, Go's may be elsewhere.
    if container is None or container.type != "class":
        # An object, or a type that another file declares: no class of this file.
        is_method = element.type == "method"
        return {"owner": strip_counts(element.parent)} if is_method else {}
    row: Row = {
        "container": container.plain_qual,
        "container_summary": (
            "" if file.is_copied(container) else summarise(container.doc)
        ),
        "sole": file.method_counts[element.name] == 1,
        "only_class": file.class_count == 1,
        "of_foreign": _has_foreign_base(file, container)
        or _is_dispatched(file, element),
        "protocol": _is_protocol(container),
    }
    if container.row.end_line >= element.row.end_line:
        # A method of Go, Rust or C++ is not written within its type.
        row["container_signature"] = container.signature
    return row


def _python_fields(
    file: FileContext, element: ElementView, row: Row, texts: dict[str, str]
) -> Row:
    """Return what a function's own code says of it, and of its docstring."""
    code = file.code(element)
    deprecated = is_deprecated(code, element.doc, element.row.decorators)
    fields: Row = {
        "refuses": only_raises(file.own_bytes(element)),
        "refuses_defaults": _refuses_defaults(file, element),
        "empty": not _is_of_protocol(file, element)
        and does_nothing(file.own_bytes(element), element.row.decorators),
        "deprecated": row["deprecated"] or deprecated,
        "undeclared": _undeclared(element, texts),
        "under": list(file.condition(element) or ()),
    }
    reader = file.reader
    if not element.is_coroutine and reader.returned_coroutines(element):
        # Whoever calls it awaits what it returns, where it returns nothing else.
        known = reader.returned_coroutines(element, levels=1)
        is_whole = all(one in known for one in _RETURN.findall(code))
        fields |= {"async": is_whole, "perhaps_async": not is_whole}
    summary = without_absent_calls(row["summary"], element, code)
    summary = without_absent_constants(summary, file)
    stale = stale_name(summary, element, code)
    return fields | ({"stale": stale, "summary": ""} if stale else {"summary": summary})


def _is_of_protocol(file: FileContext, element: ElementView) -> bool:
    """Return whether others implement a method, whatever stands in its body."""
    owner = file.elements.get(element.parent)
    return owner is not None and _is_protocol(owner)


def _undeclared(element: ElementView, texts: dict[str, str]) -> list[str]:
    """Return the parameters that a docstring describes and the definition lacks."""
    known = {one.name.lstrip("*") for one in element.parameters()}
    takes_any = any(one.name.startswith("*") for one in element.parameters())
    is_told = bool(known.intersection(texts)) and not (takes_any or element.is_property)
    return [name for name in texts if name not in known] if is_told else []


def _class_fields(file: FileContext, element: ElementView) -> Row:
    """Return the methods, public ones first, and the constructor's parameters."""
    methods = sorted(
        (e.name.startswith("_"), e.name, e.is_property)
        for e in file.children(element.qual)
        if e.type == "method" and file.is_effective(e)
    )
    row: Row = {
        "deprecated": False,
        "protocol": _is_protocol(element),
        "binds_methods": any(_bound_functions(file, element)),
        "aliases": _method_aliases(file, element),
        "members_under": _conditional_members(file, element),
        "members": [name for _, name, is_property in methods if not is_property],
        "properties": [name for _, name, is_property in methods if is_property],
        "nested": [
            e.name
            for e in file.children(element.qual)
            if e.type == "class" and file.language == "python" and file.is_effective(e)
        ],
        "static": [
            e.name
            for e in file.children(element.qual)
            if "staticmethod" in e.row.decorators and file.is_effective(e)
        ],
        "leaves_open": any(
            leaves_open(file.own_bytes(e), e.row.decorators)
            for e in file.children(element.qual)
            if e.type == "method" and file.language == "python"
        ),
    }
    constructor = file.elements.get(element.qual + ".__init__")
    if constructor:
        code, decorators = file.code(constructor), constructor.row.decorators
        row["deprecated"] = is_deprecated(code, constructor.doc, decorators)
        row["refuses_defaults"] = _refuses_defaults(file, constructor)
        texts = {
            **parse_docstring(element.doc).parameters,
            **parse_docstring(constructor.doc).parameters,
        }
        row["params"] = _parameters(constructor, texts)
    return row


def _bound_functions(file: FileContext, element: ElementView) -> Iterator[str]:
    """Yield the functions of modules that the body of a class makes its methods."""
    for id in file.reader.outgoing(element.id, "uses"):
        path, qual = split_id(id)
        if element.binds(name_of(qual)):
            function = file.reader.elements(path).get(qual)
            if function and function.takes_self:
                yield id


def _method_aliases(file: FileContext, element: ElementView) -> dict[str, str]:
    """Return the other public names that a class body gives its methods: `b = a`.

    What `b = partialmethod(a, 1)` makes calls `a`, but is called in another way.
    """
    methods = {one.name for one in file.children(element.qual) if one.type == "method"}
    names = {
        name: binding[1:]
        for name, binding in sorted(element.row.attrs.items())
        if isinstance(binding, str) and binding[:1] == ASSIGNED_NAME
        if binding[1:] in methods and name[:1] != "_" and name not in methods
        if name.isidentifier()
    }
    written = _ALIASES.findall(file.code(element)) if names else ()
    known = {(name.strip(), b) for left, b in written for name in left.split("=")}
    return {name: other for name, other in names.items() if (name, other) in known}


def _conditional_members(
    file: FileContext, element: ElementView
) -> dict[str, list[str]]:
    """Return the conditions of methods, without that of their class."""
    own = file.condition(element)
    told = ((e, file.condition(e)) for e in file.named_children(element.qual))
    return {e.name: list(one) for e, one in told if one is not None and one != own}


def _is_protocol(element: ElementView) -> bool:
    """Return whether a class is a `typing.Protocol`, and not what implements one."""
    bases = map(without_type_arguments, element.row.bases)
    return any(name_of(base) == "Protocol" for base in bases)


def _refuses_defaults(file: FileContext, element: ElementView) -> bool:
    """Return whether a call that leaves all defaults as they are raises."""
    if file.language != "python":
        return False
    defaults = [(one.name, one.default) for one in element.arguments() if one.default]
    return refuses_defaults(file.own_bytes(element), defaults)


def _parameters(element: ElementView, texts: dict[str, str]) -> list[list[str]]:
    """Return the parameters without the receiver, each as a `ParameterRow`'s list."""
    rows = []
    for one in element.arguments():
        text = texts.get(one.name.lstrip("*"), "")
        text = description(text, one.default, one.type)
        row = ParameterRow(one.name, one.type, one.default, text, one.passing)
        rows.append(list(row))
    return rows


def _code_fields(file: FileContext, element: ElementView, quoted: Quote) -> Row:
    """Return the code, the imports that it needs, and the signatures around it."""
    # What a reader of a hole in the code would see around it.
    siblings = (
        signature
        for signature, id in file.outline_signatures(element.parent)
        if id != element.id
    )
    outline = list(islice(siblings, _OUTLINE))
    code = f"{quoted.head}\n{quoted.body}"
    own = (parameter.name.lstrip("*") for parameter in element.parameters())
    # What is imported elsewhere in the file, or by a star, is needed as well, and in no
    # such list.
    is_whole = not has_star_import(file.facts)
    is_whole &= file.inner_imports.isdisjoint(_WORD.findall(code))
    needs = needed_imports(code, file.imports, own, internal=True)
    return {
        "head": quoted.head,
        "body": quoted.body,
        "outline": outline,
        "outline_cut": len(file.named_children(element.parent)) > len(outline) + 1,
        "needs": needs if is_whole else [],
    }


def _short_code(file: FileContext, element: ElementView) -> str:
    """Return code that is too short to be asked for, but tells what it does."""
    raw_lines = element.row.end_line - element.row.start_line
    is_plain = element.type != "class" and not file.children(element.qual)
    if raw_lines > _SHORT_RAW_CODE or element.is_stub or not is_plain:
        return ""
    quoted = file.quote(element)
    if quoted is None or quoted.ends_fence or quoted.body.strip() in _NO_CODE:
        return ""
    if quoted.lines > _SHORT_CODE + 1 or len(quoted.body) > _LONGEST_SIGNATURE:
        return ""
    return f"{quoted.head}\n{quoted.body}"


def _short_class(file: FileContext, element: ElementView) -> str:
    """Return the code of a short class whose methods say nothing of themselves.

    Their names would tell nothing of what it does, sets, or passes on to its base.
    """
    children = file.children(element.qual)
    is_plain = all(one.type == "method" and not one.doc for one in children)
    raw_lines = element.row.end_line - element.row.start_line
    if file.language != "python" or not is_plain or raw_lines > _SHORT_RAW_CLASS:
        return ""
    quoted = file.quote(element)
    if quoted is None or quoted.ends_fence or quoted.body.strip() in _NO_CODE:
        return ""
    is_short = quoted.lines <= _SHORT_CLASS + 1 and len(quoted.body) <= _LONGEST_CLASS
    return f"{quoted.head}\n{quoted.body}" if is_short else ""


# ----------------------------------------------------------------- neighbours


def _neighbour_fields(file: FileContext, element: ElementView, is_only: bool) -> Row:
    reader, id = file.reader, element.id
    choosing = _choosing(id, reader)
    users = _users(file, element, is_only)
    if choosing:
        is_by_choice = partial(_gets_by_choice, id=id, choosing=choosing, reader=reader)
        users = Users(*(list(filterfalse(is_by_choice, one)) for one in users))
    tests = list(users.tests)
    is_tested = is_only and bool(tests) and _is_named_after(tests[0], element)
    callees = _callees(file, element)
    certain = _without_choices(element, callees, reader)
    row = _cut_lists(
        _MOST,
        callers=(one for one in users.callers if _is_caller(one, element)),
        readers=(one for one in users.readers if _is_reader(one, element)),
        callees=certain,
        property_reads=_property_reads(file, element),
        bases=reader.outgoing(id, "inherits"),
        subclasses=reader.incoming(id, "inherits", tests=False),
        overrides=_overridden_method(file, element),
        overridden=_overriding_methods(file, element),
        tests=tests if is_tested else [],
        users_in_tests=[] if is_tested or element.type == "class" else tests,
    )
    sentences = [(callee, reader.sentence(callee)) for callee in row["callees"]]
    row["open"] = _all_open_lists(file, element, row["callees"], is_only)
    chosen = ["callees"] * (certain != callees) + _USER_LISTS * bool(choosing)
    if chosen:
        row["open"] = list(dict.fromkeys([*row["open"], *chosen]))
    row["open_callers"] = _open_callers(file, element)
    row["open_calls"] = any(
        _has_unresolved_calls(one, reader) or _uses_operators(file, one, row["callees"])
        for one in (element, _constructor(file, element))
        if one is not None
    )
    row["callee_summaries"] = {callee: text for callee, text in sentences if text}
    return row


class Users(NamedTuple):
    """Who uses an element: the code that calls it or refers to it, and tests."""

    callers: Iterable[str]
    readers: Iterable[str]
    tests: Iterable[str]


def _users(file: FileContext, element: ElementView, is_only: bool) -> Users:
    # A method that is also called by a computed name has callers that nobody finds.
    is_known = not file.is_dispatched(element)
    callers = _callers(file, element) if is_known else ()
    is_read_whole = is_known and _is_read_by_name(element)
    incoming = file.reader.incoming
    readers = incoming(element.id, "uses", tests=False) if is_read_whole else ()
    is_asked = is_only or element.type != "class" and not element.name.startswith("__")
    users = _callers_apart(element, callers, readers, file.reader)
    return Users(*users, _tests(file, element) if is_asked else [])


def _all_open_lists(
    file: FileContext, element: ElementView, callees: list[str], is_only: bool
) -> list[str]:
    """Return the lists that may miss some, those of a class's methods included."""
    found = _open_lists(file, element, callees)
    maker = _constructor(file, element)
    is_open = maker and "callees" in _open_lists(file, maker, callees)
    if is_open or _methods_call_more(file, element, callees):
        found = list(dict.fromkeys(["callees", *found]))
    # Tests may reach it in the place of others of its name, and read a property of an
    # object of which nobody knows the class. So may any code.
    if not is_only or element.is_property:
        found = list(dict.fromkeys([*found, *_TEST_LISTS]))
    return [*found, "readers"] if element.is_property else found


def _choosing(id: str, reader: GraphReader) -> set[str]:
    """Return the files that take an element from its module or one of its name from
    another, whichever can be imported.
    """
    path, qual = split_id(id)
    if not qual or "." in qual or not path.endswith(".py"):
        return set()
    importing = reader.incoming(id, "imports", tests=False)
    paths = {split_id(one)[0] for one in islice(importing, _MOST_USERS)}
    return {one for one in paths if qual in names_chosen(reader.facts(one))}


def _gets_by_choice(
    user: str, id: str, choosing: set[str], reader: GraphReader
) -> bool:
    """Return whether a user may get another element of the name through such a file.

    Who takes it from its own module gets it.
    """
    path, home = split_id(user)[0], split_id(id)[0]
    if path == home or not choosing:
        return False
    return path in choosing or home not in reader.outgoing(path, "imports")


def _without_choices(
    element: ElementView, callees: list[str], reader: GraphReader
) -> list[str]:
    """Return the callees for which no other of the name may stand in."""
    direct = {element.path, *reader.outgoing(element.path, "imports")}
    own = names_chosen(reader.facts(element.path))
    return [
        id
        for id in callees
        if (split_id(id)[0] in direct and split_id(id)[1] not in own)
        or not _gets_by_choice(element.path, id, _choosing(id, reader), reader)
    ]


def _constructor(file: FileContext, element: ElementView) -> ElementView | None:
    """Return what making an object of a class runs."""
    is_class = element.type == "class"
    return file.elements.get(f"{element.qual}.__init__") if is_class else None


def _callers(file: FileContext, element: ElementView) -> Iterable[str]:
    """Return who calls an element, or makes an object of a class by any name."""
    callers = file.reader.incoming(element.id, "calls", tests=False)
    makers = _makers(file, element)
    if not makers:
        return callers
    # Where nothing else makes one, who refers to the class says more.
    others = list(callers)
    # What a function within a method makes is known by the calls.
    inner = {one.rpartition(".")[0] for one in others}
    return sorted({*others, *makers} - (inner - {*others})) if others else ()


def _makers(file: FileContext, element: ElementView) -> list[str]:
    """Return the methods of a class that make an object of it without its name."""
    if element.type != "class" or file.language != "python":
        return []
    return [
        one.id
        for one in file.children(element.qual)
        if one.type == "method" and one.name not in _CONSTRUCTOR_NAMES
        if _OWN_CLASS.search(code := file.code(one))
        if _MAKES_OWN.search(without_long_strings(code))
    ]


def _callees(file: FileContext, element: ElementView) -> list[str]:
    """Return what an element calls; a class calls what its constructor does, first."""
    found = _in_call_order(element, file.reader)
    maker = _constructor(file, element)
    if maker is None:
        return found
    made = _in_call_order(maker, file.reader)
    return [one for one in dict.fromkeys([*made, *found]) if one != element.id]


def _methods_call_more(
    file: FileContext, element: ElementView, callees: list[str]
) -> bool:
    """Return whether other methods of a class than its constructor call other things.

    What making an object calls is then no list of what the class rests on.
    """
    if element.type != "class":
        return False
    called = {
        callee
        for one in file.children(element.qual)
        if one.type == "method" and one.name not in _CONSTRUCTOR_NAMES
        for callee in file.reader.outgoing(one.id, "calls")
    }
    return any(
        one not in callees and not one.startswith(f"{element.id}.") for one in called
    )


def _property_reads(file: FileContext, element: ElementView) -> list[str]:
    """Return the properties of its class that a method reads: no call shows them.

    `self.__class__.__name__` is the class's own, whatever its objects have.
    """
    if element.type != "method":
        return []
    read = set(file.reader.outgoing(element.id, "uses"))
    return [
        one.id
        for one in file.children(element.parent)
        if one.is_property and not one.name.startswith("__")
        if one.id in read and one.id != element.id
    ]


def _callers_apart(
    element: ElementView,
    callers: Iterable[str],
    readers: Iterable[str],
    reader: GraphReader,
) -> tuple[Iterable[str], Iterable[str]]:
    """Return who calls an element, and who refers to it: it decorates some of these.

    A call of an enumeration looks a member up, and one of a property calls what that
    gives.
    """
    if any(map(_ENUMERATION.search, element.row.bases)):
        return [], sorted({*readers, *callers})
    if element.is_property:
        is_whole = _is_read_by_name(element)
        return [], sorted({*readers, *callers}) if is_whole else ()
    every, first = tee(callers)
    is_decorated = partial(_is_decorated, name=element.name, reader=reader)
    decorated = set(filter(is_decorated, islice(first, _MOST_USERS)))
    referring = sorted({*readers, *decorated}) if decorated else readers
    return filterfalse(is_decorated, every), referring


def _is_decorated(id: str, name: str, reader: GraphReader) -> bool:
    path, qual = split_id(id)
    one = reader.elements(path).get(qual)
    decorators = one.row.decorators if one is not None else ()
    return name in (name_of(text.partition("(")[0]) for text in decorators)


def _is_reader(one: str, element: ElementView) -> bool:
    """Return whether one may tell who refers to an element: a class names itself."""
    is_own = one == element.id or one.startswith(f"{element.id}.")
    return not is_own and not _is_inner_test(one)


def _is_caller(one: str, element: ElementView) -> bool:
    """Return whether one is another caller, and no part of what it would call."""
    is_part = element.type != "class" and one.startswith(f"{element.id}.")
    return one != element.id and not is_part and not _is_inner_test(one)


def _is_inner_test(id: str) -> bool:
    """Return whether an element is a test beside the code that it tests."""
    return name_of(split_id(id)[1]).startswith("test_")


def _open_lists(
    file: FileContext, element: ElementView, callees: list[str]
) -> list[str]:
    """Return the lists of users and callees that may miss some.

    The users of a method do where any code calls its name on an object of unknown
    class, the callees where the element makes such a call.
    """
    reader = file.reader
    known = {name_of(split_id(id)[1]) for id in callees}
    unknown = reader.open_calls(element.path) - known
    called = {name_of(chain) for chain in element.calls() if "." in chain}
    # `x.append()` is a list's, unless the project has something of that name.
    is_open = any(
        one not in _COMMON or file.names.is_of_product(one) for one in called & unknown
    ) or any(reader.calls_several(element.path, one) for one in called)
    is_open |= any(
        reader.calls_no_element(element.path, one) for one in element.calls()
    )
    # What a function defines within itself makes calls of its own.
    is_open |= any(reader.outgoing(one.id, "calls") for one in _inner(file, element))
    found = ["callees"] if is_open else []
    is_by_name = not element.is_property and reader.is_looked_up(element.name)
    if element.type != "method" and not reader.binding_classes(element):
        return [*found, "callers"] if is_by_name else found
    are_tests = {is_test(path) for path in reader.open_callers(element.name)}
    # Who passes it on uses it, too, and others may pass it on through an object.
    is_passed = not _is_read_by_name(element) and any(
        reader.incoming(element.id, "uses", tests=False)
    )
    is_called = False in are_tests
    found += ["callers"] if is_called or is_by_name or is_passed else []
    # `for one in handlers: one._write()` refers to the method of each of them.
    found += ["readers"] if is_called and not element.is_property else []
    return [*found, *_TEST_LISTS] if True in are_tests else found


def _open_callers(file: FileContext, element: ElementView) -> list[str]:
    """Return the files that may call a method, and of which nobody knows it.

    They are none where there are many, where others may call it in another way, and
    where the name is one of Python's own types: most of these calls are of those.
    """
    reader = file.reader
    is_by_name = reader.is_looked_up(element.name) or file.is_dispatched(element)
    if element.type != "method" or element.is_property or is_by_name:
        return []
    if element.name in _COMMON:
        return []
    if any(reader.incoming(element.id, "uses", tests=False)):
        return []  # who is given it calls it by any name
    paths = (one for one in reader.open_callers(element.name) if not is_test(one))
    found = sorted(one for one in paths if not is_tool(one))
    return found if len(found) <= _MOST_OPEN_CALLERS else []


def _inner(file: FileContext, element: ElementView) -> list[ElementView]:
    """Return the functions that a function defines within itself."""
    return file.children(element.qual) if element.type != "class" else []


def _is_read_by_name(element: ElementView) -> bool:
    """Return whether code that reads an element without a call can be listed whole.

    A public method or property is read through any object (`self._url.path`), of which
    the graph knows the class only where that is certain.
    """
    return element.type != "method" or element.is_private


def _has_unresolved_calls(element: ElementView, reader: GraphReader) -> bool:
    """Return whether it calls a method that may do its main work and is not resolved.

    That is `super().m()` of a base from elsewhere, or a special method of any object.
    """
    known = {name_of(split_id(id)[1]) for id in reader.outgoing(element.id, "calls")}
    return any(
        name_of(chain) not in known
        for chain in element.calls()
        if "." in chain and not chain.endswith(_CONSTRUCTOR_NAMES)
        if chain.startswith("super()") or _SPECIAL.search(chain)
    )


def _uses_operators(
    file: FileContext, element: ElementView, callees: list[str]
) -> bool:
    """Return whether Python code calls special methods by an index, `in` or `len()`.

    That is of its own object, or of what a callee has returned: `evolver[i] = x` may be
    what a function is there for, and is no call that a list of its callees has.
    """
    if file.language != "python" or element.type == "class":
        return False
    code = file.code(element)
    known = {name_of(split_id(id)[1]) for id in callees}
    made = {name for name, callee in _MADE.findall(code) if callee in known}
    if element.type == "method" and _OPERATED_SELF.search(code):
        return True
    return bool(made) and any(
        name in made for pair in _OPERATED.findall(code) for name in pair
    )


def _has_renamed_base(element: ElementView, row: Row) -> bool:
    """Return whether a base that the graph knows has another name in the header."""
    texts = {name_of(without_type_arguments(text)) for text in element.row.bases}
    return any(name_of(split_id(id)[1]) not in texts for id in row["bases"])


def _has_foreign_base(file: FileContext, element: ElementView) -> bool:
    """Return whether a class from elsewhere may call what a class defines.

    `handle_data` of an HTMLParser is for that to call, and for no user.
    """
    bases = map(without_type_arguments, element.row.bases)
    written = [one for one in bases if name_of(one) not in _CALLS_NOTHING]
    return len(written) > len(list(file.reader.outgoing(element.id, "inherits")))


def _is_dispatched(file: FileContext, element: ElementView) -> bool:
    """Return whether a base class may call a method by a name that it computes.

    `expansion` of a Transformer is for `getattr(self, tree.data)` to call. What a base
    defines, too, has callers by its name.
    """
    looks_up = False
    for id in file.reader.ancestors(element_id(file.path, element.parent)):
        path, qual = split_id(id)
        for one in file.reader.elements(path).values():
            if one.parent == qual and one.name == element.name:
                return False
            looks_up |= one.parent == qual and GETATTR in one.calls()
    return looks_up


def _foreign_bases(element: ElementView, row: Row) -> Row:
    """Return the bases, as written, that the graph knows no class for.

    Where the header has two of one name, nobody can tell which of them is known: then
    the list of those that are known has others.
    """
    known = {name_of(split_id(id)[1]) for id in row["bases"]}
    texts = [
        text
        for text in element.row.bases
        if name_of(without_type_arguments(text)) not in known
    ]
    if len(texts) + len(row["bases"]) == len(element.row.bases):
        return {"foreign_bases": texts}
    is_whole = len(row["bases"]) >= len(element.row.bases)
    return {} if is_whole else {"more": [*row["more"], "bases"]}


def _cut_lists(most: int, **lists: Iterable[str]) -> Row:
    """Return at most `most` ids of each list, and under `more` the names of cut lists.

    Under `totals` is how many ids a cut list of users has, up to `_MOST_COUNTED`, and
    those told are spread over their files. Iterators are read no further than that.
    """
    row: Row = {}
    more = []
    totals: dict[str, int] = {}
    for name, ids in lists.items():
        is_spread = name in SPREAD_LISTS
        first = list(islice(ids, (_MOST_COUNTED if is_spread else most) + 1))
        row[name] = spread(first, most) if is_spread else first[:most]
        if len(first) > most:
            more.append(name)
        if most < len(first) <= _MOST_COUNTED and is_spread:
            totals[name] = len(first)
    return row | {"more": more, **({"totals": totals} if totals else {})}


def _in_call_order(element: ElementView, reader: GraphReader) -> list[str]:
    """Sort callees by their first call, by its rank: a blank line changes nothing."""
    callees = reader.outgoing(element.id, "calls")
    rank: dict[str, int] = {}
    for number, name in enumerate(element.calls()):
        rank.setdefault(name.rpartition(".")[2], number)
    last = len(rank)

    def first_call(id: str) -> tuple[int, str]:
        return rank.get(split_id(id)[1].rpartition(".")[2], last), id

    # Making an object calls its class and its constructor: the class is enough. The
    # constructor may be inherited; then it is told where the code names one.
    repeated = {element.id, *(one for id in callees for one in _constructors(id))}
    owner = element.parent.rpartition(".")[2]
    if element.type == "method" and owner not in rank:
        # `cls(...)` makes one of its own class: that is no other part of the project.
        repeated.add(element_id(element.path, element.parent))
    unnamed = _unnamed_constructors(element, reader, callees)
    # A decorator runs when the element is defined, and not when it is called.
    unsaid = {d.partition("(")[0].rpartition(".")[2] for d in element.row.decorators}
    told = (
        id
        for id in callees
        if id not in repeated
        and id not in unnamed
        and not id.startswith(f"{element.id}.")  # a function within it is its own code
        and _is_told(reader, id)
        and name_of(split_id(id)[1]) not in unsaid
    )
    return sorted(told, key=first_call)


def _named_constructors(element: ElementView, reader: GraphReader) -> list[str]:
    """Return the calls that name a constructor: `Shelf.__init__`, `super().__init__`.

    The `super()` of a class without a base is `object`: what else the code makes has
    the inherited constructor then.
    """
    own = reader.elements(element.path).get(element.parent)
    has_base = own is not None and any(base != "object" for base in own.row.bases)
    return [
        call
        for call in element.calls()
        if call.rpartition(".")[2] in _CONSTRUCTOR_NAMES
        and (has_base or not call.startswith(_SUPER))
    ]


def _unnamed_constructors(
    element: ElementView, reader: GraphReader, callees: Iterable[str]
) -> set[str]:
    """Return the constructors of bases that objects of other classes have inherited.

    A class that calls one of its own bases by name makes these objects, too.
    """
    named = {call.split(".")[-2] for call in _named_constructors(element, reader)}
    owner = element_id(element.path, element.parent)
    own = {
        f"{one}.{name}"
        for one in reader.ancestors(owner)
        for name in _CONSTRUCTOR_NAMES
    }
    return {
        id
        for id in callees
        if name_of(split_id(id)[1]) in _CONSTRUCTOR_NAMES
        if not named or (id not in own and name_of(id.rpartition(".")[0]) not in named)
    }


def _is_told(reader: GraphReader, id: str) -> bool:
    """Return whether a list names a callee: not what is there for type checkers."""
    return not reader.exists(id) or reader.runs(id)


def _constructors(id: str) -> Iterator[str]:
    """Yield a class's constructor as Python, JavaScript, and Java or C++ name it."""
    own = id.rpartition("::")[2].rpartition(".")[2]
    yield from (f"{id}.{name}" for name in ("__init__", "constructor", own))


def _tests(file: FileContext, element: ElementView) -> list[str]:
    """Return the tests that use an element, those that are named after it first.

    They call or read it or, for a class, a method of it. Where none is named after it,
    nor its file after the element's, they use it by the way: the tests of it may be
    others, which reach it in a way that the graph does not see. The same holds for a
    name that several elements have: those have users in tests, and no tests.
    """
    called = [element.id]
    if element.type == "class":
        # Who calls an object, or compares two, may never have named its class.
        methods = (e for e in file.children(element.qual) if e.type == "method")
        called += [one.id for one in methods if not _SPECIAL.search(f".{one.name}")]
    users = (
        user
        for id in called
        for kind in ("calls", "uses")
        for user in file.reader.incoming(id, kind, tests=True)
    )
    found = dict.fromkeys(enclosing_test(user) for user in islice(users, _MOST_TESTS))
    tests = [one for one in found if one and not is_benchmark(one)]
    tests.sort(
        key=lambda one: (
            not _is_named_after(one, element),
            not _is_of_its_module(one, element),
        )
    )
    return tests


def _is_named_after(test: str, element: ElementView) -> bool:
    """Return whether a test, or its file, has the name of an element, or of its file.

    A method has to be named itself: its file says nothing about one of its methods.
    """
    qual = split_id(test)[1]
    bare = element.name.replace("_", "").lower()
    if len(bare) >= _SHORTEST_NAME and bare in qual.replace("_", "").lower():
        return True
    return element.type != "method" and _is_of_its_module(test, element)


def _is_of_its_module(test: str, element: ElementView) -> bool:
    """Return whether a file of tests is named after the file of an element."""
    paths = (split_id(test)[0], element.path)
    stems = (one.rpartition("/")[2].partition(".")[0] for one in paths)
    of_test, own = (re.sub(r"^tests?_|_tests?$|^_+|_+$", "", one) for one in stems)
    return of_test == own


def _overriding_methods(file: FileContext, element: ElementView) -> Iterator[str]:
    """Yield the methods of subclasses that override this one."""
    if element.type != "method" or element.name.startswith("__"):
        return
    for subclass in file.nearest_subclasses(element.parent):
        id = f"{subclass}.{element.name}"
        path = split_id(subclass)[0]
        if file.names.has_name(path, element.name) and file.reader.runs(id):
            yield id


def _overridden_method(file: FileContext, element: ElementView) -> list[str]:
    """Return the nearest method that this one overrides, or nothing."""
    if element.type != "method" or element.name.startswith("__"):
        return []
    for base in file.reader.ancestors(element_id(file.path, element.parent)):
        inherited = f"{base}.{element.name}"
        if file.reader.runs(inherited):
            return [inherited]
    return []


# ---------------------------------------------------------------------- tests


def assertion_fields(file: FileContext, element: ElementView, most: int) -> Row:
    """Return one assertion of a test, cut; empty when the test does not qualify.

    `most` bounds the characters of code that are shown, without the imports.
    """
    called = _called_names(file, element)
    if not called:
        return {}
    quoted = file.quote(element)
    if quoted is None or quoted.ends_fence:
        return {}
    cut = hide_expectation(f"{quoted.head}\n{quoted.body}", most, called)
    if cut is None or (_VALUE.search(cut.hidden) and _rests_on_others(file, element)):
        return {}
    row: Row = {"fence": file.language, "before": cut.before, "hidden": cut.hidden}
    # Imports that only the hidden part needs would show it.
    needs = needed_imports(cut.before, file.imports)
    return row | {"needs": needs} if needs else row


def _rests_on_others(file: FileContext, element: ElementView) -> bool:
    """Return whether a test uses functions, classes or values of its own file.

    The question shows the test alone, so their values cannot be known.
    """
    helpers = {
        one.name
        for one in file.children("")
        if one.type in NAMED_TYPES and not one.name.lower().startswith("test")
    }
    helpers |= file.assigned_names
    code = file.code(element)
    if _FIXTURE.search(code):
        return True  # what its class has set up before
    return bool(helpers) and not helpers.isdisjoint(_WORD.findall(code))


def _called_names(file: FileContext, element: ElementView) -> set[str]:
    """Return the names of the code outside of tests that a Python test calls.

    There are none in what is no test function, or a long one.
    """
    if not file.is_test or file.language != "python" or element.type == "class":
        return set()
    lines = element.row.end_line - element.row.start_line
    if lines > _LONGEST_TEST or not element.name.startswith("test"):
        return set()
    targets = map(split_id, file.reader.outgoing(element.id, "calls"))
    return {name_of(qual) for path, qual in targets if not is_test(path)}


# ---------------------------------------------------------------------- files


def file_row(file: FileContext) -> Row | None:
    """Return the row of a module or a document, None for any other file."""
    language = file.language
    if language in ("", "manifest"):
        return None
    document = any(e.type == "section" for e in file.elements.values())
    kind = "document" if document or language in _DOCUMENTS else "module"
    is_aside = file.is_test or file.is_tool
    row: Row = {
        "kind": kind,
        "id": file.path,
        "label": file.path,
        "project": file.project,
        "fence": language,
        "summary": file.summary,
        "brief": is_aside,
    }
    if kind == "document" and not _begins_with_sentences(file.facts.get("doc", "")):
        row["summary"] = ""
    imports = {} if is_aside else _import_lists(file)
    row.update(_cut_lists(_MOST, **imports))
    members = _cut_lists(_MOST_MEMBERS, members=_top_level(file))
    row.update(members, more=[*row["more"], *members["more"]])
    if not is_aside:
        row["unread"] = file.reader.unread_imports(file.path)
    if kind == "module" and not is_aside:
        row["largest"] = _largest(file)
        row["constants"] = file.public_constants
        row["other_public_names"] = file.other_public_names
        row["parts"] = package_parts(file.path, file.names, file.reader.facts)
    if kind == "document":
        row["titles"] = _titles(file)
    return _without_empty(row)


def _top_level(file: FileContext) -> Iterable[str]:
    """Return top-level elements, classes first, then by name; sections in order."""
    elements = [e for e in file.elements.values() if file.has_row(e)]
    if any(e.type == "section" for e in elements):
        return [e.id for e in elements]
    top = [e for e in elements if not e.parent]
    return [e.id for e in sorted(top, key=lambda e: (e.type, e.name))]


def _titles(file: FileContext) -> list[str]:
    """Return the headings of a document in order, [] where they are no table of it.

    Headings in HTML are none of its sections. Of a change log, "Fixed" under each
    version says nothing.
    """
    if _HTML_HEADING.search(_FENCED.sub("", file.source.decode("utf-8", "replace"))):
        return []
    titles = [e.title for e in file.elements.values() if e.type == "section"]
    most = max(Counter(titles).values(), default=0)
    return titles if most <= _MOST_NAMESAKES and len(titles) <= _MOST_MEMBERS else []


def _largest(file: FileContext) -> list[str]:
    """Return the names of the largest functions and classes of a file."""
    top = [e for e in file.children("") if file.has_row(e)]
    top.sort(key=lambda e: (e.row.start_line - e.row.end_line, e.name))
    return [e.qual for e in top[:_LARGEST]]


def _import_lists(file: FileContext) -> dict[str, Iterable[str]]:
    """Return the files that this one imports, and those except tests that import it,
    or what it defines from elsewhere. Examples and the like are apart from the code.
    """
    reader = file.reader
    targets = reader.outgoing(file.path, "imports")
    importing = list(reader.incoming(file.path, "imports", tests=False))
    importers = _paths(importing)
    if importers:  # a script that installs the package breaks as the others do
        scripts = {path for id in importing if _SETUP.search(path := split_id(id)[0])}
        importers = sorted({*importers, *scripts})
    aside = dict.fromkeys(split_id(id)[0] for id in importing) if importers else ()
    # Who takes a name of the file from a package that passes it on.
    takers = {
        path
        for element in file.children("")
        for path in _paths(_taking(element.id, reader))
    }
    imports = sorted({id for id in targets if "::" not in id} - {file.path})
    for_types = imports_for_types(file.path, file.facts, file.source, imports)
    return {
        "imports": [one for one in imports if one not in for_types],
        "imports_for_types": for_types,
        "importers": importers,
        "importers_aside": [one for one in aside if one not in importers],
        "takers": sorted(takers.difference(importers, (file.path,))),
    }


def _taking(id: str, reader: GraphReader) -> list[str]:
    """Return who imports an element except tests, and gets no other of its name."""
    choosing = _choosing(id, reader)
    return [
        one
        for one in reader.incoming(id, "imports", tests=False)
        if not _gets_by_choice(one, id, choosing - {split_id(one)[0]}, reader)
    ]


def _paths(ids: Iterable[str]) -> list[str]:
    """Return the files of ids, each once, without those that build and document."""
    paths = dict.fromkeys(split_id(id)[0] for id in ids)
    return [path for path in paths if not is_tool(path)]


def _without_empty(row: Row) -> Row:
    return {name: value for name, value in row.items() if value}
