"""Render the parts that answers share: signature, parameters, lists of names, code.

Each function returns "" where the context lacks what the part needs.
"""

from __future__ import annotations

import re

from repobuild.code.graph.graph import split_id
from repobuild.samples.contexts.element_view import CALL_DECORATORS
from repobuild.samples.contexts.element_view import strip_counts as displayed_name
from repobuild.samples.contexts.graph_reader import SPREAD_LISTS, spread
from repobuild.samples.tasks.facts import FactScope
from repobuild.samples.text.refusals import is_exception

MAX_NAMES = 16  # in a list; a longer one ends with "and others"
# Characters of a list of some of many users, with their files: the answer is short
# enough to be a fact that `ask` gives to a model (`grounding.LONGEST_FACT`).
_LONGEST_SPREAD = 400
_FEWEST_NAMES = 4  # in a list that is cut, and leaves held-out elements out
_WORTH_CUTTING = 2  # names; to leave out one or two says less and saves nothing
_MANY_NAMES = 8  # in one that is not cut, and leaves them out
MAX_LIST_LENGTH = 640  # characters, about 210 tokens of the bundled model
MAX_PARAMETERS_LENGTH = 640  # characters; a longer list is left out
MAX_DEFAULT_LENGTH = 40  # characters
SHOWN_DECORATORS = frozenset(CALL_DECORATORS)
_ABSTRACT = ("abstractmethod", "abc.abstractmethod")  # it is there to be overridden
# A generator under one of these is called for a context, and not for what it yields.
_CONTEXT_MANAGERS = ("contextmanager", "asynccontextmanager")
# By their last name: what is called takes the parameters that the definition has.
_KEEPS_SIGNATURE = frozenset(
    "property cached_property staticmethod classmethod abstractmethod abstractproperty"
    " override overload final setter getter deleter lru_cache cache contextmanager"
    " asynccontextmanager singledispatch total_ordering dataclass deprecated"
    " no_type_check runtime_checkable unique".split()
)
_RAISED = re.compile(r"^[ \t]*raise ([\w.]+)", re.MULTILINE)
_PRIVATE = re.compile(r"_+[A-Za-z]\w*").fullmatch  # a name that no caller has
_MODULE = re.compile(r"\w+\.")  # before the name of a type
_LONGEST_DECORATORS = 200  # characters
_LISTS_OF_FILES = frozenset(
    "imports imports_for_types importers importers_aside takers".split()
)
_NOTHING = ("None", "void", "()")  # a return type that needs no line


def render_signature(scope: FactScope) -> str:
    text = scope.get("signature")
    is_signature = scope.get("kind") != "class" and not scope.is_property
    part = "signature" if is_signature else "definition"
    if not text:
        return ""
    return scope.phrases.part(part, code=render_code(scope, with_decorators(scope)))


def with_decorators(scope: FactScope) -> str:
    """Return the signature, after the decorators that decide how it is called.

    A decorator that nobody knows may replace the function: then all of them are shown.
    """
    every = scope.get("decorators") or ()
    shown = {*SHOWN_DECORATORS, *_ABSTRACT}
    kept = [d for d in every if d in shown or _makes_context(d)]
    if is_wrapped(scope) and sum(map(len, every)) <= _LONGEST_DECORATORS:
        kept = list(every)
    return "\n".join([*(f"@{name}" for name in kept), scope.get("signature")])


def is_wrapped(scope: FactScope) -> bool:
    """Return whether a decorator may have changed how a Python function is called.

    `@message(...) def Url(v)` is used as `Url()`: nobody passes `v`.
    """
    if scope.get("fence") != "python" or scope.get("kind") == "class":
        return False
    names = (d.partition("(")[0] for d in scope.get("decorators") or ())
    return any(name.rpartition(".")[2] not in _KEEPS_SIGNATURE for name in names)


def gives_context(scope: FactScope) -> bool:
    """Return whether `with` enters what a call gives."""
    return any(map(_makes_context, scope.get("decorators") or ()))


def _makes_context(decorator: str) -> bool:
    return decorator.rpartition(".")[2] in _CONTEXT_MANAGERS


def render_summary(scope: FactScope) -> str:
    text = scope.get("summary")
    return scope.phrases.part("summary", summary=text) if text else ""


def render_container(scope: FactScope) -> str:
    """Say which class a method belongs to, or what else its name begins with.

    A function of a module may be a method, too, of a class whose body binds it.
    """
    if classes := binding_classes(scope):
        members = list_elements(scope, list(classes))
        return scope.phrases.part("bound", members=members)
    if scope.get("kind") != "method":
        return ""
    if container := scope.get("container"):
        return scope.phrases.part("container", container=container)
    owner = scope.get("owner")
    return scope.phrases.part("owner", owner=owner) if owner else ""


def binding_classes(scope: FactScope) -> tuple[str, ...]:
    """Return the ids of the classes that make a function of a module their method."""
    return tuple(scope.without_held_out(list(scope.get("bound_to") or ())))


def render_aliases(scope: FactScope) -> str:
    """Say which other names the body of a class gives its methods."""
    items = [
        scope.phrases.part("alias", name=name, other=other)
        for name, other in (scope.get("aliases") or {}).items()
    ]
    members = list_texts(scope, items)
    return scope.phrases.part("aliases", members=members) if members else ""


def render_deprecated(scope: FactScope) -> str:
    return scope.phrases.part("deprecated") if scope.get("deprecated") else ""


def render_empty(scope: FactScope) -> str:
    """Say that the body is empty: this goes before any purpose."""
    return scope.phrases.part("empty") if scope.get("empty") else ""


def render_condition(scope: FactScope) -> str:
    """Say under which condition the file makes the definition."""
    branch, condition = scope.get("under") or ("", "")
    if not condition or "`" in condition:
        return ""
    return scope.phrases.part(f"under_{branch}", condition=condition)


def has_untold_condition(scope: FactScope) -> bool:
    """Return whether there is a condition that is too long to be told."""
    return bool(scope.get("under")) and not render_condition(scope)


def render_conditional_members(scope: FactScope) -> str:
    """Say which methods a class has only under a condition, and under which."""
    items = ""
    for name, (branch, condition) in (scope.get("members_under") or {}).items():
        if condition and "`" not in condition:
            told = scope.phrases.part(f"under_{branch}", condition=condition).strip()
            items += f"\n- `{name}`: {told}"
    return scope.phrases.part("members_under", items=items) if items else ""


def list_constants(scope: FactScope) -> str:
    return list_texts(scope, [f"`{name}`" for name in scope.get("constants") or ()])


def list_other_names(scope: FactScope) -> str:
    """List what a module binds beside functions, classes and constants."""
    names = scope.get("other_public_names") or ()
    return list_texts(scope, [f"`{name}`" for name in names])


def render_warning(scope: FactScope) -> str:
    """Quote what the docstring warns of, as of a behaviour that will change."""
    text = scope.get("warning")
    if text and text in str(scope.get("summary")):
        return ""  # it is quoted with the purpose
    return scope.phrases.part("warned", text=text) if text else ""


def render_constants(scope: FactScope) -> str:
    members = list_constants(scope)
    text = scope.phrases.part("constants", members=members) if members else ""
    return text + render_other_names(scope)


def render_other_names(scope: FactScope) -> str:
    members = list_other_names(scope)
    return scope.phrases.part("other_public_names", members=members) if members else ""


def render_settable(scope: FactScope) -> str:
    return scope.phrases.part("settable") if scope.get("settable") else ""


def render_code(scope: FactScope, text: str) -> str:
    return scope.phrases.words["code"].format(fence=scope.get("fence"), code=text)


def render_short_code(scope: FactScope, most: int) -> str:
    """Return the whole code of what has fewer lines than `most`: it says the most."""
    body = str(scope.get("body") or "")
    if body.count("\n") >= most:
        return ""
    is_quoted = body and scope.get("kind") != "class"
    code = f"{scope.get('head')}\n{body}" if is_quoted else scope.get("short")
    if not code:
        return ""
    return scope.phrases.part("short_code", code=render_code(scope, code))


def render_parameters(
    scope: FactScope, described: bool = False, is_brief: bool = False
) -> str:
    """Render one line for each parameter, with its type, default and description.

    With `described`, return "" unless a parameter has a description: the signature
    shows everything else. With `is_brief`, descriptions that are too long together are
    left out, and the rest is told.
    """
    rows = scope.get("params") or []
    if not rows or (described and not any(text for *_, text, _ in rows)):
        return ""
    lines = [_render_parameter(scope, row) for row in rows]
    if sum(map(len, lines)) > MAX_PARAMETERS_LENGTH and is_brief:
        lines = [_render_parameter(scope, [*row[:3], "", row[4]]) for row in rows]
    if sum(map(len, lines)) > MAX_PARAMETERS_LENGTH:
        return ""  # some of them without the rest would look like all
    return scope.phrases.part("parameters", items="\n".join(lines))


def _render_parameter(scope: FactScope, row: list[str]) -> str:
    name, type, default, text, passing = row
    part = scope.phrases.part
    line = part("parameter", name=name)
    if type:
        line += part("type", type=type)
    if passing:
        line += part("by_name" if passing == "k" else "by_position")
    if default and default == name and scope.get("fence") == "python":
        line += part("same_default")
    elif default and len(default) <= MAX_DEFAULT_LENGTH and not _PRIVATE(default):
        line += part("default", default=default)
    elif default:
        line += part("some_default")  # without it one would have to be passed
    return line + part("description", text=text) if text else line


def render_undeclared(scope: FactScope) -> str:
    """Name the parameters that the docstring describes and the definition lacks."""
    names = [f"`{name}`" for name in scope.get("undeclared") or ()]
    members = list_texts(scope, names)
    return scope.phrases.part("undeclared", members=members) if members else ""


def render_returns(scope: FactScope) -> str:
    type, text = scope.get("returns"), scope.get("returns_text")
    if text and text.strip("`. ") in (type, _MODULE.sub("", type or "")):
        text = ""
    if type in _NOTHING or not (type or text) or scope.get("kind") == "class":
        return ""  # of a class it tells what a method of its instances returns
    if gives_context(scope):
        return ""  # what it yields is no value that a caller gets
    if not text:
        returns = f"`{type}`"
    elif type:
        returns = scope.phrases.part("returned", type=type, text=text)
    else:
        returns = scope.phrases.part("returned_text", text=text)
    return scope.phrases.part("returns", returns=returns)


def element_name(scope: FactScope, id: str) -> str:
    """Return the name of an element, with its file unless that is the context's own."""
    path, _, qual = id.partition("::")
    name = displayed_name(qual)
    if not name:
        return f"`{path}`"
    if path == scope.get("path") and name != "main":
        return f"`{name}`"
    return scope.phrases.part("mention", names=f"`{name}`", path=path)


def list_elements(
    scope: FactScope,
    ids: list[str],
    more: int = False,
    files: bool = False,
    perhaps: bool = False,
) -> str:
    """List elements, grouped by file; "" if there are none.

    The list is cut at `MAX_LIST_LENGTH`. It ends with "and others" if it is cut, or if
    `more` says that `ids` are not all, by how many there are where that is known, and
    with "and possibly others" if `perhaps` says that nobody knows. A path is the code
    of that file outside of any definition or, with `files`, the file. Names of the
    context's own file have it where others follow, and `main` has it always.
    """
    names_by_path: dict[str, list[str]] = {}
    length = count = 0
    for id in ids:
        path, _, qual = id.partition("::")
        length += len(qual) + (len(path) if path not in names_by_path else 0)
        if length > MAX_LIST_LENGTH and count and len(ids) - count > _WORTH_CUTTING:
            break
        # Of two definitions of one name, for two systems say, one mention is enough.
        names = names_by_path.setdefault(path, [])
        if displayed_name(qual) not in names:
            names.append(displayed_name(qual))
        count += 1
    # The `main` of which program?
    is_named = any("main" in names for names in names_by_path.values())
    own = scope.get("path") if len(names_by_path) == 1 and not is_named else None
    items = [
        _list_of_file(scope, *group, files, own) for group in names_by_path.items()
    ]
    is_cut = more or (len(ids) if count < len(ids) else False)
    return scope.phrases.listed(items, is_cut, perhaps) if items else ""


def _list_of_file(
    scope: FactScope, path: str, quals: list[str], is_file: bool, own: str | None
) -> str:
    part = scope.phrases.part
    top = "file" if is_file else "top_level"
    items = [] if all(quals) else [part(top, path=path)]
    named = [f"`{qual}`" for qual in quals if qual]
    if path == own and scope.get("kind") == "method":
        # `classify` in an answer about `Bayes.classify` would read as the method.
        own_name = f"`{scope.get('name')}`"
        named = [
            part("namesake", names=one, path=path) if one == own_name else one
            for one in named
        ]
    if named:
        names = scope.phrases.listed(named)
        if path != own:
            names = part("mention", names=names, path=path)
        items.append(names)
    return scope.phrases.listed(items)


def list_field(
    scope: FactScope, name: str, most: int = MAX_NAMES, is_whole: bool = False
) -> tuple[str, tuple[str, ...]]:
    """List the elements in a field of the context, such as "callers".

    `is_whole` says that the answer names what the list may lack. Returns the text and
    the ids that it names, both empty if nothing may be named, or too few of a list that
    would be whole: of two, one alone would be a wrong answer.
    """
    ids = list(scope.get(name) or ())
    if not ids:
        return "", ()
    allowed = scope.without_held_out(ids)
    is_cut = name in (scope.get("more") or ())
    fewest = _FEWEST_NAMES if is_cut else _MANY_NAMES
    if len(allowed) < min(len(ids), fewest):
        return "", ()
    whole = allowed if len(allowed) <= most and not is_cut else []
    if name in SPREAD_LISTS and (not whole or is_long(whole)):
        return _spread_list(scope, name, allowed, most)
    told = allowed[:most]
    more = _others(scope, name, told)
    files = name in _LISTS_OF_FILES
    perhaps = is_open(scope, name) and not is_whole
    return list_elements(scope, told, more, files, perhaps), tuple(told)


def _spread_list(
    scope: FactScope, name: str, allowed: list[str], most: int
) -> tuple[str, tuple[str, ...]]:
    """List some of the elements in a field, of as many files as there is room for."""
    for count in range(min(most, len(allowed)), 0, -1):
        told = spread(allowed, count)
        more, perhaps = _others(scope, name, told), is_open(scope, name)
        text = list_elements(scope, told, more, perhaps=perhaps)
        if len(text) <= _LONGEST_SPREAD:
            break
    return text, tuple(told)


def _others(scope: FactScope, name: str, told: list[str]) -> int:
    """Return how many a field has in all if not all are told, 1 if nobody knows."""
    ids = list(scope.get(name) or ())
    if name in (scope.get("more") or ()):
        return (scope.get("totals") or {}).get(name) or True
    return len(ids) if len(told) < len(ids) else False


def is_long(ids: list[str]) -> bool:
    """Return whether a list would be cut, and so lose the last of its files."""
    paths = {split_id(id)[0] for id in ids}
    length = sum(len(split_id(id)[1]) for id in ids) + sum(map(len, paths))
    return length > MAX_LIST_LENGTH


def users_label(scope: FactScope, label: str, has_callers: bool = True) -> str:
    """Return the part that lists users: who calls a class makes its objects.

    Those who refer to it "also" do so only after a list of callers.
    """
    if label == "read_by" and not has_callers:
        return "referred_by"
    is_made = label == "used_by" and scope.get("kind") == "class"
    return "made_by" if is_made else label


def is_open(scope: FactScope, name: str) -> bool:
    """Return whether a list of the context may miss what nobody can resolve."""
    return name in (scope.get("open") or ())


def only_exceptions(scope: FactScope, ids: tuple[str, ...]) -> bool:
    """Return whether all elements are exceptions that the code raises."""
    code = str(scope.get("body") or scope.get("short"))
    raised = {*(scope.get("raises") or ()), *_RAISED.findall(code)}
    last_names = {one.rpartition(".")[2] for one in raised}
    names = {displayed_name(id.partition("::")[2]).rpartition(".")[2] for id in ids}
    return all(one in last_names or is_exception(one) for one in names)


def list_texts(scope: FactScope, items: list[str], more: bool = False) -> str:
    """List texts, cut at `MAX_NAMES` and like `list_elements`; "" if there are none."""
    fitting: list[str] = []
    length = 0
    for item in items[:MAX_NAMES]:
        length += len(item)
        if fitting and length > MAX_LIST_LENGTH:
            break
        fitting.append(item)
    if not fitting:
        return ""
    return scope.phrases.listed(fitting, more or len(fitting) < len(items))
