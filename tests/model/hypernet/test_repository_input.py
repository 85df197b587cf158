"""A repository's vector is its own: weighted, whitened, the same in any order."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from repobuild.model.base import load_model, load_tokenizer
from repobuild.model.hypernet.file_encoder import (
    EncoderSettings,
    FileEncoder,
    cut_windows,
)
from repobuild.model.hypernet.linear_generator import (
    LinearGenerator,
    LinearHead,
    gram_matrix,
)
from repobuild.model.hypernet.lora_weights import overlap
from repobuild.model.hypernet.repository_input import (
    FileVector,
    RepositoryInput,
    Whitening,
    importance,
    pool,
)
from tests.model.hypernet.test_heads import base, random_lora, repository, shape_of

__all__ = ["base"]  # a fixture


def file(path: str, seed: int = 0, tokens: int = 200, lines: int = 40) -> FileVector:
    vector = torch.randn(8, generator=torch.Generator().manual_seed(seed))
    return FileVector(path, vector, tokens, lines)


def weights(*files: FileVector) -> list[float]:
    return importance(files, torch.stack([f.vector for f in files])).tolist()


def test_what_says_most_weighs_most():
    same = {"seed": 1}
    assert weights(file("a/b/x.py", **same), file("a/b/y.py", **same))[0] == 0.5
    for more, less in [
        (file("x.py", **same), file("a/b/x.py", **same)),
        (file("src/a/x.py", **same), file("lib2/a/x.py", **same)),
        (file("a/b/x.py", **same), file("a/b/__init__.py", **same)),
        (file("a/b/x.py", 1, tokens=900), file("a/b/x.py", 1, tokens=20)),
        (file("a/b/x.py", 1, lines=40), file("a/b/x.py", 1, lines=2)),
    ]:
        first, second = weights(more, less)
        assert first > second
        assert first + second == pytest.approx(1)


def test_a_vector_does_not_depend_on_the_order_of_files():
    files = [file(f"a/{n}.py", n) for n in range(7)]
    one, two = pool(files), pool(files[::-1])
    assert torch.equal(one.vector, two.vector)
    assert torch.equal(one.files, two.files)
    assert float(one.weights.sum()) == pytest.approx(1)
    with pytest.raises(ValueError, match="no vector"):
        pool([])


def test_whitening_tells_apart_what_is_alike():
    random = torch.Generator().manual_seed(0)
    common = torch.randn(64, generator=random) * 5
    rows = common + torch.randn(20, 64, generator=random)

    def mean_cosine(x: torch.Tensor) -> float:
        unit = F.normalize(x, dim=1)
        return float((unit @ unit.T)[~torch.eye(20, dtype=torch.bool)].mean())

    whitening = Whitening(64)
    assert torch.equal(whitening(rows), rows)
    whitening.fit(rows)
    assert mean_cosine(rows) > 0.9
    assert abs(mean_cosine(whitening(rows))) < 0.1


def test_windows_cover_a_text_and_overlap():
    tokens = list(range(25))
    windows = list(cut_windows(tokens, 10, 2))
    assert windows == [tokens[:10], tokens[8:18], tokens[16:25]]
    assert list(cut_windows([1, 2, 3], 10, 2)) == [[1, 2, 3]]
    assert list(cut_windows([], 10, 2)) == []


def test_a_file_has_the_same_vector_whatever_is_encoded_beside_it(base):
    settings = EncoderSettings(window=16, overlap=4)
    model = load_model(base, torch.float32)
    encoder = FileEncoder(model, load_tokenizer(base), settings)
    text = "def load_1(path):\n    return path\n" * 5
    first = encoder.encode_file(text)
    encoder.encode_file("something else")
    again = encoder.encode_file(text)
    assert first.tokens > 16
    assert torch.equal(first.vector, again.vector)
    assert encoder.encode_file("").tokens == 0
    assert float(encoder.encode_diff("").vector.abs().sum()) == 0
    assert encoder.encode_diff(text).vector.shape == (64,)


# ------------------------------------------------------------------- linear baseline


def test_the_linear_generator_returns_its_training_adapters(base):
    shape = shape_of(base)
    adapters = [random_lora(shape, seed) for seed in range(5)]
    features = torch.randn(5, 64, generator=torch.Generator().manual_seed(1))
    fitted = LinearGenerator.fit(features, gram_matrix(adapters), 4, ridge=1e-6)
    for number, adapter in enumerate(adapters):
        made = fitted.generate(features[number], adapters)
        assert overlap(made, adapter).cosine > 0.999
    blunt = LinearGenerator.fit(features, gram_matrix(adapters), 4, ridge=1e9)
    assert blunt.weights(features[0]).tolist() == pytest.approx([0.2] * 5, abs=1e-6)


def test_a_linear_head_makes_what_its_generator_makes(base):
    shape = shape_of(base)
    adapters = [random_lora(shape, seed) for seed in range(3)]
    features = torch.stack([repository(seed=i).vector for i in range(3)])
    fitted = LinearGenerator.fit(features, gram_matrix(adapters))
    head = LinearHead.of(shape, fitted, adapters)
    one: RepositoryInput = repository(seed=7)
    same = overlap(head(one), fitted.generate(one.vector, adapters))
    assert same.cosine == pytest.approx(1, abs=1e-6)
