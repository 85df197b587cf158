"""Check claims about a definition's head, parameters, return value and calls."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from repobuild.truth.claims.prose_match import occurs
from repobuild.truth.claims.usage_claims import without_frame
from repobuild.truth.subject import LocalCheck, Subject
from repobuild.truth.tree.python_reader import (
    PythonDefinition,
    PythonParameter,
    display_name,
    is_same_expression,
    last_name,
)

_RECEIVERS = ("self", "cls", "klass", "mcs", "mcls", "metacls", "this")
# Decorators without which a head is read as that of a method.
_CALLED_OTHERWISE = frozenset(
    "property cached_property staticmethod classmethod contextmanager"
    " asynccontextmanager".split()
)
_LONGEST_DEFAULT = 30  # characters; answers leave longer defaults out
_PARAMETER = (
    "parameter", "type?", "by_name|by_position?",
    "default|same_default|some_default?", "description?",
)  # fmt: skip
_PRIVATE = re.compile(r"_+[A-Za-z]\w*")  # a default of this name says nothing
_CAMEL_CASE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# A heading, underlined or not, or a field; a Google type may precede the text.
_RETURNS_HEADING = (
    r"(?:Returns|Yields|[:@]returns?)\b[^\n]*?(?:\n\s*-{3,})?\s*(?:[^\n]*\n)?\s*"
    r"(?:[~\w.\[\], ]+:\s+|`*[\w.\[\]]+`* --+ )?"
)


def signature(subject: Subject, claimed: str) -> str:
    """Check the head as written, up to layout; of a class, bases without keywords."""
    if subject.file.python is None:
        occurs_there = subject.file.has_text(claimed.removesuffix(" ..."))
        return "" if occurs_there else "it does not occur in the file"
    if subject.definition is None:
        return "there is no such definition"
    if problem := check_head(claimed, subject.definition):
        return problem
    return _check_decorators(ast.parse(claimed + ": pass").body[0], subject.definition)


def check_head(claimed: str, definition: PythonDefinition) -> str:
    """Check that a text is the head of a definition."""
    try:
        body = ast.parse(claimed + ": pass").body
    except (SyntaxError, ValueError):
        return "it is no head of a definition"
    if len(body) != 1 or type(body[0]) is not type(definition.node):
        return f"it is a {definition.kind}"
    if _comparable_head(body[0]) == _comparable_head(definition.node):
        return ""
    node = definition.node
    if isinstance(node, ast.ClassDef):
        return f"it is class {node.name}({', '.join(map(ast.unparse, node.bases))})"
    return f"it is def {node.name}({ast.unparse(node.args)})"


def _check_decorators(head: ast.stmt, definition: PythonDefinition) -> str:
    """Check that a head has all decorators, or those that decide how it is called."""
    assert isinstance(head, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    node = definition.node
    if list(map(ast.dump, head.decorator_list)) == [
        ast.dump(one) for one in getattr(node, "decorator_list", ())
    ]:
        return ""
    claimed = [last_name(one) for one in head.decorator_list]
    known = [one for one in definition.decorators if one in _CALLED_OTHERWISE]
    return "" if claimed == known else f"its decorators are {', '.join(known)}"


def _comparable_head(node: ast.AST) -> str:
    generics = [ast.dump(one) for one in getattr(node, "type_params", [])]
    if isinstance(node, ast.ClassDef):
        return repr([node.name, generics, *map(ast.dump, node.bases)])
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    returned = ast.dump(node.returns) if node.returns else ""
    return repr([node.name, generics, ast.dump(node.args), returned])


def parameters(subject: Subject, claimed: str) -> str:
    """Check one line for each parameter, in their order."""
    if subject.file.python is None:
        return _check_parameters_in_text(subject, claimed)
    known = _parameters(subject.constructor)
    lines = claimed.split("\n")
    if len(lines) != len(known):
        return f"it has {len(known)} parameters"
    definitions = (subject.constructor, subject.definition)
    doc = "\n".join(one.doc for one in definitions if one)
    for line, parameter in zip(lines, known, strict=True):
        if wrong := _check_parameter(subject, line, parameter, doc):
            return wrong
    return ""


def no_arguments(subject: Subject, claimed: str) -> str:
    """Check that a caller passes nothing."""
    if subject.file.python is None:
        return ""
    known = _parameters(subject.constructor)
    return f"it takes {', '.join(p.name for p in known)}" if known else ""


def _check_parameter(
    subject: Subject, line: str, parameter: PythonParameter, doc: str
) -> str:
    fields = subject.templates.match_sequence(_PARAMETER, line)
    name = parameter.name
    if fields is None or fields["parameter", "name"] != name:
        return f"the parameter is `{name}`"
    passing = (("by_name", "said") in fields, ("by_position", "said") in fields)
    if passing != (parameter.keyword_only, parameter.positional_only):
        return f"`{name}` is passed otherwise"
    type_, default = fields.get(("type", "type")), fields.get(("default", "default"))
    if ("same_default", "said") in fields:
        default = name
    annotated = type_ is not None or parameter.annotation
    if annotated and not is_same_expression(type_ or "", parameter.annotation):
        return f"the type of `{name}` is {_source(parameter.annotation)}"
    is_untold = ("some_default", "said") in fields
    if is_untold and parameter.default is None:
        return f"`{name}` has no default"
    is_omitted = default is None and is_untold == (parameter.default is not None)
    if is_untold and _is_worth_telling(_source(parameter.default)):
        return f"the default of `{name}` is left out"
    if not is_omitted and not is_same_expression(default or "", parameter.default):
        return f"the default of `{name}` is {_source(parameter.default)}"
    text = fields.get(("description", "text"))
    if text is None:
        return ""
    # The description follows the parameter's name, on its line or on the next, where
    # it may begin with a mark that an answer leaves out.
    before = rf"(?<!\w){re.escape(name.lstrip('*'))}\b[^\n]*?\s*"
    before += r"(?:[*•-]\s+)?(?:\(?(?i:optional)\)?[,.:;]?\s+)?"
    if not occurs(text, doc, before):
        return f"the docstring does not describe `{name}` so"
    return ""


def _is_worth_telling(default: str) -> bool:
    return len(default) <= _LONGEST_DEFAULT and not _PRIVATE.fullmatch(default)


def _check_parameters_in_text(subject: Subject, claimed: str) -> str:
    """Check, without a parser, that each name, type and default is in the file."""
    for line in claimed.split("\n"):
        fields = subject.templates.match_sequence(_PARAMETER, line)
        for (part, _), text in (fields or {("", ""): line}).items():
            if part not in (
                "description",
                "some_default",
            ) and not subject.file.has_text(text):
                return f"{text} does not occur in the file"
    return ""


def returns(subject: Subject, claimed: str) -> str:
    """Check the return annotation, and what the docstring says about the value."""
    # Where Chinese quotes a text alone, it is no type in backticks.
    quoted = subject.templates.match_parts(("returned_text",), claimed)
    if quoted and not claimed.startswith("`"):
        claimed = quoted[0]["returned_text", "text"]
    fields = next(iter(subject.templates.match_parts(("returned",), claimed)), {})
    definition = subject.definition
    if definition is None:
        text = fields.get(("returned", "type"), claimed)
        occurs_there = subject.file.has_text(text.replace("`", ""))
        return "" if occurs_there else "it does not occur in the file"
    node = definition.node
    annotation = None if isinstance(node, ast.ClassDef) else node.returns
    if annotation is None:
        return _check_return_text(claimed, definition)
    type_ = fields.get(("returned", "type"), claimed.strip("`"))
    if not is_same_expression(type_, annotation):
        return f"it returns {ast.unparse(annotation)}"
    text = fields.get(("returned", "text"), "")
    return _check_return_text(text, definition) if text else ""


def _check_return_text(text: str, definition: PythonDefinition) -> str:
    is_documented = occurs(text, definition.doc, _RETURNS_HEADING)
    return "" if is_documented else "its docstring does not say so"


def example_call(subject: Subject, claimed: str) -> str:
    """Check that a call is valid: all required arguments, defaults as they are."""
    if subject.file.python is None:
        is_named = subject.name in claimed
        return "" if is_named else f"it is called {subject.name}"
    if subject.definition is None:
        return "there is no such definition"
    try:
        node = ast.parse(without_frame(claimed).strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return "it is no call"
    awaited = isinstance(node, ast.Await)
    if awaited and not subject.definition.is_coroutine:
        names = sorted(_returned_calls(subject.definition))
        if not names or "" in names:
            return "it is not awaited"
        subject.defer("coroutines", "", tuple(names))
    elif awaited != subject.definition.is_coroutine:
        return f"it is {'not ' * awaited}awaited"
    call = node.value if isinstance(node, ast.Await) else node
    if not isinstance(call, ast.Call):
        return "it is no call"
    wrong = _check_callee(call.func, subject.definition)
    return wrong or _check_arguments(call, _parameters(subject.constructor))


def _returned_calls(definition: PythonDefinition) -> set[str]:
    """Return the names of what is called in `return`; "" for what is no call."""
    return {
        last_name(node.value.func) if isinstance(node.value, ast.Call) else ""
        for node in ast.walk(definition.node)
        if isinstance(node, ast.Return)
    }


def constructor(subject: Subject, claimed: str) -> str:
    """Check a call that passes all parameters of the constructor, defaults as such."""
    if subject.file.python is None:
        return _check_parameters_in_text(subject, claimed)
    if subject.constructor is None:
        return "it has no constructor of its own"
    try:
        call = ast.parse(claimed, mode="eval").body
    except (SyntaxError, ValueError):
        return "it is no call"
    if not isinstance(call, ast.Call):
        return "it is no call"
    # A class of a function has no name that others know.
    names = {display_name(subject.qual)}
    if not subject.definition or not subject.file.python:
        return "there is no such definition"
    owner = subject.file.python.definitions.get(subject.definition.parent)
    names |= {subject.name} if owner and owner.kind != "class" else set()
    if ast.unparse(call.func) not in names:
        return f"it is called {min(names)}"
    known = _parameters(subject.constructor)
    passed = [*map(ast.unparse, call.args), *map(_keyword, call.keywords)]
    wanted = [one for parameter in known if (one := _passed(parameter))]
    return "" if passed == wanted else f"it takes {', '.join(wanted)}"


def _keyword(keyword: ast.keyword) -> str:
    value = ast.unparse(keyword.value)
    return f"{keyword.arg}={value}" if keyword.arg else f"**{value}"


def _passed(parameter: PythonParameter) -> str:
    """Return a parameter as an argument of a call, "" for one that is left out.

    Those are `*args`, `**kwargs`, and what has a default that a caller may not see.
    """
    name = parameter.name
    default = ast.unparse(parameter.default) if parameter.default else ""
    if name.startswith("*") or not _is_literal(parameter.default):
        return ""
    if parameter.positional_only:
        return default or name
    if default or parameter.keyword_only:
        return f"{name}={default or name}"
    return name


def _is_literal(node: ast.expr | None) -> bool:
    try:
        ast.literal_eval(node or ast.Constant(None))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def all_defaults(subject: Subject, claimed: str) -> str:
    """Check that every parameter of a function or a constructor has a default."""
    if subject.file.python is None:
        return ""
    one = subject.definition
    is_function = one is not None and one.kind != "class"
    known = _parameters(one if is_function else subject.constructor)
    open_ = [p.name for p in known if not p.default and p.name[0] != "*"]
    return f"{', '.join(open_)} has none" if open_ else ""


def _parameters(definition: PythonDefinition | None) -> list[PythonParameter]:
    """Return the parameters without a method's receiver.

    A function of a module with `self` is written to be a method of some class.
    """
    known = definition.parameters() if definition else []
    if definition is not None and _takes_self(definition):
        return known[1:]
    if definition is None or definition.kind != "method" or not known:
        return known
    if known[0].default or known[0].name.startswith("*"):
        return known
    name = known[0].name.strip("_")
    is_special = definition.name.startswith("__") and definition.name.endswith("__")
    is_bound = name in _RECEIVERS and "staticmethod" not in definition.decorators
    return known[1:] if is_bound or (is_special and name) else known


def _takes_self(definition: PythonDefinition) -> bool:
    known = definition.parameters()
    is_of_module = definition.kind == "function" and not definition.parent
    return is_of_module and bool(known) and known[0].name == "self"


def _check_callee(func: ast.expr, definition: PythonDefinition) -> str:
    """Check the called name; of a method, also the receiver (`shape.area`)."""
    if last_name(func) != definition.name:
        return f"it is called {definition.name}"
    if _takes_self(definition):
        is_on_object = isinstance(func, ast.Attribute)
        return "" if is_on_object else "it is called on an object"
    if definition.kind != "method":
        is_nested = definition.kind == "class" and definition.parent
        return "" if isinstance(func, ast.Name) or is_nested else "it is a plain name"
    owner = definition.parent.partition("#")[0].rpartition(".")[2]
    on_class = {"staticmethod", "classmethod"} & set(definition.decorators)
    # The class in lower case, with or without the outer underscores.
    variable = _CAMEL_CASE.sub("_", owner).lower()
    allowed = {owner} if on_class else {variable, variable.strip("_"), f"{variable}_"}
    claimed = ast.unparse(func).rpartition(".")[0]
    allowed |= set() if on_class else {f"my_{variable.strip('_')}"}
    return "" if claimed in allowed else f"it is called on {variable.strip('_')}"


def _check_arguments(call: ast.Call, known: list[PythonParameter]) -> str:
    """Check that arguments are parameters, in order, with all required ones."""
    by_name = {p.name: p for p in known}
    given: list[str] = []
    for argument in call.args:
        name = ast.unparse(argument)
        parameter = by_name.get(name)
        if (
            parameter is None
            or parameter.keyword_only
            or parameter.default
            or name in given
        ):
            return f"`{name}` is no positional parameter"
        given.append(name)
    for keyword in call.keywords:
        parameter = by_name.get(keyword.arg or "")
        if parameter is None:
            return f"`{keyword.arg}` is unknown"
        value = parameter.default or ast.Name(parameter.name, ast.Load())
        if not is_same_expression(ast.unparse(keyword.value), value):
            return f"`{keyword.arg}` is {_source(parameter.default)}"
        if parameter.positional_only:
            return f"`{parameter.name}` cannot be given by name"
        given.append(parameter.name)
    order = [p.name for p in known if p.name in given]
    required = [p.name for p in known if not p.default and p.name[0] != "*"]
    for name in required:
        if name not in given:
            return f"`{name}` is left out"
    return "" if order == given else f"the order is {', '.join(order)}"


def foreign_bases(subject: Subject, claimed: str) -> str:
    """Check that the header of a class names these bases, as written."""
    if subject.file.python is None:
        return ""
    node = subject.definition.node if subject.definition else None
    if not isinstance(node, ast.ClassDef):
        return "there is no such class"
    for text in re.findall(r"`([^`]+)`", claimed):
        if not any(is_same_expression(text, one) for one in node.bases):
            return f"the header names {', '.join(map(ast.unparse, node.bases))}"
    return ""


def _source(node: ast.expr | None) -> str:
    return ast.unparse(node) if node else "not written"


SIGNATURE_CLAIMS: Mapping[str, LocalCheck] = {
    "signature": signature,
    "parameters": parameters,
    "no arguments": no_arguments,
    "returns": returns,
    "example call": example_call,
    "all defaults": all_defaults,
    "constructor": constructor,
    "foreign bases": foreign_bases,
}
