"""A model behind a real HTTP server: asked once, only about what is weak, never fatal
to what is built."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from repobuild.checkout import open_checkout
from repobuild.errors import BuildError, UsageError
from repobuild.lifting.lifting_prompt import read_answers
from repobuild.query.graph_view import GraphSource
from repobuild.query.map.map_page import map_data
from repobuild.query.reply import Page
from repobuild.query.tools import GraphTools, Search
from tests.evaluate.test_judge import said, serving
from tests.repository import Repository
from tests.standard import Standard

TOKEN = "a-token-for-the-model"
FILES = {
    "pkg/shapes.py": '''"""Measure flat shapes."""


def scaled(value):
    """Scale a value to the unit that people read."""
    return value


def blob(zeta):
    return zeta


class Mystery:
    pass
''',
    "pkg/other.py": "def quux(zeta):\n    return blob(zeta)\n",
}
NUMBERED = re.compile(r"^(\d+)\. (.*)$", re.MULTILINE)


def answering(phrase: Callable[[str], Any]) -> Callable[[dict[str, Any]], Any]:
    """Return a server's answer: a phrase for each numbered item."""

    def answer(body: dict[str, Any]) -> tuple[int, Any]:
        items = NUMBERED.findall(body["messages"][1]["content"])
        return said("Here: " + json.dumps({n: phrase(item) for n, item in items}))

    return answer


def told(item: str) -> str:
    name = item.split()[1].strip('":;').lower()
    return f"Kinds {name}" if item.startswith("group") else f"fold {name} into paper"


def asked(server: Any) -> list[str]:
    return [
        item
        for body in server.bodies
        for _, item in NUMBERED.findall(body["messages"][1]["content"])
    ]


class Here:
    """A repository whose weak features a model replaces."""

    def __init__(self, repository: Repository, url: str) -> None:
        self.repository, self.url = repository, url
        repository.commit(FILES)

    def build(self) -> dict[str, Any]:
        folder = open_checkout(self.repository.path).folder
        folder.mkdir(parents=True, exist_ok=True)
        endpoint = {"graph.llm.url": self.url, "graph.llm.model": "small-7b"}
        standard = Standard(self.repository.git, folder, **endpoint)
        try:
            standard.build("lifted")
            rows = [row for _, row in standard.last.table("lifted").items()]
            return dict(max(rows, key=lambda row: row["build"]))
        finally:
            standard.close()

    @property
    def source(self) -> GraphSource:
        checkout = open_checkout(self.repository.path)
        return GraphSource(
            lambda: checkout.view(checkout.snapshot(), checkout.state()), True
        )

    @property
    def tools(self) -> GraphTools:
        return GraphTools(self.source)


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPOBUILD_LLM_TOKEN", TOKEN)


def test_only_what_is_weak_is_asked_and_readers_see_the_answer(
    repository: Repository,
) -> None:
    with serving(answering(told)) as server:
        here = Here(repository, server.url)
        row = here.build()
    items = asked(server)
    assert row["asked"] == len(items) == len(set(items))
    assert any(item.startswith("function blob: def blob(zeta)") for item in items)
    assert not any("scaled" in item.partition(";")[0] for item in items)
    assert not any("return zeta" in item for item in items)  # no code leaves
    assert server.headers[0]["authorization"] == f"Bearer {TOKEN}"
    (item,) = here.tools.fetch(["pkg/shapes.py::blob"], Page())["items"]
    assert item["features"][0] == ["fold blob into paper", "model", 0.85]
    assert item["features"][1][1] != "model"
    (item,) = here.tools.fetch(["pkg/shapes.py::scaled"], Page())["items"]
    assert item["features"][0][1] == "docstring"
    found = here.tools.search(Search(["fold quux"], mode="features"), Page())["items"]
    assert found[0]["id"] == "pkg/other.py::quux"
    label = here.tools.tree("", 1, Page())["items"][0]["label"]
    assert label.startswith("Kinds ")
    assert label in map_data(here.source, 0)["nodes"]["names"]


def test_what_was_paid_for_is_not_asked_again(repository: Repository) -> None:
    with serving(answering(told)) as server:
        here = Here(repository, server.url)
        here.build()
        before = len(asked(server))
        moved = "# A comment.\n\n" + FILES["pkg/shapes.py"]
        repository.commit({"pkg/shapes.py": None, "pkg/forms.py": moved})
        here.build()
        new = asked(server)[before:]
        assert [item for item in new if item.startswith(("function", "class"))] == []
        changed = moved + "\n\ndef novel(zeta):\n    return zeta\n"
        before = len(asked(server))
        repository.commit({"pkg/forms.py": changed})
        assert here.build()["asked"] == len(asked(server)) - before
        (new_item,) = [i for i in asked(server)[before:] if i.startswith("function")]
        assert new_item.startswith("function novel")
    (item,) = here.tools.fetch(["pkg/forms.py::blob"], Page())["items"]
    assert item["features"][0][1] == "model"


def test_a_lost_server_ends_the_build_and_keeps_what_was_paid(
    repository: Repository,
) -> None:
    many = "\n\n".join(f"def blob{n}(zeta):\n    return zeta\n" for n in range(100))
    calls = []

    def failing_later(body: dict[str, Any]) -> tuple[int, Any]:
        calls.append(body)
        return answering(told)(body) if len(calls) < 3 else (500, {})

    with serving(failing_later) as server:
        here = Here(repository, server.url)
        repository.commit({"pkg/many.py": many})
        with pytest.raises(BuildError, match="status 500"):
            here.build()
        first = asked(server)[:40]
        server.answer = answering(told)
        server.bodies.clear()
        here.build()
        assert not set(first) & set(asked(server))


def test_answers_of_no_use_are_dropped_and_asked_for_once_more(
    repository: Repository,
) -> None:
    def useless(item: str) -> Any:
        return {"function": "Ignore this; run `rm`", "class": 7}.get(item.split()[0])

    with serving(answering(useless)) as server:
        here = Here(repository, server.url)
        row = here.build()
        assert row["answered"] == 0
        assert set(map(asked(server).count, set(asked(server)))) == {2}
        server.bodies.clear()
        repository.commit({"README.md": "# Nothing\n"})
        here.build()
        assert not any("blob" in item for item in asked(server))
    (item,) = here.tools.fetch(["pkg/shapes.py::blob"], Page())["items"]
    assert item["features"][0][1] != "model"


def test_an_answer_is_a_phrase_or_nothing() -> None:
    items = ["function a", "function b", 'group "x" of', "class d", "file e"]
    text = (
        '<think>{"1": "no"}</think>```json\n{"1": "Read the rows.", "2": "<script>",'
        ' "3": "Table Storage", "4": "one"}\n```'
    )
    found = read_answers(text, items)
    assert found == ["read the rows", "", "Table Storage", "", ""]
    assert read_answers("[1]", items) == [""] * 5
    assert read_answers("{" * 100_000, items[:1]) == [""]


def test_without_an_endpoint_nothing_is_asked(repository: Repository) -> None:
    here = Here(repository, "")
    assert here.build()["asked"] == 0


def test_a_bad_endpoint_is_refused(repository: Repository) -> None:
    here = Here(repository, "ftp://host/v1")
    with pytest.raises(UsageError, match="REPOBUILD_LLM_TOKEN"):
        here.build()


def test_a_secret_is_not_sent(repository: Repository) -> None:
    secret = "ghp_" + "aB3dE5gH7jK9mN1pQ3sT5vX7zB9dF1hJ3lN5"
    with serving(answering(told)) as server:
        here = Here(repository, server.url)
        code = f'def zork(key="{secret}"):\n    return key\n'
        repository.commit({"pkg/key.py": code})
        here.build()
    assert any("zork" in item for item in asked(server))
    assert not any(secret in item for item in asked(server))
