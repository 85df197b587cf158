"""What stands in front of a server: names, gaps to fill in, and who may ask."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from repobuild.serve import front
from repobuild.serve.front import CHAT, COMPLETIONS, MODELS, Front, VllmFront
from repobuild.serve.served import NamesFile, ServedNames, project_word

FIM = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
NAMES = ServedNames("steps", "tiny", ("steps@bbb", "steps@aaa"), FIM)
LOAD = "/v1/load_lora_adapter"


class Answer(NamedTuple):
    """The status of an answer, and the body that the server behind has seen."""

    status: int
    seen: dict[str, Any] | None
    text: str


def ask(
    body: Any,
    path: str = CHAT,
    names: ServedNames = NAMES,
    public: bool = False,
    token: str = "",
    pieces: int = 1,
    **headers: str,
) -> Answer:
    """Send a request through the front to a server that answers 200."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    size = max(1, -(-len(data) // pieces))
    parts = [data[i : i + size] for i in range(0, len(data), size)] or [b""]
    incoming = [
        {"type": "http.request", "body": part, "more_body": number < len(parts) - 1}
        for number, part in enumerate(parts)
    ]
    seen: list[bytes] = []
    sent: list[Any] = []

    async def server(scope: Any, receive: Any, send: Any) -> None:
        got = (await receive())["body"]
        lengths = [v for k, v in scope["headers"] if k == b"content-length"]
        assert scope["path"] not in (CHAT, COMPLETIONS) or lengths == [
            str(len(got)).encode()
        ]
        seen.append(got)
        assert await receive() == {"type": "http.disconnect"}
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> Any:
        return incoming.pop(0) if incoming else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    given = {"host": "127.0.0.1:8000", "content-length": str(len(data)), **headers}
    scope = {
        "type": "http",
        "method": "GET" if path in (MODELS, "/health") else "POST",
        "path": path,
        "headers": [
            (k.replace("_", "-").encode(), v.encode()) for k, v in given.items()
        ],
    }
    app = Front(server, lambda: names, public, token)
    asyncio.run(app(scope, receive, send))
    text = b"".join(m.get("body", b"") for m in sent).decode()
    body_seen = json.loads(seen[0]) if seen and seen[0] else None
    return Answer(sent[0]["status"], body_seen, text)


@pytest.mark.parametrize("asked", ["steps@latest", "steps@bbb", "", None])
def test_the_alias_is_the_newest_adapter(asked: str | None) -> None:
    assert ask({"model": asked}).seen == {"model": "steps@bbb"}


@pytest.mark.parametrize("name", ["steps@aaa", "tiny"])
def test_an_older_adapter_and_the_base_are_asked_by_their_names(name: str) -> None:
    assert ask({"model": name, "n": 1}).seen == {"model": name, "n": 1}


@pytest.mark.parametrize("name", ["gpt-4", "steps@ccc", "../tiny", "owner/model"])
def test_another_model_is_refused_with_the_names_that_there_are(name: str) -> None:
    answer = ask({"model": name})
    assert (answer.status, answer.seen) == (404, None)
    assert "steps@latest, steps@bbb, steps@aaa, tiny" in answer.text


def test_an_alias_that_moves_gives_up_the_oldest_name() -> None:
    moved = NAMES.with_adapter("steps@ccc")
    assert moved.all == ["steps@latest", "steps@ccc", "steps@bbb", "tiny"]
    back = moved.with_adapter("steps@bbb")
    assert back.resolve("steps@latest") == "steps@bbb"


def test_prompt_and_suffix_become_the_base_s_own_tokens() -> None:
    asked = {"model": "tiny", "prompt": "def f(", "suffix": "):\n", "max_tokens": 9}
    prompt = "<|fim_prefix|>def f(<|fim_suffix|>):\n<|fim_middle|>"
    seen = ask(asked, COMPLETIONS, pieces=7).seen
    assert seen == {"model": "tiny", "prompt": prompt, "max_tokens": 9}


def test_a_token_in_the_code_is_no_gap() -> None:
    asked = {"prompt": "a<|fim_middle|>b", "suffix": "<|fim_prefix|>c"}
    seen = ask(asked, COMPLETIONS).seen
    assert seen and seen["prompt"] == "<|fim_prefix|>ab<|fim_suffix|>c<|fim_middle|>"


def test_a_prompt_without_a_suffix_stays_as_it_is() -> None:
    seen = ask({"prompt": "a<|fim_middle|>", "suffix": None}, COMPLETIONS).seen
    assert seen and seen["prompt"] == "a<|fim_middle|>"


def test_a_base_without_such_tokens_says_so() -> None:
    bare = ServedNames("steps", "tiny", ("steps@bbb",))
    answer = ask({"prompt": "a", "suffix": "b"}, COMPLETIONS, bare)
    assert answer.status == 400 and "send no suffix" in answer.text


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000])
def test_what_is_no_request_is_refused(body: bytes) -> None:
    assert ask(body).status == 400


def test_a_request_that_is_too_large_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(front, "MOST_BYTES", 100)
    assert ask({"messages": "x" * 100}).status == 413


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://127.0.0.1.evil.example"},
        {"host": "evil.example:8000"},
        {"host": ""},
    ],
)
def test_a_page_of_the_web_gets_no_answer(headers: dict[str, str]) -> None:
    for path in (CHAT, MODELS):
        answer = ask({"model": "tiny"}, path, **headers)
        assert (answer.status, answer.seen) == (403, None)


@pytest.mark.parametrize(
    "headers",
    [{"host": "localhost:1"}, {"host": "[::1]:8000"}, {"origin": "vscode-webview://x"}],
)
def test_a_program_of_this_machine_is_answered(headers: dict[str, str]) -> None:
    assert ask({"model": "tiny"}, **headers).status == 200


def test_on_another_host_the_user_decides_by_which_name_it_is_asked() -> None:
    assert ask({"model": "tiny"}, public=True, host="box.example").status == 200


@pytest.mark.parametrize("path", [LOAD, "/load_model", "/reset", "/docs", "/"])
def test_routes_that_change_the_server_are_closed(path: str) -> None:
    assert ask({}, path).status == 404
    assert ask({}, path, token="secret", x_repobuild_token="guess").status == 404
    assert ask({}, path, x_repobuild_token="").status == 404


def test_who_started_the_server_may_load_adapters() -> None:
    assert ask({"a": 1}, LOAD, token="t", x_repobuild_token="t").seen == {"a": 1}


def test_the_list_of_models_is_what_is_served() -> None:
    listed = json.loads(ask({}, MODELS).text)["data"]
    assert [model["id"] for model in listed] == NAMES.all


def test_another_process_sees_names_that_were_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "served.json"
    NAMES.write(path)
    names = NamesFile(path)
    assert names.read() == NAMES
    NAMES.with_adapter("steps@ccc").write(path)
    assert names.read().adapters == ("steps@ccc", "steps@bbb")
    for name, value in {front.NAMES_FILE: str(path), front.TOKEN: "t"}.items():
        monkeypatch.setenv(name, value)
    assert VllmFront(None)._names().latest == "steps@latest"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("Steps & co", "Steps-co"),
        ("", "adapter"),
        ("../..", "adapter"),
        ("a@b\n", "a-b"),
        ("步", "adapter"),
    ],
)
def test_a_project_s_name_becomes_a_plain_word(name: str, word: str) -> None:
    assert project_word(name) == word
