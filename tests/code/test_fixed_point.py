"""The data flow has one solution, whatever is built first, at bounded cost."""

from __future__ import annotations

import pytest

from repobuild.code.resolve.python.data_flow.data_flow import MOST_HOPS
from repobuild.code.resolve.python.data_flow.fixed_point import FixedPoint, Variable
from tests.code_world import World

RING = {
    "a.py": "from b import pong\ndef ping(job):\n    job()\n    pong(job)\n",
    "b.py": "from a import ping\ndef pong(task):\n    task()\n    ping(task)\n",
    "c.py": "from a import ping\ndef leaf(): pass\nping(leaf)\n",
    "d.py": "from b import pong\ndef other(): pass\npong(other)\n",
}


@pytest.mark.parametrize("order", ["abcd", "dcba", "bdac"])
def test_a_circle_has_the_same_edges_whatever_was_built_before(order: str) -> None:
    world = World()
    for count in range(1, len(order) + 1):
        world.put({f"{name}.py": RING[f"{name}.py"] for name in order[:count]})
    edges = world.edges("calls")
    assert edges == World(RING).edges("calls")
    for caller in ("a.py::ping", "b.py::pong"):
        for passed in ("c.py::leaf", "d.py::other"):
            assert (caller, passed) in edges


def test_one_file_changed_in_a_circle_equals_a_clean_build() -> None:
    world = World(RING)
    changed = RING | {"c.py": "from a import ping\ndef stem(): pass\nping(stem)\n"}
    assert world.put(changed).rows == World(changed).rows
    assert ("b.py::pong", "c.py::stem") in world.edges("calls")
    without = {path: text for path, text in changed.items() if path != "d.py"}
    assert world.put(without).rows == World(without).rows


def test_a_function_is_followed_as_often_as_it_may_be_passed_on() -> None:
    lines = ["def leaf(): pass", "def other(): pass", "def f0(job): job()"]
    lines += [f"def f{n}(job): f{n - 1}(job)" for n in range(1, MOST_HOPS + 1)]
    lines += [f"f{MOST_HOPS - 1}(leaf)", f"f{MOST_HOPS}(other)", ""]
    edges = World({"a.py": "\n".join(lines)}).edges("calls")
    assert ("a.py::f0", "a.py::leaf") in edges
    assert ("a.py::f0", "a.py::other") not in edges
    assert ("a.py::f1", "a.py::f0") in edges


def test_a_file_does_not_depend_on_what_is_passed_on_far_away() -> None:
    """Of sympy one call depended on 33,000 names, and each commit read most of it."""
    files = {"f0.py": "def f0(jobs):\n    for job in jobs: job()\n    return jobs\n"}
    for n in range(1, 10):
        files[f"f{n}.py"] = (
            f"from f{n - 1} import f{n - 1}\n"
            f"def f{n}(jobs):\n    return f{n - 1}([*jobs, leaf{n}])\n"
            f"def leaf{n}(): pass\n"
        )
    world = World(files)
    assert ("f0.py::f0", "f1.py::leaf1") in world.edges("calls")
    dependants = world.view.own.index.find
    assert "f0.py" in dependants("to:f1")
    assert "f0.py" not in dependants("to:f8")


def test_circles_are_solved_with_few_computations(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    computed: dict[Variable, int] = {}
    compute = FixedPoint._compute

    def counted(self: FixedPoint, variable: Variable) -> None:
        computed[variable] = computed.get(variable, 0) + 1
        compute(self, variable)

    monkeypatch.setattr(FixedPoint, "_compute", counted)
    count = 40  # each passes on to all others: a circle of 40 parameters
    calls = "".join(f"    f{n}(job)\n" for n in range(count))
    lines = [f"def f{n}(job):\n    job()\n{calls}" for n in range(count)]
    lines += [f"def g{n}(): pass\nf{n}(g{n})\n" for n in range(count)]
    edges = World({"a.py": "".join(lines)}).edges("calls")
    assert ("a.py::f0", f"a.py::g{count - 1}") in edges
    assert sum(computed.values()) < 10 * len(computed)
