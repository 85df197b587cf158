"""Task `relations`: callers, callees, inheritance, tests; one fact for each list."""

from __future__ import annotations

from collections.abc import Iterator

from repobuild.code.graph.graph import split_id
from repobuild.samples.tasks import answer_parts
from repobuild.samples.tasks.facts import Fact, FactScope

_FEW = 2  # names that say little of a list which may have others
# Fields of a context, each also a kind in the question files.
_LISTS = (
    "callers",
    "callees",
    "bases",
    "subclasses",
    "overrides",
    "overridden",
    "tests",
    "readers",
)


def facts(scope: FactScope) -> Iterator[Fact]:
    if scope.get("kind") not in ("function", "method", "class"):
        return
    if scope.get("name").startswith("__") and scope.get("name") != "__init__":
        return
    is_class = scope.get("kind") == "class"
    # Nobody calls a constructor by its name, but its class.
    hidden = ("callers", "readers") if scope.get("name") == "__init__" else ()
    for kind in _LISTS:
        if kind in hidden:
            continue
        others = _other_callers(scope) if kind == "callers" else ""
        text, ids = answer_parts.list_field(scope, kind, is_whole=bool(others))
        if not text or _is_beside_the_point(scope, kind, ids):
            continue
        answer = scope.answer(kind, members=text)
        if kind == "callers" and scope.get("recursive"):
            answer += scope.phrases.part("calls_itself")
        answer += others
        if kind == "callers" and scope.get("readers") and not is_class:
            # Who passes it on uses it, too; of a class that makes no object.
            read_by, readers = answer_parts.list_field(scope, "readers")
            if not read_by:
                continue
            answer += scope.phrases.part("read_by", members=read_by)
            ids = tuple(dict.fromkeys((*ids, *readers)))
        if kind == "bases" and (foreign := scope.get("foreign_bases")):
            listed = scope.phrases.listed([f"`{base}`" for base in foreign])
            answer += scope.phrases.part("foreign_bases", members=listed)
        yield Fact(kind, answer, (scope.id, *ids), "medium")


def _is_beside_the_point(scope: FactScope, kind: str, ids: tuple[str, ...]) -> bool:
    """Return whether a list is not what whoever asks for it wants to know."""
    if kind == "callees":
        # What nobody knows may be its main work, and its code shows it.
        is_open = scope.get("open_calls") or answer_parts.is_open(scope, kind)
        # What it reads, and does without a call, is not among them. An object of its
        # own class is no other code.
        is_own = ids == (scope.id.rpartition(".")[0],)
        return bool(is_open or is_own) or answer_parts.only_exceptions(scope, ids)
    if kind in ("callers", "readers") and _knows_little(scope, kind):
        return True
    if kind == "readers":
        # Told with the callers: nobody asks for the rest of its users alone.
        is_told = bool(scope.get("callers"))
        # A class body imports it, and nothing else refers to it.
        is_bound = {*ids} <= {*answer_parts.binding_classes(scope)}
        # Its own file's top level: a table, or `f.limit = 1` below it.
        return is_told or is_bound or ids == (scope.get("path"),)
    # Of so many tests a few are no answer.
    return kind == "tests" and kind in (scope.get("more") or ())


def _other_callers(scope: FactScope) -> str:
    """Name the few files that may call a method, where that is not certain."""
    if not answer_parts.is_open(scope, "callers"):
        return ""
    paths = scope.get("open_callers") or ()
    members = answer_parts.list_texts(scope, [f"`{path}`" for path in paths])
    if not members:
        return ""
    name = str(scope.get("name"))
    return scope.phrases.part("open_callers", short=name, members=members)


def _knows_little(scope: FactScope, kind: str) -> bool:
    """Return whether a list may have others, and knows one or two of its own file.

    Those who matter to whoever asks are in other files, and may be what it lacks.
    """
    if kind == "callers" and scope.get("readers"):
        return False  # who passes it on is told with them
    if kind == "callers" and _other_callers(scope):
        return False
    ids = scope.get(kind) or ()
    is_near = all(split_id(id)[0] == scope.get("path") for id in ids)
    return answer_parts.is_open(scope, kind) and len(ids) <= _FEW and is_near
