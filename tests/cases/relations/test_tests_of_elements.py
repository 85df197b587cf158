"""Tests that an answer names are tests of the element, that a runner collects."""

from __future__ import annotations

import pytest

from tests.cases.sampled import Sampled, sampled_fixture

QUEUE = '''\
"""Queues with two faces."""


class Queue:
    """A queue."""

    def join(self):
        """Wait for all items."""
        return self

    def restock(self, count):
        """Fill the queue again."""
        return count

    def close(self):
        """Close the queue."""
        return None


class Pool:
    """A pool."""

    def join(self):
        """Wait for all workers."""
        return self
'''
TESTS = """\
from unittest import TestCase

from queues.queue import Queue


class QueueTest(TestCase):
    def check_restock(self, count):
        queue = Queue()
        assert queue.restock(count) == count

    def test_a_queue_is_drained(self):
        queue = Queue()
        queue.restock(1)
        queue.join()
        queue.close()

    def test_restock_gives_the_count(self):
        queue = Queue()
        assert queue.restock(2) == 2
"""
BENCHMARKS = """\
from queues.queue import Queue


def test_bench_restock(benchmark):
    queue = Queue()
    benchmark(queue.restock(3))
"""
queues = sampled_fixture(
    {
        "queues/__init__.py": "",
        "queues/queue.py": QUEUE,
        "tests/test_all.py": TESTS,
        "tests/test_benchmarks.py": BENCHMARKS,
    }
)


def answers_of(sampled: Sampled, name: str) -> set[str]:
    """Return the answers that name tests of an element."""
    answers = sampled.answers(f"queues/queue.py::{name}")
    return {one for one in answers if one.startswith("Tests that use")}


def test_tests_named_after_an_element_come_first(queues: Sampled) -> None:
    assert answers_of(queues, "Queue.restock") == {
        "Tests that use `Queue.restock` directly:"
        " `QueueTest.test_restock_gives_the_count`,"
        " `QueueTest.test_a_queue_is_drained` (in `tests/test_all.py`)."
    }


def test_helpers_and_benchmarks_are_no_tests(queues: Sampled) -> None:
    for sample in queues.samples.values():
        if sample["answer"].startswith("Tests that use"):
            assert "check_restock" not in sample["answer"]
            assert "bench" not in sample["answer"]


def test_tests_that_use_something_by_the_way_are_not_its_tests(queues: Sampled) -> None:
    assert not answers_of(queues, "Queue.close")


def test_a_name_that_two_elements_have_has_no_tests(queues: Sampled) -> None:
    assert not answers_of(queues, "Queue.join")


@pytest.mark.parametrize(
    "name, problem",
    [("QueueTest.check_restock", "collects"), ("test_bench_restock", "benchmark")],
)
def test_a_helper_or_a_benchmark_is_noticed(
    queues: Sampled, name: str, problem: str
) -> None:
    changed = {}
    path = "tests/test_all.py" if "." in name else "tests/test_benchmarks.py"
    for key, sample in queues.samples.items():
        if sample["answer"].startswith("Tests that use `Queue.restock`"):
            listed = f"`{name}` (in `{path}`)."
            answer = f"Tests that use `Queue.restock` directly: {listed}"
            sources = [sample["element"], f"{path}::{name}"]
            changed[key] = {**sample, "answer": answer, "sources": sources}
    assert changed
    found = queues.audit(changed).wrong
    assert any(problem in one.actual for one in found)
