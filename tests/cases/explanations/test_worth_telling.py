"""An answer about code tells what its name does not say, and tells it whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from repobuild.model.grounding import is_fact
from repobuild.samples.contexts.graph_reader import spread
from repobuild.samples.tasks.explanation import facts as explain
from repobuild.samples.tasks.facts import Fact, FactScope
from repobuild.samples.tasks.implementation_path import facts as change
from repobuild.samples.tasks.phrases import load_phrases
from repobuild.samples.tasks.relations import facts as relations
from repobuild.samples.tasks.trace import whole_list
from repobuild.samples.text.refusals import does_nothing
from repobuild.samples.text.summary.module_purpose import repeats_path
from tests.cases.sampled import (
    Sampled,
    answers,
    of_kind,
    sampled_fixture,
)

QUEUES = '''"""Queues of requests."""

from post.wire import Wire, stamp


class Queue:
    """A queue of requests."""

    def __init__(self, wire):
        self.put_queue = []
        """Requests to put something."""
        self.get_queue = []
        """Requests to get something."""
        self.wire = Wire(wire)

    def begin_work(self, wire):
        """Begin to take requests from a wire."""
        self.wire = Wire(wire)
        """The wire that is listened to."""
        # From now on it takes requests.
        self.is_open = True
        return self.wire

    def close(self):
        pass

    def drain_quietly(self):
        """Wait until all requests were sent."""

    def add_wire_name(self, request):
        """Add the wire name to a request."""
        request.wire = self.wire.name
        return request

    def cancel_request(self, request):
        """Cancel this request.

        It has to be called if it is late.
        """
        self.put_queue.remove(request)

    def _dispatch_task(self):
        """
        核心调度方法
        启动观察者监听文件系统的事件
        """
        self.wire.start()

    def flush(self):
        """Send all requests."""
        return self.wire.send(self.put_queue)


class Marked:
    """A request with a day."""

    def __init__(self, request):
        self.request = stamp(request)

    def day(self):
        """Return the day of the request."""
        return self.request.day


class FastQueue(Queue):
    """A queue without a wire."""

    def close(self):
        pass
'''
FILES = {
    "pyproject.toml": '[project]\nname = "post"\ndescription = "Send requests"\n',
    "post/__init__.py": "",
    "post/queues.py": QUEUES,
    "post/wire.py": '"""Wires."""\n\n\nclass Wire:\n    """A wire."""\n\n'
    "    def __init__(self, end):\n        self.end = end\n\n"
    '    def send(self, requests):\n        """Send requests to the end."""\n'
    "        return [self.end(one) for one in requests]\n\n"
    '    @property\n    def _length(self):\n        """The length of the wire."""\n'
    "        return len(self.end)\n\n"
    "    def grow(self):\n        self.end += self._length\n\n\n"
    'def cut_wire(wire):\n    """Take the end off a wire."""\n'
    "    wire.end = None\n    return wire\n\n\n"
    'def wireend(wire):\n    """Return the wire end.\n\n'
    '    It is where requests arrive.\n    """\n    return wire.end\n\n\n'
    'def stamp(request):\n    """Put the day on a request."""\n'
    "    request.day = 1\n    return request\n",
    **{
        f"post/{path}.py": "from post.wire import stamp\n"
        + "".join(
            f"\n\ndef {path}_{n:02}(one):\n    return stamp(one)\n" for n in range(10)
        )
        for path in "ab"
    },
    "tests/test_ends.py": "from post.wire import Wire, cut_wire\n\n\n"
    "def test_cut_wire_ends():\n    assert cut_wire(Wire(len)).end is None\n",
    "tests/test_wire.py": "from post.wire import Wire, cut_wire\n\n\n"
    "def test_cut_wire():\n    assert cut_wire(Wire(len))\n",
}
HOME = "post/queues.py::"
post = sampled_fixture(FILES, **{"samples.min_code_lines": 2})


def test_every_claim_of_these_samples_holds(post: Sampled) -> None:
    assert post.audit().wrong == []


def test_the_docstring_of_an_attribute_is_no_step_of_a_trace(post: Sampled) -> None:
    traced = of_kind(post, "trace")
    assert traced
    assert not any('"""' in one["answer"] for one in traced)
    (text,) = {
        one["answer"] for one in traced if one["element"] == f"{HOME}Queue.begin_work"
    }
    assert "self.is_open = True" in text


def test_what_does_nothing_is_told_so_before_its_purpose(post: Sampled) -> None:
    (told,) = answers(post, "explain", f"{HOME}Queue.drain_quietly")
    assert told.index("It does nothing by itself") < told.index("**Purpose**")
    assert all(
        "It does nothing by itself" in one
        for one in answers(post, "sketch", f"{HOME}FastQueue.close")
    )
    (flush,) = answers(post, "explain", f"{HOME}Queue.flush")
    assert "nothing" not in flush


@pytest.mark.parametrize(
    ("code", "decorators", "is_empty"),
    [
        (b"def f(x):\n    pass\n", [], True),
        (b"def f(x): pass  # later", [], True),
        (b'def f(x):\n    """Do it."""', [], True),
        (b'def f(x):\n    """Do it."""\n    # later\n    pass\n', [], True),
        (b"def f(x):\n    return None\n", [], False),
        (b"@click.group()\ndef f(x):\n    pass\n", ["click.group()"], False),
        (b"@abstractmethod\ndef f(x):\n    pass\n", ["abstractmethod"], False),
        (b"def f(x):\n    if x:\n        pass\n", [], False),
        (b"def f(x):\n    return x\n", [], False),
        (b"def f(x):\n    ...\n", [], False),
    ],
)
def test_a_body_is_empty_where_no_statement_does_anything(
    code: bytes, decorators: list[str], is_empty: bool
) -> None:
    assert does_nothing(code, decorators) == is_empty


CONTEXT: dict[str, Any] = {
    "kind": "function",
    "id": "post/wire.py::send",
    "path": "post/wire.py",
    "name": "send",
    "label": "send",
    "project": "post",
    "fence": "python",
    "undocumented": True,
    "signature": "def send(requests)",
    "short": "def send(requests):\n    return [one() for one in requests]",
}


def facts_about(
    task: Callable[[FactScope], Iterator[Fact]], held_out: str, **fields: Any
) -> dict[str, str]:
    """Return the answers by kind, where elements that begin so are held out."""
    scope = FactScope(
        {**CONTEXT, **fields},
        load_phrases("en"),
        ("en",),
        lambda id: id.startswith(held_out),
    )
    return {fact.kind: fact.answer for fact in task(scope)}


CALLERS = ["post/desk.py::Desk.call"]
READERS = ["post/table.py::fill"]


def test_who_else_refers_to_something_is_told_after_who_calls_it() -> None:
    both = facts_about(explain, "-", callers=CALLERS, readers=READERS)
    assert "**Also referred to by**: `fill`" in both["written"]
    alone = facts_about(explain, "-", readers=READERS)
    assert "**Referred to by**: `fill`" in alone["written"]


def test_without_the_callers_nobody_else_is_told_as_who_uses_it() -> None:
    found = facts_about(explain, "post/desk", callers=CALLERS, readers=READERS)
    assert "eferred to by" not in found["written"]


LONG = "\n".join(f"    requests[{n}].send()" for n in range(20))
THIN: dict[str, Any] = {
    "summary": "Send requests.",
    "thin": True,
    "undocumented": False,
    "short": "",
}


def test_a_purpose_that_repeats_the_name_is_told_with_the_code_or_what_it_calls():
    head = {"head": "def send(requests):", "body": LONG}
    shown = facts_about(explain, "-", **THIN, **head, callees=CALLERS)["explain"]
    assert "requests[19].send()" in shown and "It calls" not in shown
    called = facts_about(explain, "-", **THIN, callees=CALLERS, callers=READERS)
    assert "**It calls**: `Desk.call`" in called["explain"]
    assert "**Used by**: `fill`" in called["explain"]
    assert "explain" not in facts_about(explain, "post/desk", **THIN, callees=CALLERS)
    assert "explain" not in facts_about(explain, "-", **THIN, callers=READERS)


def test_a_constructor_is_there_for_what_its_class_is_for() -> None:
    fields = {
        "kind": "method",
        "id": "post/wire.py::Wire.__init__",
        "name": "__init__",
        "label": "Wire.__init__",
        "container": "Wire",
        "short": "",
        "params": [["end", "", "", "", ""]],
    }
    about = {"container_summary": "A wire for requests."}
    told = facts_about(explain, "-", **fields, **about)["sketch"]
    assert "**The class** `Wire`: A wire for requests." in told
    assert "sketch" not in facts_about(explain, "-", **fields)
    assert "sketch" not in facts_about(explain, "-", **{**fields, "name": "f"}, **about)


TESTS = [
    "tests/test_wire.py::TestSend.test_all",
    "tests/test_desk.py::test_call",
    "tests/test_desk.py::test_no_call",
    "tests/test_desk.py::test_late_call",
    "tests/test_desk.py::test_long_call",
]
AFFECTED: dict[str, Any] = {"callers": CALLERS, "tests": TESTS}


def test_without_its_own_tests_others_are_not_told_as_those_to_run() -> None:
    assert "change" in facts_about(change, "-", **AFFECTED)
    assert "change" not in facts_about(change, "tests/test_wire", **AFFECTED)


def test_a_list_of_tests_to_run_says_that_it_is_cut() -> None:
    cut = facts_about(change, "-", **AFFECTED)["change"]
    assert "`test_late_call` (in `tests/test_desk.py`) and others." in cut
    whole = facts_about(change, "-", callers=CALLERS, tests=TESTS[1:])["change"]
    assert "others" not in whole


def test_the_tests_beside_those_of_its_module_come_later(post: Sampled) -> None:
    tests = post.context("post/wire.py::cut_wire")["tests"]
    assert [one.partition("::")[0] for one in tests] == [
        "tests/test_wire.py",
        "tests/test_ends.py",
    ]


def test_a_part_of_a_list_is_from_as_many_files_as_possible() -> None:
    ids = [f"{path}.py::f{n:02}" for path in "abc" for n in range(10)]
    found = spread(ids, 6)
    assert [one[0] for one in found] == ["a", "a", "b", "b", "c", "c"]
    assert spread(ids[:6], 6) == ids[:6]
    many = [f"m{n:02}.py::f" for n in range(40)]
    assert spread(many, 4) == [many[0], many[10], many[20], many[30]]


def test_a_list_that_is_cut_says_how_many_there_are(post: Sampled) -> None:
    (told,) = answers(post, "callers", "post/wire.py::stamp")
    assert told.endswith(" and others, 21 in all.")
    assert "post/b.py" in told
    changed = {
        key: {**one, "answer": one["answer"].replace("21 in all", "31 in all")}
        for key, one in post.samples.items()
        if "21 in all" in one["answer"]
    }
    assert {one.claim for one in post.audit(changed).wrong} == {"callers"}


IN_ALL = {"callers": 31}
MANY = [f"post/commands/group_{n:02}/send_letter.py::command" for n in range(16)]


def test_who_calls_something_from_many_files_is_a_fact_to_look_up() -> None:
    """`ask` said that it is not known: the list was too long to be given."""
    told = facts_about(relations, "-", callers=MANY, more=["callers"], totals=IN_ALL)
    assert told["callers"].endswith(" and others, 31 in all.")
    assert is_fact(told["callers"])
    assert "group_00" in told["callers"] and "group_13" in told["callers"]


def test_a_list_that_is_cut_for_its_length_is_not_told_as_whole() -> None:
    def found(callers: list[str]) -> tuple[str, ...]:
        context = {**CONTEXT, "callers": callers}
        scope = FactScope(context, load_phrases("en"), ("en",), lambda id: False)
        return whole_list(scope, "callers")[1]

    assert found(MANY[:3]) == tuple(MANY[:3])
    assert found([*MANY, *(f"{one}_again" for one in MANY)]) == ()


def test_a_list_in_chinese_says_how_many_there_are() -> None:
    phrases = load_phrases("zh")
    names = ["`a`", phrases.part("mention", names="`b`", path="b.py")]
    assert phrases.listed(names, 53) == "`a`、`b`（位于 `b.py`）等，共 53 个"
    assert phrases.listed(names[:1], 53) == "`a` 等，共 53 个"


def test_a_class_calls_what_its_constructor_calls(post: Sampled) -> None:
    context = post.context(f"{HOME}Queue")
    assert context["callees"] == ["post/wire.py::Wire"]
    assert "callees" in context["open"]  # one of its methods calls another
    marked = post.context(f"{HOME}Marked")
    assert marked["callees"] == ["post/wire.py::stamp"]
    assert "open" not in marked


def test_readers_of_a_property_may_be_more_than_those_that_are_known(
    post: Sampled,
) -> None:
    assert "readers" in post.context("post/wire.py::Wire._length")["open"]
    # Two of its own file are no answer where there may be others.
    assert not answers(post, "readers", "post/wire.py::Wire._length")


@pytest.mark.parametrize(
    ("summary", "path", "repeats"),
    [
        ("Carwash example.", "docs/examples/code/carwash.py", True),
        ("SimPy specific exceptions.", "src/simpy/exceptions.py", True),
        ("Utility functions for tests.", "simpy/utils.py", True),
        ("A carwash with a limited number of machines.", "docs/carwash.py", False),
        ("Exceptions that a queue raises.", "simpy/exceptions.py", False),
        ("排队示例", "simpy/queues.py", False),
    ],
)
def test_a_title_that_only_names_a_module_is_no_purpose(
    summary: str, path: str, repeats: bool
) -> None:
    assert repeats_path(summary, path) == repeats


def test_a_purpose_that_repeats_the_name_is_told_with_what_follows_it(
    post: Sampled,
) -> None:
    (told,) = answers(post, "explain", f"{HOME}Queue.cancel_request")
    assert (
        "**Purpose**: Cancel this request. It has to be called if it is late." in told
    )
    assert post.context(f"{HOME}Queue._dispatch_task")["summary"] == (
        "核心调度方法。启动观察者监听文件系统的事件"
    )


@pytest.mark.parametrize(
    ("doc", "summary"),
    [
        ("查询门店列表\n详情请参考\nhttps://post.invalid/list", "查询门店列表"),
        ("详情请参考\nhttps://post.invalid/list", ""),
        ("核心调度方法\n启动观察者", "核心调度方法。启动观察者"),
        ("核心调度方法\n\n启动观察者。", "核心调度方法。启动观察者。"),
    ],
)
def test_a_pointer_elsewhere_is_not_what_follows_a_purpose(
    doc: str, summary: str, tmp_path: Path
) -> None:
    code = f'def list_all(shop):\n    """\n    {doc}\n    """\n    return shop\n'
    code = code.replace("\n详", "\n    详").replace("\nhttps", "\n    https")
    code = code.replace("\n启", "\n    启")
    sampled = Sampled(tmp_path, {"shop/__init__.py": "", "shop/lists.py": code})
    assert sampled.audit().wrong == []
    assert sampled.context("shop/lists.py::list_all").get("summary", "") == summary


def test_words_that_a_name_joins_are_its_words(post: Sampled) -> None:
    told = post.context("post/wire.py::wireend")
    assert told["summary"] == "Return the wire end. It is where requests arrive."


def test_a_purpose_that_repeats_the_name_is_told_with_the_code_or_not_at_all(
    post: Sampled,
) -> None:
    (told,) = answers(post, "explain", f"{HOME}Queue.add_wire_name")
    assert "**Its code**" in told
    assert not [
        one
        for one in of_kind(post, "describe")
        if one["element"].endswith(("add_wire_name", "cancel_request"))
    ]
    fields = {"summary": "Send requests.", "thin": True, "short": ""}
    assert not facts_about(explain, "-", **fields)
