"""Code of the bundled model: whole pieces, true holes, whole files held out."""

import random
from pathlib import Path

import pytest

from repobuild.model.bundled import corpus
from repobuild.model.bundled import tokenizer as bpe

SOURCE = '''"""Queues of jobs."""
import heapq

class Queue(Base):
    """A queue that forgets."""

    def put(self, item, *rest, last=None):
        """Add an item."""
        self.items.append(item)
        heapq.heapify(self.items)

def drain(queue: Queue) -> list:
    while queue:
        pass
    return []
'''


@pytest.fixture
def file(tmp_path: Path) -> corpus.SourceFile:
    (tmp_path / "queues.py").write_text(SOURCE)
    (found,) = corpus.source_files(tmp_path)
    return found


def test_pieces_join_to_the_file() -> None:
    for size in (1, 40, 100, 10_000):
        assert "".join(corpus.split_text(SOURCE, size)) == SOURCE


def test_prefix_hole_and_suffix_join_to_the_piece(
    file: corpus.SourceFile,
) -> None:
    rng = random.Random(0)
    (code,) = corpus.code_documents(file)
    for _ in range(50):
        _, _, rest = corpus.fim_document(code, rng).partition(bpe.FIM_PREFIX)
        prefix, _, rest = rest.partition(bpe.FIM_SUFFIX)
        suffix, _, middle = rest.partition(bpe.FIM_MIDDLE)
        assert middle
        assert prefix + middle + suffix == SOURCE


def test_files_that_teach_nothing_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "latin.py").write_bytes(b"x = '\xe9'\n")
    (tmp_path / "broken.py").write_text("def (\n")
    (tmp_path / "table.py").write_text("t = (" + "0x41, 0x42,\n" * 200 + ")\n")
    (tmp_path / "empty.py").write_text("\n")
    (tmp_path / "site-packages").mkdir()
    (tmp_path / "site-packages" / "other.py").write_text("import os\n")
    assert list(corpus.source_files(tmp_path)) == []


def test_a_file_is_held_out_or_trained_as_a_whole(tmp_path: Path) -> None:
    for number in range(200):
        (tmp_path / f"m{number}.py").write_text(SOURCE)
    every, held_out, trained = (
        [file.path for file in corpus.source_files(tmp_path, part)]
        for part in (None, True, False)
    )
    assert sorted(held_out + trained) == every and len(every) == 200
    assert all(map(corpus.is_file_held_out, held_out))
    assert 0 < len(held_out) < 20
