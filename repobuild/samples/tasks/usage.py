"""Task `api_usage`: how a function, method or class is called."""

from __future__ import annotations

import keyword
import re
from ast import literal_eval
from collections.abc import Iterator

from repobuild.code.scan.file_roles import is_benchmark, is_test
from repobuild.samples.contexts.element_view import strip_counts
from repobuild.samples.tasks import answer_parts
from repobuild.samples.tasks.facts import Fact, FactScope
from repobuild.samples.text.refusals import is_exception
from repobuild.samples.text.summary.purpose import lead

_WORD_BREAK = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_BARE = re.compile(r"(?:\w+ = |return )?[\w.]+\(\)")  # `x = Name()`: shows nothing
# `f({}, key=None)`: a call of a test, and no use.
_NOTHING = r"(?:\{\}|\[\]|\(\)|\"\"|''|None)"
_EMPTY = re.compile(
    rf"(?:\w+ = |return )?[\w.]+\((?:\w+=)?{_NOTHING}(?:, (?:\w+=)?{_NOTHING})*\)"
    r"(?:  # .*)?"
)
# `self._desk.open()`: only its own class knows what `_desk` is.
_OF_ATTRIBUTE = re.compile(r"\b((?:self|cls)\.\w+)\.\w+\(\)(?:  # .*)?\Z")
_NAME_ALONE = re.compile(r"(?:\A|:\n[ ]+)(?:\w+ = |return )?\w+\(\)\Z")
_IMPORTS = re.compile(r"^(?:(?:from|import) [^\n]*\n+)+")
_ABSTRACT = re.compile(r"(?i)(?:an? |the )?(?:abstract|base class|mixin|interface)\b")
_ABSTRACT_NAME = re.compile(
    r"_*(?:Abstract|\w*(?:Mixin|Protocol|Interface)$|I[A-Z][a-z]\w+$)"
)
_OPEN = ("abstractmethod", "abc.abstractmethod", "abstractproperty")
# Who uses an element: by fields of its context.
_USERS = (
    "callers",
    "readers",
    "tests",
    "users_in_tests",
    "called_in_documents",
    "example",
)
# Files of documents, of tests and of what measures: nobody calls what they define.
_ASIDE = re.compile(r"(?:docs?|documentation)/|(?:.*/)?(?:_static|[\w-]*-tests?)/")
_AWAITS = re.compile(r"(?:^|[= (\[])await |^async (?:with|for) ", re.MULTILINE)
_DEFINES = re.compile(r"^\s*(?:async )?def ", re.MULTILINE)
_COMMENT_FOR_BODY = re.compile(r"[ \t]+#.*")
_FRAME = "async def main():"
_ANYTHING = ("*args", "**kwargs", "**kw", "**kwds")
_USE = 0  # the number of the question of how to use something
_CALLED_ON_CLASS = ("staticmethod", "classmethod")


def facts(scope: FactScope) -> Iterator[Fact]:
    kind, name = scope.get("kind"), str(scope.get("name"))
    if kind not in ("function", "method", "class") or name.startswith("__"):
        return
    if scope.is_property or scope.get("refuses") or name == "main":
        return  # a command calls `main`
    path = str(scope.get("path"))
    if _ASIDE.match(path) or is_benchmark(path):
        return
    owner, about = str(scope.get("container")), scope.get("container_summary")
    if kind == "class":
        owner, about = name, scope.get("summary")
        if _is_abstract(name, str(about)) or _is_for_subclasses(scope):
            return
        if scope.get("protocol"):
            return  # nobody makes one
    if _is_usage_asked(scope, owner, str(about)):
        yield _usage(scope)
    parameters = scope.get("params")
    if kind == "class":
        # `*args` alone tells nobody what to pass.
        is_told = any(not one.startswith("*") for one, *_ in parameters or ())
        # Of a private one who asks wants more than the names of its parameters.
        is_told &= not name.startswith("_") or any(
            type or text for _, type, _, text, _ in parameters
        )
        is_told &= scope.get("fence") == "python" and bool(class_name(scope))
        if is_told and not _is_only_inherited(scope):
            yield from _construct(scope)
    elif answer_parts.is_wrapped(scope):
        return  # its parameters may not be those that a caller passes
    elif parameters and all(one.startswith("*") for one, *_ in parameters):
        return  # `*args, **kwargs` tells nobody what to pass
    elif scope.get("signature") and (parameters or scope.get("returns")):
        code = answer_parts.render_code(scope, answer_parts.with_decorators(scope))
        answer = scope.answer("signature", code=code)
        if not parameters and not scope.get("unbound"):
            answer += scope.phrases.part("no_arguments")
        elif _has_all_defaults(scope, parameters or []):
            answer += scope.phrases.part("all_defaults")
        yield Fact("signature", answer, (scope.id,))


def _has_all_defaults(scope: FactScope, parameters: list[list[str]]) -> bool:
    """Return whether a call without arguments is one that works."""
    is_whole = bool(parameters) and not scope.get("refuses_defaults")
    return is_whole and all(default for _, _, default, *_ in parameters)


def _is_usage_asked(scope: FactScope, owner: str, about: str) -> bool:
    """Return whether a call is known that is worth showing, or one can be made up.

    `owner` is the class whose object the call needs, `about` what is said of it.
    """
    if scope.get("protocol"):
        return False  # which objects have it is for other classes to decide
    if scope.get("kind") == "class" and _is_raised(scope):
        return False  # it is raised and caught, and not used by a call
    is_bound = bool(answer_parts.binding_classes(scope))
    if scope.get("unbound") or (scope.get("bound_to") and not is_bound):
        return False  # no class is known whose object it takes as `self`
    is_public = not str(scope.get("name")).startswith("_")
    if _shows_a_call(scope, is_public):
        return True
    # In other languages the syntax of method calls and constructors is not known here.
    is_known = scope.get("fence") == "python" or scope.get("kind") == "function"
    is_known = is_known and not answer_parts.is_wrapped(scope)
    # Nobody has an instance of an abstract class to call its methods on.
    is_known = is_known and not _is_abstract(owner, about)
    is_known = is_known and not any(d in _OPEN for d in scope.get("decorators") or ())
    is_known = is_known and not answer_parts.gives_context(scope)  # it is no value
    return is_public and is_known and _says_something(scope)


def _shows_a_call(scope: FactScope, is_public: bool) -> bool:
    """Return whether a call is known that is worth showing.

    A private function is called in its own file, by those who read that file.
    """
    site, code = scope.get("example") or (None, "")
    without_imports = _IMPORTS.sub("", code)
    if scope.get("kind") == "class" and _BARE.fullmatch(without_imports):
        return False
    if scope.get("kind") == "function" and _NAME_ALONE.search(code):
        return False  # neither an argument, nor where it is imported from
    if _EMPTY.fullmatch(without_imports) or _passes_too_little(scope, code):
        return False
    owned = _OF_ATTRIBUTE.search(code)
    if owned and f"{owned[1]} = " not in code:
        return False
    return site is not None and (is_public or site not in ("", scope.get("path")))


def _passes_too_little(scope: FactScope, code: str) -> bool:
    """Return whether a call passes nothing where the definition shown needs something.

    `cli()` runs a command: its decorators pass what `def cli(ctx, file)` takes.
    """
    if not answer_parts.is_wrapped(scope):
        return False
    needs = any(
        not default and name[0] != "*"
        for name, _, default, *_ in scope.get("params") or ()
    )
    return needs and f"{scope.get('name')}()" in code


def _is_abstract(name: str, summary: str) -> bool:
    """Return whether a class says that it is there to be inherited from."""
    return bool(_ABSTRACT_NAME.match(name) or _ABSTRACT.match(summary))


def _is_for_subclasses(scope: FactScope) -> bool:
    """Return whether a class leaves methods open, and nothing but a test makes one."""
    site, _ = scope.get("example") or ("", "")
    is_made = scope.get("callers") or (site and not is_test(site))
    return bool(scope.get("leaves_open")) and not is_made


def _says_something(scope: FactScope) -> bool:
    """Return whether a call by the signature tells more than the parameters' names.

    What is known to be used is called as it is there, which nobody can make up. A class
    that others inherit from and nobody makes may lack what they add. What a class with
    a base from elsewhere defines may be there for that base to call.
    """
    if _is_only_inherited(scope) or _is_used(scope) or scope.get("of_foreign"):
        return False
    if scope.get("refuses_defaults") or scope.get("perhaps_async"):
        return False  # it raises, or nobody knows whether it is awaited
    parameters = [one for one in scope.get("params") or () if one[0][:1] != "*"]
    if any(not name.strip("_*") and not default for name, _, default, *_ in parameters):
        return False  # `_` tells nobody what to pass
    if scope.get("kind") == "class" and _BARE.fullmatch(example_call(scope)):
        return False
    if str(scope.get("signature")).startswith("static "):
        return False  # in C nobody but its own file can call it
    if all(default for _, _, default, *_ in parameters):
        return False  # a call that repeats defaults
    return any(type or text for _, type, _, text, *_ in parameters)


def _is_raised(scope: FactScope) -> bool:
    """Return whether a class is an exception by its name or by that of a base."""
    bases = re.findall(r"\w+", str(scope.get("signature")).partition("(")[2])
    return any(map(is_exception, (str(scope.get("name")), *bases)))


def _is_used(scope: FactScope) -> bool:
    """Return whether anything uses an element, or may: a call of its name is open.

    A class body that makes a function its method calls nothing.
    """
    bound_to = scope.get("bound_to") or ()
    readers = [one for one in scope.get("readers") or () if one not in bound_to]
    users = [scope.get(one) for one in _USERS if one != "readers"]
    return bool(readers) or any(users) or answer_parts.is_open(scope, "callers")


def _is_only_inherited(scope: FactScope) -> bool:
    """Return whether a class has subclasses, and no call that makes one is known."""
    is_made = scope.get("callers") or scope.get("example")
    return bool(scope.get("subclasses")) and not is_made


def _usage(scope: FactScope) -> Fact:
    is_wrapped = answer_parts.is_wrapped(scope)
    answer = scope.answer("usage") + answer_parts.render_container(scope)
    answer += answer_parts.render_deprecated(scope) + _shown_call(scope)
    if is_wrapped:
        answer += answer_parts.render_signature(scope)
    described = is_wrapped  # what the docstring says holds under a decorator, too
    if not _takes_anything(scope):
        answer += answer_parts.render_parameters(scope, described)
    if not is_wrapped or scope.get("returns_text"):
        answer += answer_parts.render_returns(scope)
    methods = _public_methods(scope) if _is_made_alone(scope) else ""
    answer += methods
    if text := lead(scope.get("summary")):
        answer += scope.phrases.part("brief", summary=text)
    answer += answer_parts.render_warning(scope)
    sources = (scope.id, *answer_parts.binding_classes(scope))
    # How an object is made tells no way to use it.
    unanswered = (_USE,) if _is_made_alone(scope) and not methods else ()
    return Fact("usage", answer, sources, unanswered=unanswered)


def _takes_anything(scope: FactScope) -> bool:
    """Return whether the parameters are `*args` and `**kwargs` without a word on them.

    They go to another function, and tell nobody what to pass; `*things` does.
    """
    rows = scope.get("params") or ()
    return all(name in _ANYTHING and not text for name, _, _, text, *_ in rows)


def _is_made_alone(scope: FactScope) -> bool:
    """Return whether an example makes an object, and does nothing with it."""
    name = str(scope.get("name"))
    _, code = scope.get("example") or ("", "")
    made = re.search(rf"\b(\w+) = (?:\w+\.)*{re.escape(name)}\(", code)
    if scope.get("kind") != "class" or made is None:
        return False
    return not re.search(rf"(?<![\w.]){made[1]}\b(?!\s*=[^=])", code[made.end() :])


def _public_methods(scope: FactScope) -> str:
    """List what can be called on an object, where nothing shows it."""
    members = scope.get("members") or []
    public = [f"`{name}`" for name in members if name[:1] != "_"]
    is_cut = bool(scope.get("binds_methods"))
    listed = answer_parts.list_texts(scope, public, is_cut)
    return scope.phrases.part("some_methods", members=listed) if listed else ""


def _shown_call(scope: FactScope) -> str:
    """Show a real call with its place, else one that is made from the signature."""
    part = scope.phrases.part
    if not scope.get("example"):
        code = answer_parts.render_code(scope, _in_coroutine(example_call(scope)))
        return part("by_signature", code=code)
    site, example = scope.get("example")
    code = answer_parts.render_code(scope, _in_coroutine(_with_body(example)))
    if site:
        return part("called_in", site=site, code=code)
    return part("called_in_docstring", code=code)


def _with_body(code: str) -> str:
    """Give a last block that its author left to a comment a body, as Python wants."""
    header, _, comment = code.rstrip().rpartition("\n")
    if not _COMMENT_FOR_BODY.fullmatch(comment) or not header.endswith(":"):
        return code
    indent = comment[: len(comment) - len(comment.lstrip())]
    return f"{code.rstrip()}\n{indent}..."


def _in_coroutine(code: str) -> str:
    """Put code that awaits into a function: at the top of a file it is no Python."""
    if not _AWAITS.search(code) or _DEFINES.search(code):
        return code
    found = _IMPORTS.match(code)
    rest = code[found.end() :] if found else code
    indented = [f"    {line}" if line else "" for line in rest.split("\n")]
    above = f"{found[0].rstrip()}\n\n" if found else ""
    return above + "\n".join([_FRAME, *indented])


def _construct(scope: FactScope) -> Iterator[Fact]:
    """Show a call with all arguments; the definition names only the base classes.

    What the call leaves out is listed with the parameters, or nothing is asked.
    """
    rows = scope.get("params")
    if scope.get("refuses_defaults"):
        return  # with everything left out it raises
    arguments = ", ".join(argument_list(rows))
    code = answer_parts.render_code(scope, f"{class_name(scope)}({arguments})")
    answer = scope.answer("construct", code=code)
    if all(default or name.startswith("*") for name, _, default, *_ in rows):
        if any(name.startswith("*") and name[:2] != "**" for name, *_ in rows):
            return  # `*args` goes to another constructor, which may need some
        answer += scope.phrases.part("all_defaults")
    is_cut = any(
        name.startswith("*") or is_computed(default) for name, _, default, *_ in rows
    )
    if is_cut or any(type or text for _, type, _, text, _ in rows):
        listed = answer_parts.render_parameters(scope, is_brief=True)
        if is_cut and not listed:
            return
        answer += listed
    yield Fact("construct", answer, (scope.id,))


def class_name(scope: FactScope) -> str:
    """Return a class as others name it: `Desk.Drawer`, "" for one of a function."""
    name, qual = str(scope.get("name")), scope.id.partition("::")[2]
    owner = scope.get("container")
    if owner:
        return f"{owner}.{name}"
    return "" if "." in strip_counts(qual) else name


def argument_list(rows: list[list[str]]) -> Iterator[str]:
    """Yield the parameters as a call passes them, each default as it is declared.

    `*args` and `**kwargs` are left out: no caller has variables of these names. So are
    defaults with names, which the definition sees and a caller may not.
    """
    for name, _, default, _, passing in rows:
        if name.startswith("*") or is_computed(default):
            continue
        if passing == "/":
            yield default or name
        elif default or passing == "k":
            yield f"{name}={default or name}"
        else:
            yield name


def is_computed(default: str) -> bool:
    """Return whether a default is more than a literal: it has names or calls."""
    try:
        literal_eval(default or "None")
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return True
    return False


def example_call(scope: FactScope) -> str:
    """Return a call with all required arguments.

    Who repeats a default passes nothing new, and may name what only the definition
    sees. `*args` and `**kwargs` are left out, too: no caller has such variables.
    """
    arguments = [
        f"{name}={name}" if passing == "k" else name
        for name, _, default, _, passing in scope.get("params")
        if not default and not name.startswith("*")
    ]
    call = f"{_callee(scope)}({', '.join(arguments)})"
    return f"await {call}" if scope.get("async") else call


def _callee(scope: FactScope) -> str:
    """Return the name to call: of a method with its class, or with an instance."""
    name = str(scope.get("name"))
    bound_to = answer_parts.binding_classes(scope)
    if scope.get("kind") != "method" and not bound_to:
        is_class = scope.get("kind") == "class"
        return (is_class and class_name(scope)) or name
    owner = (bound_to[0] if bound_to else scope.get("container")).rpartition(".")[2]
    owner = owner.rpartition("::")[2]
    if any(d in (scope.get("decorators") or ()) for d in _CALLED_ON_CLASS):
        return f"{owner}.{name}"
    bare = _WORD_BREAK.sub("_", owner).lower()
    instance = bare.strip("_")
    if keyword.iskeyword(instance):
        instance += "_"  # `and_`, as PEP 8 has it
    # A variable named like a package or module would be read as that, and one named
    # like an argument as the same object.
    taken = {*str(scope.get("path")).split("/"), scope.get("project")}
    taken |= {row[0] for row in scope.get("params") or ()}
    if not {instance, f"{instance}.py"}.isdisjoint(taken):
        instance = f"my_{instance}"
    return f"{instance if instance.isidentifier() else bare}.{name}"
