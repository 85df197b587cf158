"""Check what is said of an element without a purpose in its docstring.

Everything here is proven by the element's own file: that the docstring is missing, the
comment above, attributes, methods with their purposes, exceptions, and a call that the
docstring shows.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from repobuild.truth.claims.list_claims import parse_names, strip_more
from repobuild.truth.claims.prose_match import (
    PARAGRAPH_START,
    is_beginning,
    is_purpose,
    occurs,
)
from repobuild.truth.claims.usage_claims import (
    call_problem,
    quotation_problem,
    without_frame,
)
from repobuild.truth.subject import LocalCheck, Subject
from repobuild.truth.tree.python_reader import (
    DEFINITIONS,
    PythonFile,
    display_name,
    last_name,
)

_WARNING_WORDS = re.compile(
    r"注意|警告|重要"
    r"|(?i:warning|caution|important|note|attention):|\w+ must\b|Do |Don't|Never"
)
_WARNING_DIRECTIVE = r"\.\. (?:warning|caution|danger|attention):+\s*"
_RECEIVERS = ("self", "cls")
_COMMENT = re.compile(r"^\s*#[#:]*\s?")
_METHOD = re.compile(r"\n- `([^`\n]+)`([^\n]*)")


def undocumented(subject: Subject, claimed: str) -> str:
    documented = subject.definition is not None and subject.definition.doc
    return "it has a docstring" if documented else ""


def no_purpose(subject: Subject, claimed: str) -> str:
    bare = subject.definition is not None and not subject.definition.doc
    return "it has no docstring" if bare else ""


def stale_docstring(subject: Subject, claimed: str) -> str:
    """Check that a docstring names something that the code below it does not."""
    definition = subject.definition
    if definition is None:
        return ""
    word = re.compile(rf"(?<!\w){re.escape(claimed)}(?!\w)")
    if not word.search(definition.doc):
        return f"its docstring does not name {claimed}"
    written = len(word.findall(ast.unparse(definition.node)))
    is_said = len(word.findall(definition.doc)) < written
    return f"its code names {claimed}" if is_said else ""


def undeclared_parameters(subject: Subject, claimed: str) -> str:
    """Check that a docstring names what the definition does not take."""
    definition = subject.definition
    node = definition.node if definition else None
    if definition is None or not isinstance(node, DEFINITIONS[:2]):
        return ""
    own = node.args
    taken = {one.arg for one in (*own.posonlyargs, *own.args, *own.kwonlyargs)}
    bare, _ = strip_more(claimed, subject.templates)
    for name in (one.name for one in parse_names(bare, subject.templates) or ()):
        if name in taken or not re.search(rf"(?<!\w){name}(?!\w)", definition.doc):
            return f"{name} is a parameter, or not in its docstring"
    return ""


def stub(subject: Subject, claimed: str) -> str:
    """Check that the body is nothing but `...`."""
    node = subject.definition.node if subject.definition else None
    code = [n for n in (node.body if node else ()) if not _is_constant(n, str)]
    good = len(code) == 1 and _is_constant(code[0], type(...))
    return "" if good else "its body is more than that"


def empty_body(subject: Subject, claimed: str) -> str:
    """Check that a function has no statement that does anything."""
    definition = subject.definition
    if definition is None:
        return "there is no such definition" if subject.file.python else ""
    inert = (
        isinstance(one, ast.Pass) or _is_constant(one, str)
        for one in definition.node.body
    )
    return "" if all(inert) else "its body is more than that"


def deprecated(subject: Subject, claimed: str) -> str:
    """Check that the element's decorators, docstring or first level say so.

    Or its module does, by its docstring or by what runs when it is imported.
    """
    if subject.definition is None:
        return "there is no such definition" if subject.file.python else ""
    if subject.file.python and _is_deprecated(subject.file.python):
        return ""
    maker = subject.constructor
    node = maker.node if maker else subject.definition.node
    told = [*getattr(node, "decorator_list", ()), *node.body]
    said = "\n".join(
        [subject.definition.doc, maker.doc if maker else "", *map(ast.unparse, told)]
    )
    return "" if "deprecat" in said.lower() else "nothing says that it is deprecated"


def warning(subject: Subject, claimed: str) -> str:
    """Check that a directive or a line for warnings of the docstring begins so."""
    if subject.definition is None:
        return "there is no such definition" if subject.file.python else ""
    doc = subject.definition.doc
    good = occurs(claimed, doc, _WARNING_DIRECTIVE)
    if _WARNING_WORDS.match(claimed):
        good = good or occurs(claimed, doc, PARAGRAPH_START)
    return "" if good else "its docstring warns of no such thing"


def property_reads(subject: Subject, claimed: str) -> str:
    """Check that a method reads these properties of its class through its receiver."""
    listed = parse_names(strip_more(claimed, subject.templates)[0], subject.templates)
    definition, python = subject.definition, subject.file.python
    if not listed:
        return "it cannot be read as a list of names"
    if definition is None or python is None:
        return "there is no such definition" if python else ""
    read = {
        inner.attr
        for inner in ast.walk(definition.node)
        if isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Load)
        if isinstance(inner.value, ast.Name) and inner.value.id in _RECEIVERS
    }
    known = python.children_by_name(definition.parent)
    for one in listed:
        owner, _, name = one.name.rpartition(".")
        is_known = name in known and known[name].is_property
        if name not in read or not is_known or display_name(definition.parent) != owner:
            return f"it reads no property {one.name}"
    return ""


def settable(subject: Subject, claimed: str) -> str:
    """Check that the class has a setter of the property."""
    if subject.file.python is None:
        return ""
    wanted = f"{subject.name}.setter"
    found = any(
        ast.unparse(decorator) == wanted
        for one in subject.file.python.definitions.values()
        if display_name(one.qual) == display_name(subject.qual)
        for decorator in getattr(one.node, "decorator_list", ())
    )
    return "" if found else "it has no setter"


def recursive(subject: Subject, claimed: str) -> str:
    """Check that an element's own code calls its name, or `partial(name)` by a name.

    `map(name, values)` calls it, too.
    """
    if subject.file.python is None or subject.definition is None:
        return ""
    nodes = list(ast.walk(subject.definition.node))
    names = {subject.name}
    for one in nodes:
        if not isinstance(one, ast.Assign) or not isinstance(one.value, ast.Call):
            continue
        passed = map(last_name, one.value.args[:1])
        if last_name(one.value.func) == "partial" and subject.name in passed:
            names.update(map(last_name, one.targets))
    called = {last_name(one.func) for one in nodes if isinstance(one, ast.Call)}
    given = {
        last_name(argument)
        for one in nodes
        if isinstance(one, ast.Call)
        for argument in one.args
    }
    return "it does not call itself" if names.isdisjoint(called | given) else ""


def _is_deprecated(file: PythonFile) -> bool:
    body = file.tree.body
    plain = [ast.unparse(one) for one in body if isinstance(one, ast.Expr)]
    return any("deprecat" in text.lower() for text in plain)


def constructor_purpose(subject: Subject, claimed: str) -> str:
    """Check that the class has no docstring, and how that of its `__init__` begins."""
    if subject.definition is None or subject.file.python is None:
        return "there is no such definition" if subject.file.python else ""
    if subject.definition.doc:
        return "the class has a docstring"
    known = subject.file.python.children_by_name(subject.qual)
    doc = known["__init__"].doc if "__init__" in known else ""
    good = is_purpose(claimed) and is_beginning(claimed, doc)
    return "" if good else f"its `__init__` says {doc[:80]!r}"


def _is_constant(node: ast.stmt, kind: type) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, kind)
    )


def comment_above(subject: Subject, claimed: str) -> str:
    """Check that the comment lines right above the definition begin like that."""
    if subject.definition is None or subject.file.python is None:
        return "there is no such definition"
    above: list[str] = []
    for line in reversed(subject.file.python.lines[: _first_row(subject)]):
        if not line.lstrip().startswith("#"):
            break
        above.append(_COMMENT.sub("", line))
    text = "\n".join(reversed(above))
    good = is_purpose(claimed) and is_beginning(claimed, text)
    return "" if good else f"the comment above is {text[:80]!r}"


def _first_row(subject: Subject) -> int:
    return subject.definition.decorated_start - 1 if subject.definition else 0


def attributes(subject: Subject, claimed: str) -> str:
    """Check that the class sets these attributes, in its body or through a receiver."""
    listed = parse_names(strip_more(claimed, subject.templates)[0], subject.templates)
    definition = subject.definition
    if not listed:
        return "it cannot be read as a list of names"
    if definition is None or not isinstance(definition.node, ast.ClassDef):
        return "there is no such class" if subject.file.python else ""
    known = set(_set_names(definition.node))
    missing = [one.name for one in listed if one.name not in known]
    return f"it sets no {missing[0]}" if missing else ""


def _set_names(node: ast.ClassDef) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            yield inner.id
        elif isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store):
            if isinstance(inner.value, ast.Name) and inner.value.id in _RECEIVERS:
                yield inner.attr
        elif isinstance(inner, ast.AnnAssign) and isinstance(inner.target, ast.Name):
            yield inner.target.id
        elif isinstance(inner, ast.alias):
            yield (inner.asname or inner.name).partition(".")[0]
        elif isinstance(inner, ast.ClassDef) and inner is not node:
            yield inner.name


def methods_with_purposes(subject: Subject, claimed: str) -> str:
    """Check that each line is a method, with the beginning of its docstring."""
    end = 0
    before, after = subject.templates.parts["purpose"].split("{text}")
    python = subject.file.python
    known = python.children_by_name(subject.qual) if python else {}
    for line in _METHOD.finditer(claimed):
        if line.start() != end:
            return "it cannot be read as a list of methods"
        end = line.end()
        if python is None:
            continue
        method = known.get(line[1])
        if method is None or method.kind != "method":
            return f"{line[1]} is none of its methods"
        text = line[2].removeprefix(before).removesuffix(after)
        if text and not (is_purpose(text) and is_beginning(text, method.doc)):
            return f"of {line[1]} the docstring says {method.doc[:80]!r}"
    return "" if end == len(claimed) else "it cannot be read as a list of methods"


_OF_EXCEPTION = ("with_traceback",)  # methods that return the exception itself


def raises(subject: Subject, claimed: str) -> str:
    """Check that the definition's own code raises these by name."""
    listed = parse_names(claimed, subject.templates)
    if not listed:
        return "it cannot be read as a list of names"
    if subject.definition is None:
        return "there is no such definition" if subject.file.python else ""
    known: set[str] = set()
    waiting: list[ast.AST] = list(subject.definition.node.body)
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, (*DEFINITIONS, ast.Lambda)):
            continue
        if isinstance(inner, ast.Raise) and inner.exc is not None:
            raised = inner.exc
            while isinstance(raised, ast.Call):  # `Error(text).with_traceback(where)`
                raised = raised.func
                if isinstance(raised, ast.Attribute) and raised.attr in _OF_EXCEPTION:
                    raised = raised.value
            called = raised
            known.add(ast.unparse(called))
        waiting.extend(ast.iter_child_nodes(inner))
    missing = [one.name for one in listed if one.name not in known]
    return f"it raises no {missing[0]}" if missing else ""


def docstring_call(subject: Subject, claimed: str) -> str:
    """Check a call that the element's own docstring shows."""
    doc = subject.definition.doc if subject.definition else ""
    if not doc:
        return "it has no docstring" if subject.file.python else ""
    known = {subject.name, *display_name(subject.qual).split(".")}
    claimed = without_frame(claimed)
    problem = call_problem(claimed, subject.name)
    return problem or quotation_problem(claimed, doc, known)


UNDOCUMENTED_CLAIMS: Mapping[str, LocalCheck] = {
    "undocumented": undocumented,
    "no purpose": no_purpose,
    "deprecated": deprecated,
    "settable": settable,
    "recursive": recursive,
    "warning": warning,
    "property reads": property_reads,
    "stub": stub,
    "empty body": empty_body,
    "stale docstring": stale_docstring,
    "undeclared parameters": undeclared_parameters,
    "comment above": comment_above,
    "purpose of constructor": constructor_purpose,
    "attributes": attributes,
    "methods with purposes": methods_with_purposes,
    "raises": raises,
    "docstring call": docstring_call,
}
