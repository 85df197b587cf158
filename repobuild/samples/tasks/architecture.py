"""Task `architecture_understanding`: how the parts depend on each other."""

from __future__ import annotations

from collections.abc import Iterator

from repobuild.samples.contexts.package_parts import INIT
from repobuild.samples.tasks import answer_parts
from repobuild.samples.tasks.facts import Fact, FactScope
from repobuild.samples.tasks.trace import Trace, merged, render_source, whole_list

_FEWEST_PARTS = 2
_FOR_PURPOSES = (1, 3)  # questions of `package_parts` that ask what each part is for


def facts(scope: FactScope) -> Iterator[Fact]:
    kind = scope.get("kind")
    if kind in ("module", "file"):
        yield from _imports(scope)
        yield from _package_parts(scope)
    elif kind == "lines":
        yield from _example(scope)
    elif kind in ("function", "class") and not scope.get("name").startswith("__"):
        yield from _role(scope)


def _imports(scope: FactScope) -> Iterator[Fact]:
    for kind in ("imports", "importers"):
        text, ids = answer_parts.list_field(scope, kind)
        if not text or kind in (scope.get("more") or ()):
            continue  # nobody asks for the first of many
        answer = scope.answer(kind, members=text)
        if kind == "imports" and scope.get("imports_for_types"):
            typed, more = answer_parts.list_field(scope, "imports_for_types")
            if not typed or "imports_for_types" in (scope.get("more") or ()):
                continue
            answer += scope.phrases.part("imported_for_types", members=typed)
            ids += more
        unread = [f"`{name}`" for name in scope.get("unread") or ()]
        if kind == "imports" and unread:
            listed = scope.phrases.listed(unread)
            answer += scope.phrases.part("imports_unread", members=listed)
        if kind == "importers":
            told = _other_importers(scope)
            if told is None:
                continue
            answer, ids = answer + told[0], ids + told[1]
        yield Fact(kind, answer, (scope.id, *ids), "medium")


def _other_importers(scope: FactScope) -> tuple[str, tuple[str, ...]] | None:
    """Tell who imports a file besides the code itself; None where that cannot be told.

    Where its names are passed on, those who take them there depend on it.
    """
    answer = ""
    ids: tuple[str, ...] = ()
    for field, part in (("importers_aside", "imported_aside"), ("takers", "taken_by")):
        if not scope.get(field):
            continue
        members, told = answer_parts.list_field(scope, field)
        if not members:
            return None
        answer += scope.phrases.part(part, members=members)
        ids = (*ids, *told)
    return answer, ids


def _package_parts(scope: FactScope) -> Iterator[Fact]:
    """What a package consists of, where most parts say what they are for.

    Who asks for the purpose of each is answered only where each has one.
    """
    parts = scope.get("parts") or []
    sources = [path if path.endswith(".py") else path + INIT for path, _ in parts]
    told = sum(bool(text) for _, text in parts)
    if len(parts) < _FEWEST_PARTS or 2 * told < len(parts):
        return
    if len(scope.without_held_out(sources)) < len(sources):
        return  # the list would be incomplete
    items = "".join(
        f"\n- `{path}`"
        + (scope.phrases.part("package_purpose", text=text) if text else "")
        for path, text in parts
    )
    fields = {"folder": str(scope.get("path")).removesuffix(INIT)}
    answer = scope.answer("package_parts", items=items, **fields)
    sources = list(merged((scope.id,), tuple(sources)))
    unanswered = () if told == len(parts) else _FOR_PURPOSES
    yield Fact(
        "package_parts",
        answer,
        tuple(sources),
        "medium",
        fields,
        unanswered=unanswered,
    )


def _role(scope: FactScope) -> Iterator[Fact]:
    """The element between its users and what it uses; both have to be known whole.

    A class works with what its methods use, which no list of its own calls has.
    """
    if scope.get("kind") == "class" and scope.get("members"):
        return
    users, callers = whole_list(scope, "callers")
    used, callees = whole_list(scope, "callees")
    if not users or not used:
        return
    part = scope.phrases.part
    trace = Trace(scope)
    trace.cite_pattern()
    answer = scope.answer("place")
    if trace.steps:  # that tests use it is no reason for anything
        trace.cite("trace_tests", "tests")
        answer += trace.render()
    answer += answer_parts.render_summary(scope)
    if text := scope.get("module_summary"):
        answer += part("module_summary", summary=text)
    answer += part(answer_parts.users_label(scope, "used_by"), members=users) + part(
        "calls", members=used
    )
    answer += render_source(scope)
    sources = merged((scope.id,), callers, callees, tuple(trace.sources))
    yield Fact("place", answer, sources, "hard")


def _example(scope: FactScope) -> Iterator[Fact]:
    """A subclass, with the lines of its methods, as the model for another one."""
    rows = scope.get("members")
    bases = scope.without_held_out(list(scope.get("bases") or ()))
    if not rows or not bases:
        return
    part = scope.phrases.part
    members = [
        part(
            "lines_of" if end > start else "line_of",
            name=name,
            start=str(start),
            **({"end": str(end)} if end > start else {}),
        )
        for name, start, end in rows
    ]
    trace = Trace(scope)
    if len(bases) == len(scope.get("bases")):
        trace.cite("graph_bases", "bases")
    trace.steps += [
        part(_line_part(scope, code), line=str(line), code=f"`{code}`")
        for line, code in scope.get("extends") or ()
    ]
    trace.steps.append(part("trace_members", members=scope.phrases.listed(members)))
    fields = {
        "base": answer_parts.element_name(scope, bases[0]),
        "start": str(scope.get("start")),
        "end": str(scope.get("end")),
    }
    answer = scope.answer("example", **fields) + trace.render()
    sources = merged((scope.id,), (bases[0],), tuple(trace.sources))
    yield Fact("example", answer, sources, "hard", fields)


def _line_part(scope: FactScope, code: str) -> str:
    if "super(" in code:
        return "trace_super"
    is_head = scope.get("fence") != "python" or code.startswith("class ")
    return "trace_head" if is_head else "trace_base"
