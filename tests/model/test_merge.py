from __future__ import annotations

from pathlib import Path

import pytest
import torch

from repobuild.errors import BuildError
from repobuild.model.adapter.packing import draw
from repobuild.model.adapter.recipe import TrainingJob
from repobuild.model.adapter.train import train
from repobuild.model.base import Base, load_model, load_tokenizer, resolve
from repobuild.model.compare import Comparison
from repobuild.model.compute.deepspeed_config import read_config
from repobuild.model.conversation import Conversation
from repobuild.model.generate import TextGenerator
from repobuild.model.merge import difference, logits, merge, probe_of
from tests.model.test_nano import make_base, recipe, samples, settings


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Base, Path]:
    """A base and an adapter for it."""
    base = make_base(tmp_path_factory.mktemp("nano"))
    return trained(base, tmp_path_factory.mktemp("scratch"))


def trained(base: Base, scratch: Path, **options: bool) -> tuple[Base, Path]:
    made = recipe(epochs=3.0, **options)
    examples = Conversation(load_tokenizer(base)).examples(samples(), 512).kept
    epochs = draw(examples, made.epochs, made.max_tokens, 1)
    zero = read_config("zero0")
    train(
        TrainingJob(base, "", made, made.learning_rate, epochs, zero, scratch, examples)
    )
    return base, scratch / "trained"


def test_merged_logits_are_the_adapter_s(
    pair: tuple[Base, Path], tmp_path: Path
) -> None:
    base, adapter = pair
    found = merge(base, adapter, tmp_path, settings())
    assert found["exact"] < 1e-5 and found["stored"] < 1e-5
    whole = resolve(settings(base__model=str(tmp_path)))
    probe = probe_of(Conversation(load_tokenizer(whole)))
    plain = logits(load_model(base, torch.float32), probe)
    mixed = logits(load_model(whole, torch.float32), probe)
    assert difference(mixed, plain) > 1e-3  # the adapter does something


@pytest.mark.parametrize("option", ["rslora", "dora"])
def test_an_adapter_with_an_option_merges(
    pair: tuple[Base, Path], tmp_path: Path, option: str
) -> None:
    base, _ = pair
    adapter = trained(base, tmp_path / "scratch", **{option: True})[1]
    (tmp_path / "whole").mkdir()
    found = merge(base, adapter, tmp_path / "whole", settings())
    assert found["exact"] < 1e-5 and found["stored"] < 1e-5


def test_the_folder_is_a_model(pair: tuple[Base, Path], tmp_path: Path) -> None:
    merge(*pair, tmp_path, settings())
    names = {p.name for p in tmp_path.iterdir()}
    assert {"config.json", "generation_config.json", "model.safetensors",
            "tokenizer.json", "chat_template.jinja"} <= names  # fmt: skip
    assert not {n for n in names if n.endswith((".bin", ".pt"))}


def test_rounding_is_allowed_only_when_said(
    pair: tuple[Base, Path], tmp_path: Path
) -> None:
    with pytest.raises(BuildError, match="saving the merged model changed the logits"):
        merge(*pair, tmp_path / "a", settings(merged__dtype="bfloat16"))
    given = settings(merged__dtype="bfloat16", merged__tolerance=5e-2)
    assert merge(*pair, tmp_path / "b", given)["stored"] > 1e-4


# --------------------------------------------------------------------------- answers


def test_a_batch_answers_like_one_question_at_a_time(pair: tuple[Base, Path]) -> None:
    """Left padding must not show."""
    base, adapter = pair
    speaker = TextGenerator.load(base, adapter)
    asked = ["Where is `f`?", "x", "Which file of the whole project has `load_0`?"]
    together = speaker.answers(asked, 12)
    assert together == [speaker.answers([text], 12)[0] for text in asked]


def test_a_stream_says_the_same(pair: tuple[Base, Path]) -> None:
    speaker = TextGenerator.load(*pair)
    pieces = list(speaker.stream("Where is `load_0`?", 12))
    assert "".join(pieces).strip() == speaker.answers(["Where is `load_0`?"], 12)[0]


def test_losses_are_sums_over_answer_tokens(pair: tuple[Base, Path]) -> None:
    base, adapter = pair
    speaker = TextGenerator.load(base, adapter)
    rows = samples(3)
    found = speaker.losses(rows)
    examples = speaker.conversation.examples(rows, 512).kept
    assert [n for _, n in found] == [len(e.tokens) - e.answer for e in examples]
    for (total, count), example in zip(found, examples, strict=True):
        tensors = {
            "input_ids": torch.tensor([example.tokens]),
            "labels": torch.tensor([example.labels]),
        }
        with torch.inference_mode():
            wanted = float(speaker.model(**tensors).loss)
        assert total / count == pytest.approx(wanted, rel=2e-2)  # products in bfloat16


def test_a_sample_that_is_left_out_has_no_loss(pair: tuple[Base, Path]) -> None:
    speaker = TextGenerator.load(*pair)
    rows = [("a", {**samples(1)[0][1], "answer": "<|im_end|>"}), *samples(1)]
    assert speaker.losses(rows)[0] == (0.0, 0)
    assert speaker.losses(rows)[1][1] > 0


def test_the_adapter_answers_differently(pair: tuple[Base, Path]) -> None:
    base, adapter = pair
    rows, both = (
        samples(),
        (TextGenerator.load(base), TextGenerator.load(base, adapter)),
    )
    total = [sum(loss for loss, _ in s.losses(rows)) for s in both]
    assert total[1] < total[0]


def test_two_voices_of_one_model_are_base_and_adapter(pair: tuple[Base, Path]) -> None:
    base, adapter = pair
    said = {"base": "", "adapter": ""}
    duet = Comparison.load(base, adapter)
    for piece in duet.together("Where is `load_0`?", 12):
        said[piece.voice] += piece.text
    for voice, folder in (("base", None), ("adapter", adapter)):
        alone = TextGenerator.load(base, folder).answers(["Where is `load_0`?"], 12)
        assert [said[voice].strip()] == alone
    assert said["base"] != said["adapter"]


def test_an_answer_that_is_cut_says_so() -> None:
    speaker, whole = (
        TextGenerator.load(resolve(settings())),
        {},
    )  # tiny has learnt to stop
    for limit in (2, 120):
        stream = speaker.stream("In which file is `Thread` defined?", limit)
        try:
            while True:
                next(stream)
        except StopIteration as end:
            whole[limit] = end.value
    assert whole == {2: False, 120: True}
