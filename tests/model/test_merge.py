from __future__ import annotations

from pathlib import Path

import pytest
import torch

from repobuild.errors import BuildError
from repobuild.model.adapter.train import train
from repobuild.model.base import Base, load_model, load_tokenizer, resolve_base
from repobuild.model.compare import Comparison
from repobuild.model.conversation import Conversation
from repobuild.model.generate import TextGenerator
from repobuild.model.merge import encode_probe, logits, merge, relative_error
from tests.model.test_nano import make_base, samples, settings
from tests.model.test_train import job


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Base, Path]:
    """A base and an adapter for it."""
    base = make_base(tmp_path_factory.mktemp("nano"))
    return trained(base, tmp_path_factory.mktemp("scratch"))


def trained(base: Base, scratch: Path, **options: bool) -> tuple[Base, Path]:
    train(job(base, scratch, passes=3.0, **options))
    return base, scratch / "trained"


def test_merged_logits_are_the_adapter_s(
    pair: tuple[Base, Path], tmp_path: Path
) -> None:
    base, adapter = pair
    found = merge(base, adapter, tmp_path, settings())
    assert found["exact"] < 1e-5 and found["stored"] < 1e-5
    whole = resolve_base(settings(base__model=str(tmp_path)))
    probe = encode_probe(Conversation(load_tokenizer(whole)))
    plain = logits(load_model(base, torch.float32), probe)
    mixed = logits(load_model(whole, torch.float32), probe)
    assert relative_error(mixed, plain) > 1e-3  # the adapter does something


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


def test_rounding_is_allowed_only_by_the_tolerance(
    pair: tuple[Base, Path], tmp_path: Path
) -> None:
    with pytest.raises(BuildError, match="saving the merged model changed the logits"):
        merge(*pair, tmp_path / "a", settings(merged__dtype="bfloat16"))
    given = settings(merged__dtype="bfloat16", merged__tolerance=5e-2)
    assert merge(*pair, tmp_path / "b", given)["stored"] > 1e-4


# --------------------------------------------------------------------------- answers


def test_a_batch_answers_like_one_question_at_a_time(pair: tuple[Base, Path]) -> None:
    """Left padding must not change an answer."""
    base, adapter = pair
    generator = TextGenerator.load(base, adapter)
    questions = ["Where is `f`?", "x", "Which file of the whole project has `load_0`?"]
    together = generator.generate(questions, 12)
    assert together == [generator.generate([text], 12)[0] for text in questions]


def test_a_stream_gives_the_same_answer(pair: tuple[Base, Path]) -> None:
    generator = TextGenerator.load(*pair)
    pieces = list(generator.stream("Where is `load_0`?", 12))
    assert (
        "".join(pieces).strip()
        == generator.generate(["Where is `load_0`?"], 12)[0].text
    )


def test_losses_are_sums_over_answer_tokens(pair: tuple[Base, Path]) -> None:
    base, adapter = pair
    generator = TextGenerator.load(base, adapter)
    rows = samples(3)
    found = generator.losses(rows)
    examples = generator.conversation.tokenise(rows, 512).kept
    assert [n for _, n in found] == [len(e.tokens) - e.answer_start for e in examples]
    for (total, count), example in zip(found, examples, strict=True):
        tensors = {
            "input_ids": torch.tensor([example.tokens]),
            "labels": torch.tensor([example.labels]),
        }
        with torch.inference_mode():
            wanted = float(generator.model(**tensors).loss)
        assert total / count == pytest.approx(wanted, rel=2e-2)  # products in bfloat16


def test_a_sample_that_is_left_out_has_no_loss(pair: tuple[Base, Path]) -> None:
    generator = TextGenerator.load(*pair)
    rows = [("a", {**samples(1)[0][1], "answer": "<|im_end|>"}), *samples(1)]
    assert generator.losses(rows)[0] == (0.0, 0)
    assert generator.losses(rows)[1][1] > 0


def test_the_adapter_answers_differently(pair: tuple[Base, Path]) -> None:
    base, adapter = pair
    rows = samples()
    both = (TextGenerator.load(base), TextGenerator.load(base, adapter))
    total = [sum(loss for loss, _ in g.losses(rows)) for g in both]
    assert total[1] < total[0]


def test_a_comparison_answers_as_base_and_as_adapter(pair: tuple[Base, Path]) -> None:
    base, adapter = pair
    answers = {"base": "", "adapter": ""}
    comparison = Comparison.load(base, adapter)
    for piece in comparison.answer_both("Where is `load_0`?", 12):
        answers[piece.model] += piece.text
    for voice, folder in (("base", None), ("adapter", adapter)):
        (alone,) = TextGenerator.load(base, folder).generate(["Where is `load_0`?"], 12)
        assert answers[voice].strip() == alone.text
    assert answers["base"] != answers["adapter"]


def test_a_stream_reports_whether_the_answer_was_cut() -> None:
    generator = TextGenerator.load(resolve_base(settings()))  # tiny has learnt to stop
    whole = {}
    for limit in (2, 120):
        stream = generator.stream("In which file is `Thread` defined?", limit)
        try:
            while True:
                next(stream)
        except StopIteration as end:
            whole[limit] = end.value
    assert whole == {2: False, 120: True}
