"""Encode the source of a repository for a hypernetwork, and keep it.

    WORK/vectors/OWNER+NAME.safetensors     vector (2C,), files (F, C), weights (F,)

The encoder is the frozen base itself. At most 16 files of a repository are read, and
the first 512 tokens of each: 97 repositories take two minutes of CPU.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from safetensors.torch import load_file, save_file

from repobuild.model.hypernet.file_encoder import EncoderSettings, FileEncoder
from repobuild.model.hypernet.repository_input import FileVector, RepositoryInput, pool
from tests.benchmarks.repository_adapters.lora import Bench
from tests.benchmarks.repository_adapters.repositories import Repository

SETTINGS = EncoderSettings(window=512, overlap=64, most_tokens=512)
MOST_FILES = 16


def encode(bench: Bench, repository: Repository) -> RepositoryInput:
    """Return what a hypernetwork is given of a repository: no test is in it."""
    encoder = FileEncoder(bench.model, bench.tokenizer, SETTINGS)
    files = sorted(
        repository.source, key=lambda f: hashlib.sha256(f.path.encode()).hexdigest()
    )
    vectors = []
    for file in files[:MOST_FILES]:
        made = encoder.encode_file(file.text)
        lines = file.text.count("\n") + 1
        vectors.append(FileVector(file.path, made.vector, made.tokens, lines))
    return pool(vectors)


def read_vectors(path: Path) -> RepositoryInput | None:
    """Return what `write_vectors` wrote, if it did."""
    return RepositoryInput(**load_file(path)) if path.exists() else None


def write_vectors(path: Path, found: RepositoryInput) -> None:
    """Write a repository's vectors."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {
        "vector": found.vector.contiguous(),
        "files": found.files.contiguous(),
        "weights": found.weights.contiguous(),
    }
    save_file(tensors, path)
