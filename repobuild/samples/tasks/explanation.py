"""Task `code_explanation`: what an element is and what it is for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from repobuild.code.scan.file_roles import is_test_data, tells_of_past
from repobuild.samples.contexts.element_view import CONSTRUCTORS
from repobuild.samples.tasks import answer_parts
from repobuild.samples.tasks.facts import Fact, FactScope, phrasing_seed
from repobuild.samples.tasks.usage import argument_list, class_name, is_computed
from repobuild.samples.text.summary.module_purpose import says_little_of_module
from repobuild.samples.text.summary.purpose import lead

_INHERITS = re.compile(r"^class \w+\((?!object\))")
_ASIDE = re.compile(r"(?i)readme\b|(?:setup|conf|noxfile)\.py$")
_TOP_PACKAGE = re.compile(r"[^/]+/__init__\.py")
_OF_ANY_FOLDER = ("conftest.py",)
_THANKS = re.compile(r"(?i)^(?:acknowledge?ments?|credits|thanks\b.*|致谢|鸣谢)$")
# A section that only leads on to others.
_LEADS_ON = re.compile(
    r"(?i)\bnext (?:section|chapter|page)\b|\brest of the (?:[\w']+ )?guide\b"
    r"|^[^.!?。]*\b(?:found|described|documented|explained|listed)"
    r" (?:in|at|under|here)\b[^!?。]*$"
)
_FEW_WORDS = 3  # of a purpose alone
_SHORT_BODY = 10  # lines
_LONGEST_BODY = 40  # lines of what nothing else explains
_GETTER = re.compile(r":\n\s+return self\._?\w+\s*```")  # it shows only a name
_USERS = ("callers", "readers")
# Fields that tell what an element is there for.
_TELLS = ("overrides", "overridden", "stub")
_MOST_NEIGHBOURS = 8  # elements in a list of an explanation
_MOST_ATTRIBUTES = 12
_LONGEST_MEMBERS = 600  # characters of a list of methods


def facts(scope: FactScope) -> Iterator[Fact]:
    kind = scope.get("kind")
    if is_test_data(str(scope.get("path"))) or answer_parts.has_untold_condition(scope):
        return
    if kind in ("function", "method", "class"):
        yield from _element(scope)
    elif kind == "section":
        text = scope.get("summary")
        leads_on = _LEADS_ON.search(text) or _THANKS.search(str(scope.get("label")))
        if text and not (scope.get("partial") or scope.is_foreign(text) or leads_on):
            yield _passage(scope, text)
    elif scope.get("summary"):
        yield from _module(scope)


def _element(scope: FactScope) -> Iterator[Fact]:
    if scope.get("summary"):
        yield from _explain(scope)
    elif scope.get("fence") and not scope.get("brief"):
        yield from _sketch(scope)
    members = scope.get("members") or ()
    is_told = any(name[:1] != "_" for name in members)
    if scope.get("kind") == "class" and is_told:
        # A question for the methods has no other answer than all of them.
        text = scope.phrases.listed([f"`{name}`" for name in members])
        if len(text) <= _LONGEST_MEMBERS and not scope.get("binds_methods"):
            answer = scope.answer("members", members=text) + _properties(scope)
            answer += answer_parts.render_aliases(scope)
            answer += answer_parts.render_conditional_members(scope)
            if _INHERITS.search(str(scope.get("signature"))):
                answer += answer_parts.render_signature(scope)
            yield Fact("members", answer, (scope.id,))
    if scope.get("body"):
        yield _code(scope)


def _passage(scope: FactScope, text: str) -> Fact:
    """Quote a section; titles above it tell it from others of the same title."""
    name = scope.get("trail") or scope.get("label")
    answer = scope.answer("passage", text=text, name=name)
    if scope.get("block"):
        language, code = scope.get("block")
        code = scope.phrases.words["code"].format(fence=language, code=code)
        answer += scope.phrases.part("passage_code", code=code)
    return Fact(
        "passage",
        answer,
        (scope.id,),
        fields={"name": name},
        ambiguous=bool(scope.get("lost")),
    )


def _has_details(scope: FactScope) -> bool:
    """Return whether there is more to tell of an element than its purpose."""
    return any(
        (
            answer_parts.render_warning(scope),
            answer_parts.render_parameters(
                scope, described=scope.get("kind") != "class"
            ),
            answer_parts.render_undeclared(scope),
            answer_parts.render_empty(scope),
            answer_parts.render_settable(scope),
            scope.get("returns_text"),
        )
    )


def _explain(scope: FactScope) -> Iterator[Fact]:
    code, is_around_told = "", scope.is_foreign(scope.get("summary"))
    if scope.get("unbound"):
        # It is written to stand in for a method, and its docstring may be that one's.
        code = answer_parts.render_short_code(scope, _LONGEST_BODY)
    if scope.get("thin") and not _has_details(scope):
        # What the name says already is no answer without what is done for it.
        code = answer_parts.render_short_code(scope, _LONGEST_BODY)
        is_around_told |= not code
        if not code and not answer_parts.list_field(scope, "callees")[0]:
            return
    answer = (
        scope.answer("explain")
        + answer_parts.render_container(scope)
        + answer_parts.render_empty(scope)
        + answer_parts.render_condition(scope)
        + answer_parts.render_deprecated(scope)
        + answer_parts.render_summary(scope)
        + answer_parts.render_warning(scope)
        + answer_parts.render_signature(scope)
        + answer_parts.render_settable(scope)
        # The definition of a class does not show what its constructor takes.
        + answer_parts.render_parameters(scope, described=scope.get("kind") != "class")
        + answer_parts.render_undeclared(scope)
        + answer_parts.render_returns(scope)
    )
    sources: tuple[str, ...] = (scope.id, *answer_parts.binding_classes(scope))
    if is_around_told:
        # A reader of the other language learns more from what is around it.
        for name, label in (("callees", "calls"), ("callers", "used_by")):
            text, ids = answer_parts.list_field(scope, name, _MOST_NEIGHBOURS)
            if text:
                label = answer_parts.users_label(scope, label)
                answer += scope.phrases.part(label, members=text)
                sources += ids
    yield Fact("explain", answer + code, tuple(dict.fromkeys(sources)))


def _sketch(scope: FactScope) -> Iterator[Fact]:
    """Explain an element whose docstring gives no purpose by what is certain of it.

    The purpose is what anyone wrote elsewhere, with its place; the rest is structure.
    Where nothing tells what it does, its code does, or nothing is asked: what it calls,
    who uses it and its signature leave open what it does with them. Whoever asks what
    there is to know wants more than the code, so that this is asked for as what it is.
    A constructor is there to make what its class is for.
    """
    said, sources = _said_elsewhere(scope)
    is_told = any(scope.get(name) for name in _TELLS)
    most = _SHORT_BODY if said else _LONGEST_BODY
    code = answer_parts.render_short_code(scope, most)
    made = "" if said or code else _what_is_made(scope)
    if scope.get("kind") == "class":
        structure = "" if code else _class_parts(scope)
    else:
        # A signature that is too long to be quoted is told parameter by parameter, but
        # without a purpose names and defaults are no explanation.
        is_bare = bool(said or made) and not scope.get("signature")
        structure = answer_parts.render_parameters(scope, described=not is_bare)
    around, cited = _neighbours(scope, sources, bool(code))
    says_nothing = scope.get("refuses") or _GETTER.search(code)
    if code and says_nothing and not said and not is_told:
        return  # there is nothing yet, or no more than a name
    is_made = bool(made) and bool(around or scope.get("params"))
    # What it overrides or what overrides it tells nothing of what it does.
    is_declared = bool(scope.get("stub"))
    if said or code or structure or is_made or (around and is_declared):
        kind = "sketch" if said or not code else "written"
        answer = scope.answer(kind)
        answer += answer_parts.render_container(scope)
        answer += answer_parts.render_empty(scope) + _missing_purpose(scope)
        answer += answer_parts.render_condition(scope)
        answer += said + made + (code or answer_parts.render_signature(scope))
        answer += answer_parts.render_settable(scope)
        answer += answer_parts.render_deprecated(scope)
        answer += scope.phrases.part("stub") if scope.get("stub") else ""
        bound_to = answer_parts.binding_classes(scope)
        unique = tuple(dict.fromkeys((scope.id, *bound_to, *sources, *cited)))
        yield Fact(kind, answer + structure + around, unique, "medium")


def _neighbours(
    scope: FactScope, quoted: tuple[str, ...], has_code: bool
) -> tuple[str, tuple[str, ...]]:
    """Return what an element raises, and the elements around it, with their ids.

    `quoted` are those that the purpose is taken from: the answer names them already.
    `has_code` says that the answer shows the element's code.
    """
    part = scope.phrases.part
    text, sources = "", quoted
    has_callers = False
    raised = scope.get("raises")
    if raised and has_code:  # which shows under which condition
        listed = answer_parts.list_texts(scope, [f"`{name}`" for name in raised])
        text += part("raised", members=listed)
    for name, label in (
        ("subclasses", "derived"),
        ("overrides", "replaces"),
        ("overridden", "replaced_by"),
        ("callees", "calls"),
        ("callers", "used_by"),
        ("readers", "read_by"),
        ("tests", "tested_by"),
    ):
        if name in _USERS and scope.get("name") == "__init__":
            continue  # those who name it; all others call the class
        if name == "callees" and has_code and answer_parts.is_open(scope, name):
            continue  # the code shows all of them
        members, ids = answer_parts.list_field(scope, name, _MOST_NEIGHBOURS)
        if name == "callees" and raised and answer_parts.only_exceptions(scope, ids):
            continue
        if name == "readers" and scope.get("callers") and not has_callers:
            continue  # those that may not be named are users, too, and say more
        if members and not (name == "overrides" and ids == sources):
            has_callers |= name == "callers"
            label = answer_parts.users_label(scope, label, has_callers)
            text += part(label, members=members)
            sources += ids
        if name == "callees":
            members, ids = answer_parts.list_field(scope, "property_reads")
            text += part("property_reads", members=members) if members else ""
            sources += ids
    return text, sources


def _missing_purpose(scope: FactScope) -> str:
    """Say that nothing in the code's own documentation gives a purpose.

    A docstring that another definition has, too, may well give one, and so does that of
    a constructor.
    """
    if name := scope.get("stale"):
        return scope.phrases.part("stale", name=name)
    if any(map(scope.get, ("copied", "constructor_says", "told_by_setter"))):
        return ""
    if scope.get("perhaps_documented"):
        return ""
    if not scope.get("undocumented"):
        is_name = scope.get("only_name")
        return scope.phrases.part("only_name" if is_name else "no_purpose")
    is_python = scope.get("fence") == "python"
    return scope.phrases.part("no_docstring" if is_python else "no_comment")


def _said_elsewhere(scope: FactScope) -> tuple[str, tuple[str, ...]]:
    """Return the purpose from the best other place, and the ids that it relies on."""
    part = scope.phrases.part
    if text := scope.get("constructor_says"):
        return part("said_of_init", summary=text), ()
    if comment := scope.get("comment"):
        return part("said_above", summary=comment), ()
    path, sentence = scope.get("said") or ("", "")
    if path and not tells_of_past(path):
        return part("said_in", document=path, text=sentence), ()
    if inherited := scope.get("inherited"):
        id, sentence = inherited
        if scope.without_held_out([id]):
            member = answer_parts.element_name(scope, id)
            return part("said_of_base", model=member, text=sentence), (id,)
    return "", ()


def _what_is_made(scope: FactScope) -> str:
    """Return the purpose of the class that a constructor makes objects of."""
    text = scope.get("container_summary")
    if scope.get("name") not in CONSTRUCTORS or not text or scope.is_foreign(text):
        return ""
    return scope.phrases.part(
        "class_summary", container=scope.get("container"), summary=text
    )


def _class_parts(scope: FactScope) -> str:
    """Return how a class is created, its attributes, and its methods with purposes."""
    part = scope.phrases.part
    text = ""
    rows = scope.get("params")
    is_python = scope.get("fence") == "python"
    arguments = ", ".join(argument_list(rows or [])) if is_python else ""
    if arguments and not scope.get("refuses_defaults"):
        call = f"{class_name(scope) or scope.get('name')}({arguments})"
        text += part("created", code=answer_parts.render_code(scope, call))
    if names := [f"`{name}`" for name in scope.get("attributes") or ()]:
        is_cut = len(names) > _MOST_ATTRIBUTES
        listed = answer_parts.list_texts(scope, names[:_MOST_ATTRIBUTES], is_cut)
        text += part("attributes", members=listed)
    methods = _method_list(scope)
    text += _properties(scope) + methods
    for field, label in (("static", "static_methods"), ("nested", "nested_classes")):
        names = [f"`{name}`" for name in scope.get(field) or ()]
        listed = answer_parts.list_texts(scope, names)
        if listed and (methods or field == "nested"):
            text += part(label, members=listed)
    text += answer_parts.render_aliases(scope)
    is_more = any(
        type or told or is_computed(default) for _, type, default, told, _ in rows or ()
    )
    if is_python and is_more:
        # The call shows no types, and no defaults with names.
        text += answer_parts.render_parameters(scope, is_brief=True)
    return text


def _properties(scope: FactScope) -> str:
    names = [f"`{name}`" for name in scope.get("properties") or ()]
    text = scope.phrases.listed(names)
    is_short = 0 < len(text) <= _LONGEST_MEMBERS
    return scope.phrases.part("properties", members=text) if is_short else ""


def _method_list(scope: FactScope) -> str:
    """Return a line for each method, with its purpose where all of them fit.

    Of a class with many methods, or with functions of other modules among them, the
    names of the first ones.
    """
    part = scope.phrases.part
    names = scope.get("members") or []
    purposes = scope.get("member_summaries") or {}
    if all(name == "__init__" for name in names):
        return ""
    bare = "".join(f"\n- `{name}`" for name in names)
    told = "".join(
        f"\n- `{name}`"
        + (part("purpose", text=purposes[name]) if name in purposes else "")
        for name in names
    )
    items = next((one for one in (told, bare) if len(one) <= _LONGEST_MEMBERS), "")
    if items and not scope.get("binds_methods"):
        return part("method_list", items=items)
    listed = answer_parts.list_texts(scope, [f"`{name}`" for name in names])
    return part("some_methods", members=listed)


def _module(scope: FactScope) -> Iterator[Fact]:
    """Say what a file is for; a quotation in another language alone is no fact."""
    path = str(scope.get("path"))
    is_whole = _TOP_PACKAGE.fullmatch(path.removeprefix("src/"))
    if _ASIDE.match(scope.get("name")) or is_whole:
        return  # what a README or a package says is what the project is
    if scope.get("kind") == "document":
        return  # its first paragraph is what it says, and not what it is for
    if scope.get("name") in _OF_ANY_FOLDER:
        return  # what it is for is the same everywhere
    members, ids = answer_parts.list_field(scope, "members", _MOST_NEIGHBOURS)
    is_shown = members and not scope.get("brief")
    # Of a module of the project, what it defines is expected, too.
    most = 1 if scope.get("brief") else _FEW_WORDS
    if not is_shown and says_little_of_module(scope.get("summary"), path, most):
        return
    answer = scope.answer("module") + answer_parts.render_summary(scope)
    if is_shown:  # nobody asks for the names of tests
        answer += scope.phrases.part("defines", members=members)
        answer += answer_parts.render_constants(scope)
    elif scope.is_foreign(scope.get("summary")):
        return
    yield Fact("module", answer, (scope.id, *ids))


def _code(scope: FactScope) -> Fact:
    """Quote the code, or show it and ask what it is for: half of the elements each.

    Where the docstring is in another language, or says little more than the name, the
    code takes its turn, and where another class of the file has the same code.
    """
    code = scope.get("head") + "\n" + scope.get("body")
    summary = lead(scope.get("summary"))
    seed = ""
    if summary and len(scope.get("body")) % 2:
        is_told = not scope.is_foreign(summary) and not scope.get("thin")
        if is_told and not scope.get("twin"):
            answer = scope.answer("describe", summary=summary)
            answer += answer_parts.render_condition(scope)
            return Fact("describe", answer, (scope.id,), "medium", {"code": code})
        seed = phrasing_seed("describe", scope.id)
    answer = scope.answer("code", code=answer_parts.render_code(scope, code))
    answer += answer_parts.render_condition(scope)
    return Fact("code", answer, (scope.id,), "medium", phrasing_seed=seed)
