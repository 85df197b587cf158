"""A real client asks the server of transformers, before and after an adapter moved."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")
openai = pytest.importorskip("openai")

import torch  # noqa: E402
from peft import LoraConfig, get_peft_model  # noqa: E402

from repobuild.errors import UsageError  # noqa: E402
from repobuild.model.base import Base, load_model, resolve_base  # noqa: E402
from repobuild.model.generate import TextGenerator  # noqa: E402
from repobuild.serve import transformers_server  # noqa: E402
from repobuild.serve.served import ServedAdapter  # noqa: E402
from repobuild.serve.transformers_server import (  # noqa: E402
    LoadedBase,
    RepositoryModels,
    make_app,
)
from tests.model.test_nano import make_base, settings  # noqa: E402

QUESTION = "In which file is `load` defined?"


@pytest.fixture(scope="module")
def base() -> Base:
    return resolve_base(settings())


def adapter(base: Base, folder: Path, number: int) -> ServedAdapter:
    """Write a random adapter, which changes every answer."""
    torch.manual_seed(number)
    suffixes = ["q_proj", "v_proj", "up_proj", "down_proj"]
    config = LoraConfig(r=4, target_modules=suffixes, init_lora_weights=False)
    made = folder / f"adapter{number}"
    get_peft_model(load_model(base, torch.float32), config).save_pretrained(made)
    commit = f"{number:x}" * 40
    return ServedAdapter("steps", commit, f"digest{number}", made, base)


@pytest.fixture(params=["merged", "beside"])
def models(
    request: Any, base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> RepositoryModels:
    """The models on a CPU, and as on a GPU: adapters beside one base."""
    if request.param == "beside":
        monkeypatch.setattr(LoadedBase, "merges", property(lambda loaded: False))
    return RepositoryModels.load(adapter(base, tmp_path, 1))


@pytest.fixture
def client(models: RepositoryModels) -> Iterator[Any]:
    """A client of the server that runs in a thread, on a free port."""
    import uvicorn

    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    app = make_app(models, public=False)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
    with openai.OpenAI(base_url=url, api_key="none", max_retries=5) as asking:
        yield asking
    server.should_exit = True
    thread.join()
    listening.close()


def answer(client: Any, model: str) -> str:
    messages = [{"role": "user", "content": QUESTION}]
    made = client.chat.completions.create(model=model, messages=messages, max_tokens=8)
    return str(made.choices[0].message.content)


def own_answer(base: Base, folder: Path | None) -> str:
    """The answer as the report would get it."""
    return TextGenerator.load(base, folder).generate([QUESTION], 8)[0].text


def test_a_new_adapter_answers_without_a_restart(
    models: RepositoryModels, client: Any, base: Base, tmp_path: Path
) -> None:
    adapters = [adapter(base, tmp_path, number) for number in (1, 2, 3)]
    own = [own_answer(base, a.folder).strip() for a in adapters]
    plain = own_answer(base, None).strip()
    assert len({*own, plain}) == 4
    first, second, third = (a.name for a in adapters)
    assert answer(client, "steps@latest").strip() == own[0]

    models.add(adapters[1])
    assert answer(client, "steps@latest").strip() == own[1]
    assert answer(client, first).strip() == own[0]
    assert answer(client, "repobuild/tiny").strip() == plain

    models.add(adapters[2])
    listed = [model.id for model in client.models.list()]
    assert listed == ["steps@latest", third, second, "repobuild/tiny"]
    assert answer(client, second).strip() == own[1]
    with pytest.raises(openai.NotFoundError, match="steps@latest"):
        answer(client, first)

    models.add(adapters[1])  # as a rollback does
    assert answer(client, "steps@latest").strip() == own[1]


def test_answers_and_completions_come_in_pieces(client: Any) -> None:
    messages = [{"role": "user", "content": QUESTION}]
    asked = {"model": "steps@latest", "max_tokens": 8, "stream": True}
    pieces = [
        piece.choices[0].delta.content or ""
        for piece in client.chat.completions.create(messages=messages, **asked)
    ]
    assert "".join(pieces).strip() == answer(client, "steps@latest").strip()
    gap = list(client.completions.create(prompt="def f(", suffix="):\n", **asked))
    assert "):\n" not in "".join(piece.choices[0].text for piece in gap)
    assert gap[-1].usage.prompt_tokens > len("def f():\n") / 4


def test_an_adapter_of_another_base_is_refused(
    models: RepositoryModels, tmp_path: Path
) -> None:
    other = make_base(tmp_path / "other", layers=1)
    with pytest.raises(UsageError, match="start it again"):
        models.add(adapter(other, tmp_path, 4))


def test_an_adapter_that_is_used_again_is_loaded_once(
    models: RepositoryModels, base: Base, tmp_path: Path, monkeypatch: Any
) -> None:
    made = adapter(base, tmp_path, 1)
    monkeypatch.setattr(transformers_server, "attach_adapter", None)
    monkeypatch.setattr(transformers_server, "add_adapter", None)
    again = ServedAdapter("steps", "f" * 40, made.digest, made.folder, base)
    models.add(again)  # a commit whose adapter was not promoted
    assert models.names.adapters == (again.name, made.name)
