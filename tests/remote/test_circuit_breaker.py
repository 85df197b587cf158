"""What a remote does costs a build seconds at most, and never ends it."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from pathlib import Path

import pytest

from repobuild.remote.circuit_breaker import CircuitBreaker, RemoteDown
from repobuild.remote.shared_cache import SharedCache
from tests.remote.servers import FaultyServer, http_server, silent_port
from tests.remote.world import NOTHING, TEXTS, Clone, shared
from tests.repository import Repository

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)


def failing(error: Exception, times: int = 1_000):
    calls: list[float] = []

    def work() -> str:
        calls.append(time.monotonic())
        if len(calls) <= times:
            raise error
        return "done"

    return calls, work


def test_a_call_is_tried_again_after_a_pause():
    breaker = CircuitBreaker(5)
    calls, work = failing(ConnectionError("reset"), times=2)
    assert breaker.call(work) == "done"
    assert len(calls) == 3 and not breaker.reason


def test_a_missing_file_is_an_answer_and_is_not_asked_for_again():
    breaker = CircuitBreaker(5)
    for _ in range(5):
        calls, work = failing(FileNotFoundError("x"))
        with pytest.raises(FileNotFoundError):
            breaker.call(work)
        assert len(calls) == 1
    assert not breaker.reason


def test_three_calls_that_fail_open_it_and_nothing_is_called_then():
    breaker = CircuitBreaker(5)
    calls, work = failing(ConnectionError("reset"))
    for number in range(1, 4):
        assert not breaker.reason
        with pytest.raises(RemoteDown, match="reset"):
            breaker.call(work)
        assert len(calls) == 4 * number
    assert "reset" in breaker.reason
    with pytest.raises(RemoteDown):
        breaker.call(work)
    assert len(calls) == 12


def test_a_server_that_is_busy_for_a_moment_is_not_given_up():
    """Sixteen calls are under way, and each is refused twice."""
    breaker = CircuitBreaker(5)
    refused: Counter[int] = Counter()

    def work(item: int) -> int:
        refused[item] += 1
        if refused[item] <= 2:
            raise ConnectionError("503 slow down")
        return item

    replies = list(breaker.each(work, range(64)))
    assert sorted(reply.value for reply in replies) == list(range(64))
    assert not breaker.reason


def test_no_right_is_no_reason_to_try_again():
    breaker = CircuitBreaker(5)
    calls, work = failing(PermissionError("403"))
    with pytest.raises(RemoteDown):
        breaker.call(work)
    assert len(calls) == 1 and breaker.reason


def test_a_call_that_hangs_is_left_alone():
    breaker = CircuitBreaker(0.2)
    began = time.monotonic()
    with pytest.raises(RemoteDown, match="no answer"):
        breaker.call(lambda: time.sleep(30))
    assert time.monotonic() - began < 2


def test_a_hundred_calls_that_hang_cost_as_much_as_one():
    breaker = CircuitBreaker(0.3)
    began = time.monotonic()
    answers = list(breaker.each(lambda _: time.sleep(30), range(100)))
    assert all(isinstance(answer.error, RemoteDown) for answer in answers)
    assert time.monotonic() - began < 3


def test_what_is_slower_than_its_bytes_explain_is_given_up():
    breaker = CircuitBreaker(1.0)  # on a busy machine 0.2 s may be 0.5
    for _ in range(100):
        try:
            breaker.call(lambda: time.sleep(0.2))
        except RemoteDown:
            break
    assert breaker.reason == "too slow"
    assert breaker.traffic.waited < 10


def test_many_slow_calls_are_given_up_before_they_all_are_made():
    breaker = CircuitBreaker(0.1)
    began = time.monotonic()
    replies = list(breaker.each(lambda _: time.sleep(0.08), range(1_000)))
    assert breaker.reason == "too slow" and time.monotonic() - began < 2
    assert any(reply.error for reply in replies)


def test_a_long_call_goes_on_while_bytes_come_and_ends_when_they_stop():
    breaker = CircuitBreaker(0.3)

    def moving(moved) -> str:
        for _ in range(8):
            time.sleep(0.1)
            moved(1 << 20)
        return "done"

    assert breaker.call_long(moving, 8 << 20) == "done"
    began = time.monotonic()
    with pytest.raises(RemoteDown):
        breaker.call_long(lambda moved: time.sleep(30), 1)
    assert time.monotonic() - began < 2


# ---------------------------------------------------------------- a build, and a server


@pytest.fixture
def origin(repository: Repository) -> Clone:
    repository.commit(TEXTS)
    clone = Clone(repository.path)
    clone.build()
    return clone


@pytest.fixture
def server(origin: Clone, tmp_path: Path):
    origin.push(shared(tmp_path / "served", tmp_path / "pusher"))
    with http_server(tmp_path / "served") as running:
        yield running


@pytest.mark.parametrize(
    "fault",
    ["error", "denied", "garbage", "endless", "trickle", "stall", "short", "late"],
)
def test_a_build_goes_on_alone_whatever_the_server_does(
    server: FaultyServer, origin, tmp_path, fault
):
    server.fault = fault
    clone = Clone(tmp_path / "clone", origin.path)
    cache = shared(server.url, tmp_path / "reader", key=None, timeout=0.5)
    began = time.monotonic()
    pulled = clone.build(cache)
    assert time.monotonic() - began < 15
    assert cache.breaker.traffic.waited < 3
    assert pulled.digests == origin.build().digests
    # What came before it was given up is used.
    given_up = {"book"} if fault == "late" else {"words", "counts", "book"}
    assert given_up <= pulled.built.keys()
    assert cache.warnings()


def test_a_server_that_fails_now_and_then_is_used_all_the_same(
    server: FaultyServer, origin, tmp_path
):
    server.fault = "sometimes"
    clone = Clone(tmp_path / "clone", origin.path)
    cache = shared(server.url, tmp_path / "reader", key=None)
    assert clone.build(cache).built.keys() == NOTHING
    assert cache.breaker.traffic.failed and not cache.breaker.reason


def test_an_address_where_nobody_answers_costs_the_time_out(origin, tmp_path):
    with silent_port() as port:
        urls = [f"http://127.0.0.1:{port}", f"sftp://127.0.0.1:{port}/x"]
        for number, url in enumerate([*urls, "http://127.0.0.1:9"]):
            cache = shared(url, tmp_path / "reader", key=None, timeout=0.5)
            clone = Clone(tmp_path / f"clone{number}", origin.path)
            pulled = clone.build(cache)
            assert pulled.digests == origin.build().digests
            assert cache.breaker.reason and cache.breaker.traffic.waited < 3


def test_a_push_that_fails_midway_leaves_no_entry_without_its_objects(
    origin, tmp_path, monkeypatch
):
    """Whichever write breaks: what is there then can be read, or is a miss."""
    for broken in (1, 2, 4, 7, 8):
        remote = tmp_path / f"remote{broken}"
        cache = shared(remote, tmp_path / "pusher")
        break_write(cache, broken, monkeypatch)
        with pytest.raises(RemoteDown):
            origin.push(cache)
        reading = shared(remote, tmp_path / "reader", key=None)
        pulled = Clone(tmp_path / f"clone{broken}", origin.path).build(reading)
        assert pulled.digests == origin.build().digests
        assert not reading.refused


def break_write(cache: SharedCache, number: int, monkeypatch) -> None:
    """Let this write, and all after it, fail."""
    count = itertools.count(1)
    write = cache.files.write

    def written(name: str, data: bytes) -> None:
        if next(count) >= number:
            raise ConnectionError("gone")
        write(name, data)

    monkeypatch.setattr(cache.files, "write", written)
