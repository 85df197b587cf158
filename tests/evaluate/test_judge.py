"""A judge behind a real HTTP server: blind, in both orders, and never fatal."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from repobuild.errors import UsageError
from repobuild.evaluate.answers import AnswerCache
from repobuild.evaluate.judge import Judge, judged_section
from repobuild.evaluate.judge_settings import check_judge
from repobuild.evaluate.questions import HeldOutSample

TOKEN = "a-token-for-the-judge"
SAMPLES = [
    HeldOutSample(
        f"own//{n}", "own", "own_question", f"Where is f{n}?", f"In m{n}.py", {}
    )
    for n in range(4)
]
RIGHT = [f"In m{n}.py" for n in range(4)]
WRONG = [f"In gone{n}.py" for n in range(4)]

Answer = Callable[[dict[str, Any]], tuple[int, Any]]


class Server(HTTPServer):
    """Answers as its function does, and keeps what it was asked."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.bodies.append(body | {"path": self.path})
        self.server.headers.append({k.lower(): v for k, v in self.headers.items()})
        status, found = self.server.answer(body)
        self.send_response(status)
        if status == 302:
            self.send_header("Location", found)
        self.end_headers()
        if status != 302:
            self.wfile.write(json.dumps(found).encode())

    do_GET = do_POST

    def log_message(self, *details: Any) -> None:
        pass


@contextmanager
def serving(answer: Answer) -> Iterator[Server]:
    server = Server(answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def said(text: str) -> tuple[int, Any]:
    return 200, {"choices": [{"message": {"role": "assistant", "content": text}}]}


def honest(body: dict[str, Any]) -> tuple[int, Any]:
    """Prefer the answer that equals the reference."""
    prompt = body["messages"][1]["content"]
    reference, a, b = (
        prompt.partition(f"{name}:\n")[2].partition("\n")[0]
        for name in ("Reference answer", "Answer A", "Answer B")
    )
    return said("A" if a == reference else "B" if b == reference else "T")


def judge_at(url: str, cache: AnswerCache | None = None) -> Judge:
    settings = {"report.judge.url": url, "report.judge.model": "judge-7b"}
    made = Judge.of(settings, cache or AnswerCache(), AnswerCache())
    assert made is not None
    return made


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPOBUILD_JUDGE_TOKEN", TOKEN)


def test_the_better_answer_wins_in_both_orders() -> None:
    with serving(honest) as server:
        answers = {"base": WRONG, "adapter": RIGHT, "parent": RIGHT}
        found = judged_section(judge_at(server.url), SAMPLES, answers)
    base, parent = found["against"]["base"], found["against"]["parent"]
    assert (base["wins"], base["ties"], base["losses"], base["n"]) == (4, 0, 0, 4)
    assert base["preference"]["value"] == 1.0
    assert (parent["wins"], parent["ties"]) == (0, 4)  # equal answers are not sent
    assert len(server.bodies) == 8


def test_a_judge_that_prefers_the_first_answer_decides_nothing() -> None:
    with serving(lambda body: said("A")) as server:
        answers = {"base": WRONG, "adapter": RIGHT}
        found = judged_section(judge_at(server.url), SAMPLES, answers)
    base = found["against"]["base"]
    assert (base["wins"], base["ties"], base["losses"]) == (0, 4, 0)


def test_the_judge_sees_no_models_name_and_gets_the_token() -> None:
    with serving(honest) as server:
        answers = {"base": WRONG, "adapter": RIGHT}
        judged_section(judge_at(server.url), SAMPLES, answers)
    for body in server.bodies:
        assert body["path"] == "/v1/chat/completions" and body["model"] == "judge-7b"
        text = json.dumps(body["messages"])
        assert not {"adapter", "base model", "parent"} & set(text.split())
    assert {h["authorization"] for h in server.headers} == {f"Bearer {TOKEN}"}


def test_answers_of_the_judge_are_asked_for_once() -> None:
    cache = AnswerCache()
    answers = {"base": WRONG, "adapter": RIGHT}
    with serving(honest) as server:
        first = judged_section(judge_at(server.url, cache), SAMPLES, answers)
        asked = len(server.bodies)
        again = judge_at(server.url, cache)
        assert judged_section(again, SAMPLES, answers) == first
        assert len(server.bodies) == asked
    assert len(again.used.answers) == asked  # they are stored with the next report


def test_a_token_follows_no_redirect() -> None:
    with serving(honest) as other:
        with serving(lambda body: (302, f"{other.url}/chat/completions")) as server:
            found = judged_section(
                judge_at(server.url),
                SAMPLES[:1],
                {"base": WRONG[:1], "adapter": RIGHT[:1]},
            )
        assert other.bodies == []
    assert found["against"]["base"]["unjudged"] == 1
    assert "302" in found["problem"]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (lambda body: (500, {}), "status 500"),
        (lambda body: said("I like both, A and B"), "neither A, B nor T"),
        (lambda body: (200, {"choices": []}), "not of OpenAI's form"),
        (lambda body: (200, []), "not of OpenAI's form"),
    ],
)
def test_a_judge_that_fails_is_given_up_and_ends_no_report(answer, problem) -> None:
    with serving(answer) as server:
        answers = {"base": WRONG, "adapter": RIGHT}
        found = judged_section(judge_at(server.url), SAMPLES, answers)
    assert found["against"]["base"]["unjudged"] == 4
    assert "preference" not in found["against"]["base"]
    assert problem in found["problem"]
    assert len(server.bodies) == 3


def test_a_server_that_is_not_there_ends_no_report() -> None:
    with serving(honest) as server:
        url = server.url
    found = judged_section(judge_at(url), SAMPLES, {"base": WRONG, "adapter": RIGHT})
    assert found["against"]["base"]["unjudged"] == 4
    assert "cannot be reached" in found["problem"]


@pytest.mark.parametrize(
    "text", ["B", " b.", "Answer: B", "<think>A? A!</think>\nB", "**B**"]
)
def test_a_letter_is_read_in_usual_forms(text: str) -> None:
    with serving(lambda body: said(text)) as server:
        judge = judge_at(server.url)
        assert judge._choose(SAMPLES[0], "x", "y") == "B"


@pytest.mark.parametrize(
    ("url", "model"),
    [
        ("file:///etc/passwd", "m"),
        ("https://me:secret@host/v1", "m"),
        ("host/v1", "m"),
        ("http://[::1/v1", "m"),
        ("https://host/v1", ""),
    ],
)
def test_a_judge_that_cannot_be_asked_is_refused_before_the_build(url, model) -> None:
    with pytest.raises(UsageError, match=r"report\.judge"):
        check_judge({"report.judge.url": url, "report.judge.model": model})


def test_there_is_no_judge_by_default() -> None:
    from repobuild.settings_schema import defaults

    assert Judge.of(defaults(), AnswerCache(), AnswerCache()) is None
