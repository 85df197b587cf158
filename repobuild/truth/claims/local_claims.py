"""Check the claims that the sample's own file proves: location, names, text, contents.

Each public function is the check of the claim of its name; `LOCAL_CLAIMS` at the end
lists them by the names that `structure.CLAIMS` uses.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from repobuild.truth.claims.list_claims import (
    ParsedList,
    parse_list,
    parse_names,
    strip_more,
    told_total,
)
from repobuild.truth.claims.prose_match import (
    PARAGRAPH_START,
    begins_comment,
    is_beginning,
    is_purpose,
    occurs,
)
from repobuild.truth.subject import LocalCheck, Subject
from repobuild.truth.tree.markdown_document import MarkdownSection
from repobuild.truth.tree.python_reader import PythonDefinition, PythonFile

# No constants that anybody looks for in a module.
_ANYWHERE = ("logger", "log", "LOG", "LOGGER", "TYPE_CHECKING")
# What an element can be that no parser reads here.
_ELEMENT_KINDS = ("function", "method", "class")
# What a definition of each kind begins with in Python.
_KEYWORDS = {"function": "def", "method": "def", "class": "class"}
_JOINT = re.compile(r"(?<=[.!?:。！？：])[ ]?(?=\S)")  # of two paragraphs
_PYTHON = (".py", ".pyi")
# "Provides the Clock class": what the docstring of a module says that it defines.
_PROVIDED_CLASS = re.compile(
    r"(?i:(?:this module )?(?:provides?|implements?|defines?|contains?|holds?)"
    r" (?:the|an?)) `?([A-Z]\w*[a-z]\w*)`? (?:class|type|exception)\b"
)
_NO_PURPOSE = "that is a section, a field or an imprint, and no purpose"
_FENCE = re.compile(r"^(?:`{3,}|~{3,})[ \t]*(\w*)", re.MULTILINE)


def name(subject: Subject, claimed: str) -> str:
    """Check one of the element's names; a short one must be unique in the tree."""
    whole = f"{subject.path}::{subject.display_name}"
    if subject.path.endswith(_PYTHON):
        whole = f"{_module_name(subject.path)}.{subject.display_name}"
    if claimed not in (subject.name, subject.display_name, whole):
        return f"it is called `{subject.display_name}`"
    missing = _missing(subject)
    if missing or claimed == whole:
        return missing
    return subject.defer("unambiguous", claimed)


def short_name(subject: Subject, claimed: str) -> str:
    """Check a method's bare name; the file must have no other method of that name."""
    if claimed != subject.name:
        return f"it is called `{subject.name}`"
    if subject.file.python is None:
        return _missing_word(subject, claimed)
    definitions = subject.file.python.definitions.values()
    quals = [d.qual for d in definitions if (d.kind, d.name) == ("method", claimed)]
    return "" if len(quals) == 1 else f"the file has {', '.join(quals)}"


def own_name(subject: Subject, claimed: str) -> str:
    return "" if claimed == subject.name else f"it is called `{subject.name}`"


def kind(subject: Subject, claimed: str) -> str:
    if subject.definition:
        is_property = subject.definition.is_property
        actual = "property" if is_property else subject.definition.kind
    elif subject.qual and not subject.file.document:
        return _check_kind_in_text(subject, claimed)
    elif subject.qual:
        if subject.file.document is None:
            return _check_kind_in_text(subject, claimed)
        actual = "section"
    else:
        actual = "document" if subject.file.document else "module"
    word = subject.templates.words.get(actual, actual)
    return "" if claimed == word else f"it is a {actual}"


def verb(subject: Subject, claimed: str) -> str:
    """Check what an element does with others, where its kind is known."""
    return _check_word(subject, "verb", claimed)


def made(subject: Subject, claimed: str) -> str:
    """Check what users do with an element: they call it, or make objects of it."""
    return _check_word(subject, "made", claimed)


def _check_word(subject: Subject, word: str, claimed: str) -> str:
    words = subject.templates.words
    if subject.definition is None:
        known = [words[key] for key in words if key.startswith(word)]
        return "" if claimed in known else f"it is none of {', '.join(known)}"
    kind = "property" if subject.definition.is_property else subject.definition.kind
    actual = words.get(f"{word}_{kind}", words.get(word, ""))
    return "" if claimed == actual else f"one says {actual} of it"


def _check_kind_in_text(subject: Subject, claimed: str) -> str:
    """Check, without a parser, that the word is a kind that the element can be.

    In JavaScript a method has a class in its name, or is bound to something, as in
    `app.use = function`; in Go and Rust its type may be in another file.
    """
    words = subject.templates.words
    kinds = [one for one in _ELEMENT_KINDS if words[one] == claimed]
    if not kinds:
        return f"it is none of {', '.join(words[one] for one in _ELEMENT_KINDS)}"
    is_script = subject.file.language in ("javascript", "typescript", "tsx")
    if is_script and kinds == ["method"] and "." not in subject.display_name:
        if not re.search(rf"\.\s*{re.escape(subject.name)}\b", subject.file.text):
            return "it is in no class"
    if subject.file.language == "python":
        head = rf"\b{_KEYWORDS[kinds[0]]}\s+{re.escape(subject.name)}\b"
        if not re.search(head, subject.file.text):
            return f"no `{_KEYWORDS[kinds[0]]} {subject.name}` is there"
    return ""


def package(subject: Subject, claimed: str) -> str:
    good = f"{claimed}/__init__.py" == subject.path
    return "" if good else f"it is about {subject.path}"


def path(subject: Subject, claimed: str) -> str:
    if claimed != subject.path:
        return f"it is in {subject.path}"
    return subject.defer("path", claimed) or _missing(subject)


def container(subject: Subject, claimed: str) -> str:
    if subject.definition is None:
        return _missing(subject) or _missing_word(subject, claimed)
    parent = subject.parent
    if parent is None or claimed != subject.display_name.rpartition(".")[0]:
        return f"it is in `{subject.definition.parent}`"
    return "" if parent.kind == "class" else f"`{parent.qual}` is no class"


def owner(subject: Subject, claimed: str) -> str:
    """Check what the name of a method begins with that is no class of the file."""
    if subject.parent is not None or claimed != subject.display_name.rpartition(".")[0]:
        return f"it is `{subject.display_name}`"
    return _missing_word(subject, claimed)


def language(subject: Subject, claimed: str) -> str:
    actual = subject.file.language
    return "" if claimed == actual else f"it is {actual}"


def mask(subject: Subject, claimed: str) -> str:
    return "" if claimed == "`<...>`" else "the mark is `<...>`"


def first_line(subject: Subject, claimed: str) -> str:
    if subject.file.python:
        if subject.definition is None:
            return "there is no such definition"
        line = subject.definition.decorated_start
        return "" if claimed == str(line) else f"that is line {line}"
    # Without a parser: the name is in that line or in one of the next two, or, of a
    # `typedef struct {` of C, after the bracket that ends it.
    lines = subject.file.text.split("\n")
    start = int(claimed) - 1 if claimed.isdigit() else len(lines)
    found = _has_word("\n".join(lines[start : start + 3]), subject.name)
    if lines[start : start + 1] and lines[start].startswith("typedef "):
        end = (row for row in lines[start:] if row.startswith("}"))
        found |= _has_word(next(end, ""), subject.name)
    return "" if found else f"`{subject.name}` is not there"


def last_line(subject: Subject, claimed: str) -> str:
    if subject.file.python:
        if subject.definition is None:
            return "there is no such definition"
        line = subject.definition.end
        return "" if claimed == str(line) else f"that is line {line}"
    lines = subject.file.text.count("\n") + 1
    in_file = claimed.isdigit() and int(claimed) <= lines
    return "" if in_file else f"it has {lines} lines"


def summary(subject: Subject, claimed: str) -> str:
    if subject.definition:
        return _check_doc(claimed, subject.definition.doc)
    if subject.file.python:
        return _missing(subject) or _check_module_doc(claimed, subject.file.python)
    if subject.file.document:
        return _check_paragraph(claimed, subject.file.document.text)
    return _check_comment(subject, claimed)


def container_summary(subject: Subject, claimed: str) -> str:
    if subject.parent is None:
        return _check_comment(subject, claimed)
    return _check_doc(claimed, subject.parent.doc)


def module_summary(subject: Subject, claimed: str) -> str:
    if subject.file.python:
        return _check_module_doc(claimed, subject.file.python)
    return _check_comment(subject, claimed)


def _check_module_doc(claimed: str, module: PythonFile) -> str:
    """Check a module's purpose: it cannot provide a class that it does not bind."""
    told = _PROVIDED_CLASS.match(claimed)
    if told and not module.binds(told[1]):
        return f"the module binds no `{told[1]}`"
    return _check_doc(claimed, module.doc)


def section(subject: Subject, claimed: str) -> str:
    """Check a title, after as many of those above it as tell it from others."""
    heading = _section(subject)
    if heading is None or subject.file.document is None:
        return "there is no such section"
    above: list[str] = []  # the titles that enclose the current section, its own last
    levels: list[int] = []
    called = []
    for one in subject.file.document.sections.values():
        while levels and levels[-1] >= one.level:
            levels.pop()
            above.pop()
        levels.append(one.level)
        above.append(one.title)
        names = [" > ".join(above[start:]) for start in range(len(above))]
        if one is heading and claimed not in names:
            return f'it is called "{heading.title}"'
        called += [one.qual for name in names if name.lower() == claimed.lower()]
    # Two sections of one document answer "in which document" alike.
    names_one = subject.kind == "passage" and not subject.sample.get("ambiguous")
    if len(called) > 1 and names_one:
        return f"{len(called)} sections are called so"
    return ""


def passage(subject: Subject, claimed: str) -> str:
    heading = _section(subject)
    return _check_paragraph(claimed, heading.text if heading else "")


def block(subject: Subject, claimed: str) -> str:
    """Check that the section has this code, and no other block of code."""
    heading = _section(subject)
    text = heading.text if heading else ""
    is_there = f"\n{claimed}\n" in text and len(_FENCE.findall(text)) == 2
    return "" if is_there else "the section has no such code, or more"


def block_language(subject: Subject, claimed: str) -> str:
    heading = _section(subject)
    opening = _FENCE.search(heading.text) if heading else None
    good = opening is not None and opening[1] == claimed
    return "" if good else "its code is in another language"


def sections(subject: Subject, claimed: str) -> str:
    """Check the first section titles of the document, in their order."""
    text, has_more = strip_more(claimed, subject.templates)
    join = subject.templates.words["join"]
    frame = subject.templates.words["quoted"]
    document = subject.file.document
    every = document.sections.values() if document else ()
    quoted = [frame.format(text=one.title) for one in every]
    for count in range(1, len(quoted) + 1):
        if text == join.join(quoted[:count]):
            return _check_complete(count, len(quoted), has_more)
    return f"its sections are {join.join(quoted[:8])}"


def unread_imports(subject: Subject, claimed: str) -> str:
    """Check that the file has these relative imports."""
    listed = parse_names(claimed, subject.templates)
    if not listed:
        return "it cannot be read as a list of names"
    for one in listed:
        bare = one.name.lstrip(".")
        dots = one.name.removesuffix(bare)
        pattern = rf"from\s+{re.escape(one.name)}\s+import\b"
        pattern += rf"|from\s+{re.escape(dots)}\s+import\b[^#;]*?\b{re.escape(bare)}\b"
        if not dots or not re.search(pattern, subject.file.text):
            return f"it has no import of {one.name}"
    return ""


def contents(subject: Subject, claimed: str) -> str:
    """Check the top-level definitions: all of them, or "and others"."""
    begin, end = subject.templates.words["only_constants"].split("{items}")
    if claimed.startswith(begin) and claimed.endswith(end) and subject.file.python:
        if _listed_definitions(subject, ""):
            return "it defines functions or classes"
        return constants(subject, claimed[len(begin) : len(claimed) - len(end)])
    parsed = parse_list(
        claimed, subject.templates, subject.path, subject.sample["sources"]
    )
    if not isinstance(parsed, ParsedList):
        return parsed
    for id in parsed.ids:
        if id.partition("::")[0] != subject.path:
            return f"{id} is in another file"
    if subject.file.python:
        quals = [d.qual for d in _listed_definitions(subject, "")]
    elif subject.file.document:
        quals = [one.qual for one in _listed_sections(subject)]
    else:
        return _first_missing(subject, [id.partition("::")[2] for id in parsed.ids])
    known = {f"{subject.path}::{qual}" for qual in quals}
    for id in parsed.ids:
        if id not in known:
            return f"{id} is not at its top level"
    if told_total(claimed, subject.templates) not in (0, len(known)):
        return f"there are {len(known)} in all"
    return _check_complete(len(parsed.ids), len(known), parsed.has_more)


def constants(subject: Subject, claimed: str) -> str:
    """Check the names in capitals that the top level of a file assigns to."""
    text, has_more = strip_more(claimed, subject.templates)
    listed = parse_names(text, subject.templates)
    if listed is None or subject.file.python is None:
        return "" if listed else "it cannot be read as a list"
    known = _assigned(subject.file.python.tree.body)
    public = [
        one
        for one in known
        if re.fullmatch("[A-Z][A-Z0-9_]+", one) and one not in _ANYWHERE
    ]
    return _check_names([one.name for one in listed], public, has_more)


def other_public_names(subject: Subject, claimed: str) -> str:
    """Check the other names that the top level of a file assigns to."""
    text, has_more = strip_more(claimed, subject.templates)
    listed = parse_names(text, subject.templates)
    if listed is None or subject.file.python is None:
        return "it cannot be read as a list"
    known = _assigned(subject.file.python.tree.body)
    exported = _exported(subject.file.python.tree.body)
    defined = subject.file.python.children_by_name("")
    public = [
        name
        for name, value in known.items()
        if name[0] != "_" and name not in _ANYWHERE and name not in defined
        if not re.fullmatch("[A-Z][A-Z0-9_]+", name) and not _is_type_variable(value)
        if not exported or name in exported
    ]
    return _check_names([one.name for one in listed], public, has_more)


def _exported(body: list[ast.stmt]) -> set[str]:
    """Return the texts in statements about `__all__`."""
    return {
        str(one.value)
        for node in body
        if not isinstance(node, ast.FunctionDef | ast.ClassDef)
        and any(isinstance(n, ast.Name) and n.id == "__all__" for n in ast.walk(node))
        for one in ast.walk(node)
        if isinstance(one, ast.Constant)
    }


def _assigned(body: list[ast.stmt]) -> dict[str, ast.expr | None]:
    """Return the names that statements assign to, each with its first value."""
    known: dict[str, ast.expr | None] = {}
    for node in body:
        targets = node.targets[:1] if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign) and node.value:
            targets = [node.target]
        for one in targets:
            if isinstance(one, ast.Name):
                known.setdefault(one.id, getattr(node, "value", None))
    return known


def _is_type_variable(value: ast.expr | None) -> bool:
    if not isinstance(value, ast.Call):
        return False
    called = ast.unparse(value.func).rpartition(".")[2]
    return called in ("TypeVar", "ParamSpec", "TypeVarTuple")


def methods(subject: Subject, claimed: str) -> str:
    """Check the methods of a class: all of them, or "and others"."""
    text, has_more = strip_more(claimed, subject.templates)
    listed = parse_names(text, subject.templates)
    if not listed or any(one.path for one in listed):
        return "it cannot be read as a list of names"
    names = [one.name for one in listed]
    if subject.file.python is None:
        return _first_missing(subject, names)
    definitions = subject.file.python.children_by_name(subject.qual).values()
    known = [d.name for d in definitions if d.kind == "method" and not d.is_property]
    return _check_names(names, known, has_more)


def some_methods(subject: Subject, claimed: str) -> str:
    """Check some methods of a class: private ones are left out without a word."""
    text, has_more = strip_more(claimed, subject.templates)
    listed = {one.name for one in parse_names(text, subject.templates) or ()}
    python = subject.file.python
    if python is None or has_more or not listed:
        return methods(subject, claimed)
    definitions = python.children_by_name(subject.qual).values()
    known = {d.name for d in definitions if d.kind == "method" and not d.is_property}
    if strange := listed - known:
        return f"{min(strange)} is none of its methods"
    lost = {one for one in known - listed if not one.startswith("_")}
    return f"it lacks {min(lost)}" if lost else ""


def nested_classes(subject: Subject, claimed: str) -> str:
    """Check the classes in the body of a class: all of them, or "and others"."""
    python = subject.file.python
    definitions = python.children_by_name(subject.qual).values() if python else ()
    known = [one.name for one in definitions if one.kind == "class"]
    return _check_bare_names(subject, claimed, known)


def static_methods(subject: Subject, claimed: str) -> str:
    """Check the methods under `@staticmethod`: all of them, or "and others"."""
    python = subject.file.python
    definitions = python.children_by_name(subject.qual).values() if python else ()
    known = [
        one.name
        for one in definitions
        if any(
            ast.unparse(decorator) == "staticmethod"
            for decorator in getattr(one.node, "decorator_list", ())
        )
    ]
    return _check_bare_names(subject, claimed, known)


def _check_bare_names(subject: Subject, claimed: str, known: list[str]) -> str:
    text, has_more = strip_more(claimed, subject.templates)
    listed = parse_names(text, subject.templates)
    if not listed or any(one.path for one in listed):
        return "it cannot be read as a list of names"
    return _check_names([one.name for one in listed], known, has_more)


def properties(subject: Subject, claimed: str) -> str:
    """Check that these are the properties of a class, all of them."""
    listed = parse_names(claimed, subject.templates)
    if not listed or any(one.path for one in listed):
        return "it cannot be read as a list of names"
    python = subject.file.python
    definitions = python.children_by_name(subject.qual).values() if python else ()
    known = [d.name for d in definitions if d.is_property]
    return _check_names([one.name for one in listed], known, has_more=False)


def aliases(subject: Subject, claimed: str) -> str:
    """Check that the class body assigns a method to each other name."""
    python, names = subject.file.python, re.findall(r"`([^`]+)`", claimed)
    if python is None or subject.definition is None:
        return _first_missing(subject, names)
    known = {one.name for one in python.children(subject.qual) if one.kind == "method"}
    assigned = {
        (ast.unparse(target), ast.unparse(one.value))
        for one in getattr(subject.definition.node, "body", ())
        if isinstance(one, ast.Assign)
        for target in one.targets
    }
    if not names or len(names) % 2:
        return "it does not name pairs"
    for name, other in zip(names[::2], names[1::2], strict=True):
        if other not in known or (name, other) not in assigned:
            return f"the class body does not say {name} = {other}"
    return ""


def other_names(subject: Subject, claimed: str) -> str:
    """Check that the module assigns the element to each of these names."""
    python = subject.file.python
    assigned = {
        ast.unparse(target)
        for one in (python.tree.body if python else ())
        if isinstance(one, ast.Assign) and ast.unparse(one.value) == subject.qual
        for target in one.targets
    }
    lost = set(re.findall(r"`([^`]+)`", claimed)) - assigned
    return f"the module does not say {min(lost)} = {subject.qual}" if lost else ""


def _check_names(names: list[str], known: list[str], has_more: bool) -> str:
    if not set(names) <= set(known) or len(set(names)) < len(names):
        return f"they are {', '.join(known)}"
    return _check_complete(len(names), len(known), has_more)


def methods_with_lines(subject: Subject, claimed: str) -> str:
    """Check methods and attributes of a class, with their first and last lines."""
    if subject.file.python is None:
        return ""
    known = {d.name: d for d in subject.file.python.children(subject.qual)}
    known |= subject.file.python.children_by_name(subject.qual)
    named = set()
    for item in claimed.split(subject.templates.words["join"]):
        readings = subject.templates.match_parts(("lines_of", "line_of"), item)
        fields = (
            {side: text for (_, side), text in readings[0].items()} if readings else {}
        )
        method = known.get(fields.get("name", ""))
        python = subject.file.python
        is_missing = method is None or python.is_stub(method)
        # What type checkers read may be set otherwise at run time.
        if method is None or is_missing or method.node in python.for_types:
            if _sets_in_line(subject, fields):
                continue
        if method is None or is_missing:
            return f"{item} is none of its methods"
        named.add(method.name)
        start = fields["start"]
        first, last = str(method.decorated_start), str(method.end)
        if (start, fields.get("end", start)) != (first, last):
            return f"{method.name} is in lines {first}-{last}"
    lost = [
        one.name
        for one in known.values()
        if one.kind == "method" and not subject.file.python.is_stub(one)
        if one.name not in named and "overload" not in one.decorators
    ]
    return f"it defines {lost[0]}, too" if lost else ""


def _sets_in_line(subject: Subject, fields: Mapping[str, str]) -> bool:
    """Return whether the body of a class sets an attribute in a line."""
    node = subject.definition.node if subject.definition else None
    is_line = isinstance(node, ast.ClassDef) and "end" not in fields
    body = list(node.body) if node is not None and is_line else []
    for one in body:  # also in the branches of an `if TYPE_CHECKING`
        body += [*one.body, *one.orelse] if isinstance(one, ast.If) else []
    return any(
        isinstance(target, ast.Name)
        and (target.id, str(target.lineno)) == (fields.get("name"), fields.get("start"))
        for one in body
        if isinstance(one, ast.Assign | ast.AnnAssign)
        for target in (one.targets if isinstance(one, ast.Assign) else [one.target])
    )


def called_line(subject: Subject, line: str, code: str) -> str:
    """Check that a line of the definition has this code (in backticks).

    No entry of `LOCAL_CLAIMS`: it takes two fields, so `sample_check.py` calls it.
    """
    definition, lines = subject.definition, subject.file.text.split("\n")
    number = int(line) if line.isdigit() else 0
    text = code[3:-3] if code.startswith("`` ") else code[1:-1]
    if not 0 < number <= len(lines) or lines[number - 1].strip() != text:
        return "that line reads otherwise"
    if definition and not definition.decorated_start <= number <= definition.end:
        return "that line is not in the definition"
    return ""


def runs_under(subject: Subject, line: str, head: str = "", word: str = "") -> str:
    """Check the block that a line of a definition is in: none unless `head` is given.

    `head` is the number of the line that opens it, `word` the first word of that line.
    No entry of `LOCAL_CLAIMS`, for the same reason.
    """
    definition, python = subject.definition, subject.file.python
    if definition is None or python is None:
        return ""
    body = definition.node.body
    first = body[0].lineno if body else definition.end
    number = int(line)
    indent = _indent(python.lines[number - 1])
    above = (
        row
        for row in range(number - 1, first - 1, -1)
        if python.lines[row - 1].strip() and _indent(python.lines[row - 1]) < indent
    )
    row = next(above, 0)
    if not row:
        return "no block is around that line" if head else ""
    text = python.lines[row - 1].strip()
    is_told = head == str(row) and word and text.startswith(word)
    return "" if is_told else f"it is in the block of line {row}: {text!r}"


def comment_over(subject: Subject, number: int, claimed: str) -> str:
    """Check that the lines of comment directly above a line say this.

    No entry of `LOCAL_CLAIMS`, for the same reason.
    """
    lines = subject.file.text.split("\n")[: number - 1]
    said: list[str] = []
    while lines and lines[-1].lstrip().startswith("#"):
        said.insert(0, lines.pop().strip().lstrip("#:").strip())
    is_said = " ".join(" ".join(said).split()) == claimed
    return "" if is_said else f"above line {number} stands: {' '.join(said)!r}"


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def misses_lines(subject: Subject, numbers: list[str]) -> str:
    """Return "" when lines of a trace are all the lines of the body, in order.

    No entry of `LOCAL_CLAIMS`: `sample_check.py` calls it with the number of each step.
    """
    definition, layout = subject.definition, subject.file.layout
    if definition is None or layout is None or subject.file.python is None:
        return ""
    body = definition.node.body[1 if definition.doc else 0 :]
    if not body:
        return "it has no body"
    lines = subject.file.python.lines
    idle = {row for one in body if _is_string(one) for row in _rows(one)}
    known = [
        str(row)
        for row in range(body[0].lineno, definition.end + 1)
        if lines[row - 1][: layout.comments.get(row)].strip() and row not in idle
    ]
    return "" if numbers == known else f"its lines are {', '.join(known)}"


def _is_string(node: ast.stmt) -> bool:
    """Return whether a statement is a string alone, which does nothing."""
    value = node.value if isinstance(node, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def _rows(node: ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _module_name(path: str) -> str:
    """Return the dotted name of a file, as imported from the top or from `src`."""
    stem = path[: path.rfind(".")] if "." in path.rpartition("/")[2] else path
    parts = stem.split("/")
    parts = parts[1:] if parts[0] == "src" and len(parts) > 1 else parts
    parts = parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts
    return ".".join(parts)


def _missing(subject: Subject) -> str:
    """Return what is wrong when the file does not define the element."""
    if not subject.qual:
        return ""
    if subject.file.python:
        gone = subject.definition is None
        return f"{subject.path} defines no `{subject.qual}`" if gone else ""
    if subject.file.document:
        gone = _section(subject) is None
        return f"{subject.path} has no section `{subject.qual}`" if gone else ""
    return _missing_word(subject, subject.name)


def _missing_word(subject: Subject, word: str) -> str:
    """Return what is wrong when the file's text lacks the last part of a name."""
    last = word.rpartition(".")[2]
    words = subject.file.words
    if last in words if last.isidentifier() else _has_word(subject.file.text, last):
        return ""
    return f"`{last}` occurs nowhere in {subject.path}"


def _first_missing(subject: Subject, words: list[str]) -> str:
    return next(filter(None, (_missing_word(subject, word) for word in words)), "")


def _has_word(text: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None


def _check_doc(claimed: str, doc: str) -> str:
    if not is_purpose(claimed):
        return _NO_PURPOSE
    good = is_beginning(claimed, doc) or _is_beginning_with_paragraphs(claimed, doc)
    return "" if good else f"its docstring begins: {doc[:80]!r}"


def _is_beginning_with_paragraphs(claimed: str, doc: str) -> bool:
    """Return whether a text is how a docstring begins, and one more paragraph of it.

    Where several docstrings begin with one sentence, the next paragraph that is text
    tells them apart. Of one that tells a use in each paragraph, before its example, all
    follow. Each gets a full stop if it has none.
    """
    for joint in _JOINT.finditer(claimed):
        first, rest = claimed[: joint.start()], claimed[joint.end() :]
        is_one = occurs(rest, doc, PARAGRAPH_START)
        if not is_one and not all(
            occurs(one.removesuffix("."), doc, PARAGRAPH_START)
            for one in _JOINT.split(rest)
        ):
            continue
        if is_beginning(first, doc) or is_beginning(first.rstrip(".。"), doc):
            return True
    return False


def _check_paragraph(claimed: str, text: str) -> str:
    good = occurs(claimed, text, PARAGRAPH_START)
    return "" if good else f"no paragraph of {len(text)} characters begins like that"


def _check_comment(subject: Subject, claimed: str) -> str:
    if not is_purpose(claimed):
        return _NO_PURPOSE
    good = begins_comment(claimed, subject.file.text)
    return "" if good else "no comment of the file begins like that"


def _section(subject: Subject) -> MarkdownSection | None:
    document = subject.file.document
    return document.sections.get(subject.qual) if document else None


def _listed_definitions(subject: Subject, parent: str) -> list[PythonDefinition]:
    """Return the definitions that lists name: one per name, no undocumented dunders."""
    python = subject.file.python
    return [
        one
        for one in (python.children_by_name(parent).values() if python else ())
        if not _is_dunder(one.name) or one.name == "__init__" or one.doc
    ]


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _listed_sections(subject: Subject) -> list[MarkdownSection]:
    """Return the sections that lists name: one per qualified name."""
    document = subject.file.document
    sections = document.sections.values() if document else ()
    return [one for one in sections if "#" not in one.qual]


def _check_complete(listed: int, known: int, has_more: bool) -> str:
    """Check that a list says that there are more exactly when there are."""
    if has_more == (listed < known):
        return ""
    return f"{listed} are listed, there are {known}"


LOCAL_CLAIMS: Mapping[str, LocalCheck] = {
    "name": name,
    "own name": own_name,
    "short name": short_name,
    "kind": kind,
    "verb": verb,
    "made": made,
    "path": path,
    "package": package,
    "container": container,
    "owner": owner,
    "language": language,
    "mark": mask,
    "first line": first_line,
    "last line": last_line,
    "summary": summary,
    "container summary": container_summary,
    "module summary": module_summary,
    "unread imports": unread_imports,
    "section": section,
    "passage": passage,
    "block": block,
    "block language": block_language,
    "sections": sections,
    "contents": contents,
    "constants": constants,
    "other public names": other_public_names,
    "methods": methods,
    "some methods": some_methods,
    "properties": properties,
    "static methods": static_methods,
    "nested classes": nested_classes,
    "aliases": aliases,
    "other names": other_names,
    "methods with lines": methods_with_lines,
}
