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
        is_open = scope.get("open_calls") or answer_parts.is_open(scope, kind)
        if kind == "callees" and is_open:
            continue  # what nobody knows may be its main work, and its code shows it
        if kind in ("callers", "readers") and _knows_little(scope, kind):
            continue
        text, ids = answer_parts.list_field(scope, kind)
        if kind == "callees" and answer_parts.only_exceptions(scope, ids):
            continue  # what it reads, and does without a call, is not among them
        if kind == "callees" and ids == (scope.id.rpartition(".")[0],):
            continue  # it makes an object of its own class, and calls nothing
        if kind == "readers" and scope.get("callers"):
            continue  # told with those: nobody asks for the rest of its users alone
        if kind == "readers" and {*ids} <= {*answer_parts.binding_classes(scope)}:
            continue  # a class body imports it, and nothing else refers to it
        if kind == "readers" and ids == (scope.get("path"),):
            continue  # its own file's top level: a table, or `f.limit = 1` below it
        if kind == "tests" and kind in (scope.get("more") or ()):
            continue  # of so many tests a few are no answer
        if text:
            answer = scope.answer(kind, members=text)
            if kind == "callers" and scope.get("recursive"):
                answer += scope.phrases.part("calls_itself")
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


def _knows_little(scope: FactScope, kind: str) -> bool:
    """Return whether a list may have others, and knows one or two of its own file.

    Those who matter to whoever asks are in other files, and may be what it lacks.
    """
    if kind == "callers" and scope.get("readers"):
        return False  # who passes it on is told with them
    ids = scope.get(kind) or ()
    is_near = all(split_id(id)[0] == scope.get("path") for id in ids)
    return answer_parts.is_open(scope, kind) and len(ids) <= _FEW and is_near
