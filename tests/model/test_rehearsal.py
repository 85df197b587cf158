from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from repobuild.errors import BuildError
from repobuild.model.adapter.lineage import Lineage
from repobuild.model.adapter.rehearsal import NAME, Rehearsal
from repobuild.model.base import Base, load_tokenizer
from repobuild.model.conversation import Conversation, Example
from tests.model.test_adapter import Commit, moved
from tests.model.test_nano import make_base, samples

TEN = [Example(str(n), "use", [1] * 10, 2) for n in range(10)]
TEXTS = Rehearsal([(1, [n] * 20) for n in range(3)])


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    return make_base(tmp_path_factory.mktemp("nano"))


@pytest.fixture(scope="module")
def conversation(base: Base) -> Conversation:
    return Conversation(load_tokenizer(base), base.fim)


def test_a_base_generates_equal_texts_for_equal_seeds(
    base: Base, conversation: Conversation
) -> None:
    import torch

    found = Rehearsal.generate(base, conversation, 200, 40, 1)
    state = torch.get_rng_state()
    assert found == Rehearsal.generate(base, conversation, 200, 40, 1)
    assert found != Rehearsal.generate(base, conversation, 200, 40, 2)
    assert torch.equal(state, torch.get_rng_state())


def test_no_more_texts_are_generated_than_are_trained(
    base: Base, conversation: Conversation
) -> None:
    found = Rehearsal.generate(base, conversation, 200, 40, 1)
    assert len(found.texts) == 5
    assert all(0 < given < len(tokens) <= 40 for given, tokens in found.texts)
    assert Rehearsal.generate(base, conversation, 0, 40, 1).texts == []


def test_texts_begin_as_files_and_as_questions(
    base: Base, conversation: Conversation
) -> None:
    found = Rehearsal.generate(base, conversation, 200, 40, 1)
    begun = {tuple(tokens[:given]) for given, tokens in found.texts}
    starts = conversation.encode(["<|file_sep|>", conversation.frame.before])
    expected = starts if conversation.has_file_token else starts[1:]
    assert begun == {tuple(ids) for ids in expected}


def test_texts_are_their_share_of_the_tokens() -> None:
    examples, epochs = TEXTS.mix_into(TEN, [list(range(10))] * 8, 0.2, "1")
    assert len(examples) == 13 and examples[:10] == TEN
    rehearsed = [n for order in epochs for n in order if n >= 10]
    assert len(rehearsed) * 20 == 0.2 / 0.8 * 800
    assert set(rehearsed) == {10, 11, 12}
    assert all(set(range(10)) <= set(order) for order in epochs)


def test_the_loss_is_over_generated_tokens_only() -> None:
    examples, _ = TEXTS.mix_into(TEN, [[0]], 0.2, "1")
    assert examples[10].labels == [-100] + [0] * 19


def test_without_a_share_or_texts_nothing_is_added() -> None:
    assert TEXTS.mix_into(TEN, [[1, 2]], 0.0, "1") == (TEN, [[1, 2]])
    assert Rehearsal([]).mix_into(TEN, [[1, 2]], 0.5, "1") == (TEN, [[1, 2]])


def test_texts_survive_their_file_and_a_cut_one_is_refused(tmp_path: Path) -> None:
    TEXTS.write(tmp_path)
    assert Rehearsal.read(tmp_path) == TEXTS
    whole = (tmp_path / NAME).read_bytes()
    for size in range(len(whole)):
        (tmp_path / NAME).write_bytes(whole[:size])
        with pytest.raises(BuildError, match=r"rehearsal\.bin"):
            Rehearsal.read(tmp_path)


def test_a_chain_copies_the_first_adapters_texts(base: Base, tmp_path: Path) -> None:
    given: dict[str, Any] = {"base__model": base.source, "adapter__rehearsal": 0.5}
    history: dict[str, Any] = {}
    first = Commit(tmp_path, history, "c1", samples(), **given)
    row = first.build()
    texts = Rehearsal.read(first.object(row["object"]))
    assert texts.texts and row["samples"]["rehearsed"] > 0
    second = Commit(tmp_path, history, "c2", moved(samples()), **given)
    row = second.build()
    folder = second.object(row["object"])
    assert row["mode"] == "continue" and Rehearsal.read(folder) == texts
    assert Lineage.read(folder).samples["rehearsed"] > 0
    again = Commit(tmp_path / "other", {}, "c1", samples(), **given)
    assert again.build() == history["c1"]


def test_a_parent_without_texts_is_continued_without_rehearsal(
    base: Base, tmp_path: Path
) -> None:
    history: dict[str, Any] = {}
    Commit(tmp_path, history, "c1", samples(), base__model=base.source).build()
    given: dict[str, Any] = {"base__model": base.source, "adapter__rehearsal": 0.5}
    row = Commit(tmp_path, history, "c2", moved(samples()), **given).build()
    assert (row["mode"], row["samples"]["rehearsed"]) == ("continue", 0)
