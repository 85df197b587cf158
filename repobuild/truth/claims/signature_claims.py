"""Claims about a definition's shape: signature, parameters, returned value, a call."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from repobuild.truth.claims.local_claims import Check
from repobuild.truth.claims.prose_match import stands
from repobuild.truth.subject import Subject
from repobuild.truth.tree.python_reader import (
    PythonDefinition,
    PythonParameter,
    last_name,
    parameters_of,
    same,
)

_RECEIVERS = ("self", "cls")
_LONGEST_DEFAULT = 40  # longer ones are not told
_SHOWN = 8  # parameters
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def signature(about: Subject, said: str) -> str:
    """The head as written, up to layout; of a class, the bases without keywords."""
    if about.file.python is None:
        bare = "".join(said.removesuffix(" ...").split())
        return "" if bare in about.file.bare else "it does not stand in the file"
    found = about.definition
    return same_head(said, found) if found else "there is no such definition"


def same_head(said: str, found: PythonDefinition) -> str:
    """Whether a text is the head of a definition."""
    try:
        body = ast.parse(said + ": pass").body
    except (SyntaxError, ValueError):
        return "it is no head of a definition"
    if len(body) != 1 or type(body[0]) is not type(found.node):
        return f"it is a {found.kind}"
    return "" if _head(body[0]) == _head(found.node) else f"it is {_written(found)}"


def parameters(about: Subject, said: str) -> str:
    """One line for each of the first parameters, in their order."""
    found = about.constructor
    if about.file.python is None:
        return _by_text(about, said)
    known = _told(found)
    lines = said.split("\n")
    if len(lines) > len(known):
        return f"it has {len(known)} parameters"
    doc = found.doc if found else ""
    for line, parameter in zip(lines, known[:_SHOWN], strict=False):
        if wrong := _parameter(about, line, parameter, doc):
            return wrong
    return ""


def returns(about: Subject, said: str) -> str:
    """The annotation, and what the docstring says of it."""
    typed = next(iter(about.frames.part(("returned",), said)), {})
    found = about.definition
    if found is None:
        text = typed.get(("returned", "type"), said)
        bare = "".join(text.replace("`", "").split())
        return "" if bare in about.file.bare else "it does not stand in the file"
    node = None if isinstance(found.node, ast.ClassDef) else found.node.returns
    if node is None:
        return _says_return(said, found)
    type_ = typed.get(("returned", "type"), said.strip("`"))
    if not same(type_, node):
        return f"it returns {ast.unparse(node)}"
    text = typed.get(("returned", "text"), "")
    return _says_return(text, found) if text else ""


def _says_return(text: str, found: PythonDefinition) -> str:
    said = stands(text, found.doc, _SAYS_RETURN)
    return "" if said else "its docstring does not say so"


# A heading, underlined or not, or a field; a Google type may stand before the text.
_SAYS_RETURN = (
    r"(?:Returns|Yields|:returns?)\b[^\n]*?(?:\n\s*-{3,})?\s*(?:[^\n]*\n)?\s*"
)


def example_call(about: Subject, said: str) -> str:
    """A call that is accepted: all that is required, defaults as they are."""
    if about.file.python is None:
        return "" if about.name in said else f"it is called {about.name}"
    found = about.definition
    if found is None:
        return "there is no such definition"
    try:
        node = ast.parse(said.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return "it is no call"
    waits = isinstance(node, ast.Await)
    if waits != isinstance(found.node, ast.AsyncFunctionDef):
        return f"it is {'not ' * waits}awaited"
    call = node.value if isinstance(node, ast.Await) else node
    if not isinstance(call, ast.Call):
        return "it is no call"
    return _callee(call.func, found) or _arguments(call, _told(about.constructor))


def constructor(about: Subject, said: str) -> str:
    """The class with all that its constructor takes, as declared."""
    if about.file.python is None:
        return _by_text(about, said)
    found = about.constructor
    if found is None:
        return "it has no constructor of its own"
    try:
        node = ast.parse(f"def {said}: pass").body[0]
    except (SyntaxError, ValueError):
        return "it is no head of a definition"
    if not isinstance(node, ast.FunctionDef) or node.name != about.name:
        return f"it is called {about.name}"
    shown, known = list(parameters_of(node.args)), _told(found)
    if [_declared(p) for p in shown] != [_declared(p) for p in known]:
        return f"it takes {', '.join(map(_declared, known))}"
    return ""


def _declared(found: PythonParameter) -> str:
    """A parameter as a text to compare."""
    type_, default = _text(found.type), _text(found.default)
    return f"{found.name}: {type_} = {default}{' by name' * found.by_name}"


def _head(node: ast.AST) -> str:
    """What a head says, as a text to compare."""
    if isinstance(node, ast.ClassDef):
        return repr([node.name, *map(ast.dump, node.bases)])
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    returned = ast.dump(node.returns) if node.returns else ""
    return repr([node.name, ast.dump(node.args), returned])


def _written(found: PythonDefinition) -> str:
    node = found.node
    if isinstance(node, ast.ClassDef):
        return f"class {node.name}({', '.join(map(ast.unparse, node.bases))})"
    return f"def {node.name}({ast.unparse(node.args)})"


def _told(found: PythonDefinition | None) -> list[PythonParameter]:
    """The parameters without a method's receiver."""
    known = found.parameters() if found else []
    if found and found.kind == "method" and known and known[0].name in _RECEIVERS:
        return known[1:]
    return known


def _parameter(about: Subject, line: str, found: PythonParameter, doc: str) -> str:
    fields = about.frames.sequence(
        ("parameter", "type?", "default?", "description?"), line
    )
    if fields is None or fields["parameter", "name"] != found.name:
        return f"the parameter is `{found.name}`"
    type_, default = fields.get(("type", "type")), fields.get(("default", "default"))
    if (type_ is not None or found.type) and not same(type_ or "", found.type):
        return f"the type of `{found.name}` is {_text(found.type)}"
    if default is None and found.default and len(_text(found.default)) > 30:
        return _described(fields.get(("description", "text")), found, doc)
    if (default is not None or found.default) and not same(
        default or "", found.default
    ):
        return f"the default of `{found.name}` is {_text(found.default)}"
    return _described(fields.get(("description", "text")), found, doc)


def _described(text: str | None, found: PythonParameter, doc: str) -> str:
    """A description stands right behind the parameter's name, or on the next line."""
    if text is None:
        return ""
    bare = re.escape(found.name.lstrip("*"))
    before = rf"(?<!\w){bare}\b[^\n]*?\s*"
    return "" if stands(text, doc, before) else f"not said of `{found.name}`"


def _text(node: ast.expr | None) -> str:
    return ast.unparse(node) if node else "not written"


def _by_text(about: Subject, said: str) -> str:
    """Without a parser: every name, type and default stands in the file."""
    for line in said.split("\n"):
        fields = about.frames.sequence(
            ("parameter", "type?", "default?", "description?"), line
        )
        for (part, _), text in (fields or {("", ""): line}).items():
            if part != "description" and "".join(text.split()) not in about.file.bare:
                return f"{text} does not stand in the file"
    return ""


def _callee(func: ast.expr, found: PythonDefinition) -> str:
    if last_name(func) != found.name:
        return f"it is called {found.name}"
    if found.kind != "method":
        return "" if isinstance(func, ast.Name) else f"it is {found.name}"
    owner = found.parent.partition("#")[0].rpartition(".")[2]
    on_class = {"staticmethod", "classmethod"} & set(found.decorators)
    wanted = owner if on_class else _CAMEL.sub("_", owner).lower().strip("_")
    said = ast.unparse(func).rpartition(".")[0]
    return "" if said == wanted else f"it is called on {wanted}"


def _arguments(call: ast.Call, known: list[PythonParameter]) -> str:
    """Every argument is a parameter's, and nothing that is required is left out."""
    byname = {p.name: p for p in known}
    given: list[str] = []
    for argument in call.args:
        name = ast.unparse(argument)
        found = byname.get(name)
        if found is None or found.by_name or found.default or found.name in given:
            return f"`{name}` is no positional parameter"
        given.append(name)
    for keyword in call.keywords:
        found = byname.get(keyword.arg or "")
        if found is None or not same(ast.unparse(keyword.value), _value(found)):
            return f"`{keyword.arg}` is {_text(found.default) if found else 'unknown'}"
        if found.by_place:
            return f"`{found.name}` cannot be given by name"
        given.append(found.name)
    order = [p.name for p in known if p.name in given]
    needed = [p.name for p in known if not p.default and p.name[0] != "*"]
    missing = [name for name in needed if name not in given]
    if missing:
        return f"`{missing[0]}` is left out"
    return "" if order == given else f"the order is {', '.join(order)}"


def _value(found: PythonParameter) -> ast.expr:
    return found.default or ast.Name(found.name, ast.Load())


SHAPE: Mapping[str, Check] = {
    "signature": signature,
    "parameters": parameters,
    "returns": returns,
    "example call": example_call,
    "constructor": constructor,
}
