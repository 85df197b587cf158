"""Draw the texts of an epoch, tokenise them, and pack them into rows.

    code        pieces of the packages and of the standard library, a fifth of them with
                a hole; laid end to end and cut into rows
    questions   conversations about every repository; only the answer and the end of its
                turn have a loss, since nobody needs a model that asks
    grounded    the same with facts before the question

A conversation is never cut: an answer without its question teaches guessing. Each goes
into the first open row that has room. The texts of every epoch are drawn anew, from the
seed and the epoch's number, so a run that resumes sees what it would have seen.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pygit2
from transformers import PreTrainedTokenizerFast

from repobuild.model.bundled import tokenizer as bpe
from repobuild.model.bundled.corpus import (
    code_documents,
    fim_document,
    library_root,
    read_text,
    source_files,
)
from repobuild.model.bundled.grounded import FactIndex, grounded_conversations
from repobuild.model.bundled.packages import LIBRARY, is_package_held_out
from repobuild.model.bundled.question_texts import (
    AskedQuestion,
    conversations,
    read_repository,
    render_chat,
)

OPEN_ROWS = 64
END = bpe.SPECIAL_TOKENS.index(bpe.END_OF_TEXT)
Tokens = npt.NDArray[np.uint16]
Weights = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Mix:
    """How much of what an epoch holds."""

    questions: int = 100  # about each repository
    grounded: int = 25  # about each repository
    code_share: float = 0.2  # of the tokens
    library_share: float = 0.4  # of the code
    fim_share: float = 0.25  # of the pieces of code
    longest: int = 400  # tokens of a conversation


@dataclass(frozen=True, slots=True)
class Rows:
    """Packed texts: ids (rows, sequence + 1), and which targets have a loss."""

    ids: Tokens
    weights: Weights  # (rows, sequence)

    def __len__(self) -> int:
        return len(self.ids)

    def select(self, rows: npt.NDArray[np.int64]) -> Rows:
        """Return the rows of these numbers, in their order."""
        return Rows(self.ids[rows], self.weights[rows])


@dataclass(frozen=True, slots=True)
class Corpus:
    """Everything that epochs are drawn from: code by origin, and facts."""

    library: Sequence[str]  # pieces of files, each after its path
    packages: Sequence[str]
    facts: Sequence[FactIndex]


def read_corpus(folder: Path, held_out: bool) -> Corpus:
    """Read what is trained, or what is held out; a package is one or the other."""
    files = sorted((folder / "facts").glob("*.jsonl"))
    chosen = [file for file in files if _is_held_out(file.stem) == held_out]
    return Corpus(
        library=[
            piece
            for file in source_files(library_root(), held_out)
            for piece in code_documents(file)
        ],
        packages=[
            piece for file in chosen for piece in _package_code(folder, file.stem)
        ],
        facts=[FactIndex.of(read_repository(file)) for file in chosen],
    )


def _package_code(folder: Path, name: str) -> Iterator[str]:
    if package_of(name) != LIBRARY:  # whose files are read from the library itself
        yield from repository_code(folder / "repositories" / name)


def _is_held_out(repository: str) -> bool:
    package = package_of(repository)
    return package != LIBRARY and is_package_held_out(package)


def package_of(repository: str) -> str:
    """Return the package that a repository is a part of."""
    name, _, part = repository.rpartition(".")
    return name if part.isdecimal() else repository


def repository_code(folder: Path) -> Iterator[str]:
    """Yield the pieces of every Python file at the head of a repository."""
    repository = pygit2.Repository(str(folder))
    commit = repository.revparse_single("main").peel(pygit2.Commit)
    for path, blob in _blobs(commit.tree, ""):
        if path.endswith(".py"):
            source = read_text(blob.data, path)
            if source is not None:
                yield from code_documents(source)


def _blobs(tree: pygit2.Tree, prefix: str) -> Iterator[tuple[str, pygit2.Blob]]:
    for entry in tree:
        path = f"{prefix}{entry.name}"
        if isinstance(entry, pygit2.Tree):
            yield from _blobs(entry, f"{path}/")
        elif isinstance(entry, pygit2.Blob):
            yield path, entry


# -------------------------------------------------------------------------- an epoch


def epoch_rows(
    corpus: Corpus,
    mix: Mix,
    tokenizer: PreTrainedTokenizerFast,
    sequence: int,
    seed: Sequence[int],
) -> Rows:
    """Return one epoch, shuffled."""
    rng = random.Random(repr(list(seed)))
    asked = list(draw_conversations(corpus.facts, mix, rng))
    rng.shuffle(asked)
    chats = tokenise_chats(tokenizer, asked, min(mix.longest, sequence))
    packed = pack(chats, sequence)
    tokens = sum(len(ids) for ids, _ in chats)
    needed = int(tokens * mix.code_share / (1 - mix.code_share))
    code = code_rows(draw_code(corpus, mix, needed, rng), tokenizer, sequence)
    rows = Rows(
        np.concatenate([packed.ids, code.ids]),
        np.concatenate([packed.weights, code.weights]),
    )
    return rows.select(np.random.default_rng(list(seed)).permutation(len(rows)))


def draw_conversations(
    facts: Sequence[FactIndex], mix: Mix, rng: random.Random
) -> Iterator[AskedQuestion]:
    """Yield the conversations of an epoch, with and without facts."""
    for index in facts:
        yield from conversations(index.repository, mix.questions, rng)
        yield from grounded_conversations(index, mix.grounded, rng)


def draw_code(
    corpus: Corpus, mix: Mix, tokens: int, rng: random.Random
) -> Iterator[str]:
    """Yield pieces of code, some with a hole, of about so many tokens in all."""
    characters = 3.3 * tokens  # of the bundled tokenizer, on code
    while characters > 0:
        library = rng.random() < mix.library_share or not corpus.packages
        piece = rng.choice(corpus.library if library else corpus.packages)
        if rng.random() < mix.fim_share and piece.partition("\n")[2].strip():
            piece = fim_document(piece, rng)
        characters -= len(piece)
        yield piece


def tokenise_chats(
    tokenizer: PreTrainedTokenizerFast, asked: Sequence[AskedQuestion], longest: int
) -> list[tuple[Tokens, Weights]]:
    """Return ids of each conversation, and which of them belong to the answer.

    Conversations of more than `longest` tokens are left out.
    """
    result = []
    for begin in range(0, len(asked), 4096):
        parts = [render_chat(c.question, c.answer) for c in asked[begin : begin + 4096]]
        found = tokenizer([a + b for a, b in parts], return_offsets_mapping=True)
        for (head, tail), ids, spans in zip(
            parts, found["input_ids"], found["offset_mapping"], strict=True
        ):
            if len(ids) < longest:
                last = len(head) + len(tail) - 1  # without the line break
                answer = [len(head) < stop <= last for _, stop in spans]
                result.append(
                    (np.array([*ids, END], np.uint16), np.array([*answer, False]))
                )
    return result


def pack(texts: Iterable[tuple[Tokens, Weights]], sequence: int) -> Rows:
    """Put each text into the first of the last OPEN_ROWS rows that has room."""
    ids: list[list[Tokens]] = []
    weights: list[list[Weights]] = []
    room: list[int] = []
    for text, answer in texts:
        for row in range(max(0, len(room) - OPEN_ROWS), len(room)):
            if room[row] >= len(text):
                break
        else:
            row = len(room)
            ids.append([])
            weights.append([])
            room.append(sequence + 1)
        ids[row].append(text)
        weights[row].append(answer)
        room[row] -= len(text)
    packed_ids = np.zeros((len(room), sequence + 1), np.uint16)
    packed = np.zeros((len(room), sequence + 1), np.bool_)
    for row, left in enumerate(room):
        packed_ids[row, : sequence + 1 - left] = np.concatenate(ids[row])
        packed[row, : sequence + 1 - left] = np.concatenate(weights[row])
    return Rows(packed_ids, packed[:, 1:])


def code_rows(
    documents: Iterable[str],
    tokenizer: PreTrainedTokenizerFast,
    sequence: int,
) -> Rows:
    """Lay code end to end and cut it into rows; every token but the first is a target.

    Neighbouring rows share one token.
    """
    texts = list(documents)
    ids: list[int] = []
    for begin in range(0, len(texts), 4096):
        found: list[list[int]] = tokenizer(texts[begin : begin + 4096])["input_ids"]
        for tokens in found:
            ids += [*tokens, END]
    count = max(0, len(ids) - 1) // sequence
    rows = [ids[i * sequence : (i + 1) * sequence + 1] for i in range(count)]
    array = np.array(rows, np.uint16).reshape(count, sequence + 1)
    return Rows(array, np.ones((count, sequence), np.bool_))


def held_out_rows(
    corpus: Corpus,
    tokenizer: PreTrainedTokenizerFast,
    sequence: int,
    most: int,
) -> Mapping[str, Rows]:
    """Return at most so many rows of each kind of text, to measure the loss on."""
    rng = random.Random(1)
    pieces = rng.sample(corpus.library, min(len(corpus.library), 4 * most))
    foreign = rng.sample(corpus.packages, min(len(corpus.packages), 4 * most))
    plain = Mix(questions=40, grounded=0)
    given = Mix(questions=0, grounded=40)
    longest = min(plain.longest, sequence)
    rows = {
        "code": code_rows(pieces, tokenizer, sequence),
        "fim": code_rows(
            (fim_document(piece, rng) for piece in pieces), tokenizer, sequence
        ),
        "packages": code_rows(foreign, tokenizer, sequence),
    }
    for name, mix in (("questions", plain), ("grounded", given)):
        asked = list(draw_conversations(corpus.facts, mix, rng))
        rng.shuffle(asked)
        rows[name] = pack(tokenise_chats(tokenizer, asked, longest), sequence)
    return {
        name: found.select(np.arange(min(most, len(found))))
        for name, found in rows.items()
    }
