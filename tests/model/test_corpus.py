"""Texts of the bundled model: whole pieces, true answers, no held-out phrasing."""

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

QUESTIONS = """
language = "en"
[words]
function = "function"
method = "method"
class = "class"
module = "module"
join = ", "
more = "{items} and others"
[location]
questions = ["In which file is `{name}` defined?"]
held_out = ["Where can I find `{name}`?"]
answer = "`{name}` is defined in `{path}`."
[members]
questions = ["Which methods does `{name}` have?"]
held_out = []
answer = "The class `{name}` defines {members}."
[signature]
questions = ["What is the signature of `{name}`?"]
held_out = []
answer = "The signature is:"
"""


@pytest.fixture
def file(tmp_path: Path) -> corpus.SourceFile:
    (tmp_path / "queues.py").write_text(SOURCE)
    (found,) = corpus.source_files(tmp_path)
    return found


@pytest.fixture
def languages(tmp_path: Path) -> tuple[corpus.QuestionLanguage, ...]:
    (tmp_path / "en.toml").write_text(QUESTIONS)
    return corpus.read_questions(tmp_path)


def test_pieces_join_to_the_file() -> None:
    for size in (1, 40, 100, 10_000):
        assert "".join(corpus.split_text(SOURCE, size)) == SOURCE


def test_prefix_hole_and_suffix_join_to_the_piece(
    file: corpus.SourceFile,
) -> None:
    rng = random.Random(0)
    (code,) = corpus.code_documents(file)
    for _ in range(50):
        _, _, rest = corpus.fim_document(code, rng).text.partition(bpe.FIM_PREFIX)
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


def test_elements_have_the_facts_of_the_source(file: corpus.SourceFile) -> None:
    queue, put, drain = corpus.find_elements(file)
    assert (queue.kind, queue.members, queue.bases) == ("class", ("put",), ("Base",))
    assert put.qualified_name == "Queue.put"
    assert put.signature == "def put(self, item, *rest, last=None)"
    assert put.parameters == ("item", "*rest", "last")
    assert put.calls == ("self.items.append", "heapq.heapify")
    assert put.summary == "Add an item."
    assert (drain.start, drain.end) == (12, 15)
    assert drain.signature == "def drain(queue: Queue) -> list"


def test_questions_are_asked_of_every_element(
    file: corpus.SourceFile, languages: tuple[corpus.QuestionLanguage, ...]
) -> None:
    texts = [
        document.text
        for document in corpus.chat_documents(file, languages, random.Random(0))
    ]
    answer = "`Queue.put` is defined in `queues.py`."
    assert corpus.render_chat("In which file is `Queue.put` defined?", answer) in texts
    answer = "The class `Queue` defines `put`."
    assert corpus.render_chat("Which methods does `Queue` have?", answer) in texts


def test_long_lists_end_in_the_shipped_word_for_others() -> None:
    """`configs/questions` has one field here, {items}."""
    folder = Path(__file__).parents[2] / "configs" / "questions"
    english = next(f for f in corpus.read_questions(folder) if f.code == "en")
    names = tuple(f"n{number}" for number in range(corpus.MOST_NAMES + 1))
    text = corpus.join_names(names, english)
    assert text.endswith("`n11` and others") and "n12" not in text
    assert corpus.join_names(names[:2], english) == "`n0`, `n1`"


def test_held_out_phrasings_never_enter_the_corpus(
    file: corpus.SourceFile, languages: tuple[corpus.QuestionLanguage, ...]
) -> None:
    for seed in range(20):
        rng = random.Random(seed)
        for document in corpus.chat_documents(file, languages, rng):
            assert "Where can I find" not in document.text


def test_a_rendered_chat_equals_the_chat_template() -> None:
    learned = bpe.train_tokenizer(["x"], vocabulary=280)
    turns = [
        {"role": "user", "content": "where?"},
        {"role": "assistant", "content": "`a.py`"},
    ]
    rendered = learned.apply_chat_template(turns, tokenize=False)
    assert corpus.render_chat("where?", "`a.py`") == rendered


def test_a_file_and_its_questions_are_held_out_together(
    languages: tuple[corpus.QuestionLanguage, ...], tmp_path: Path
) -> None:
    folder = tmp_path / "library"
    folder.mkdir()
    for number in range(200):
        (folder / f"m{number}.py").write_text(SOURCE)
    held_out = 0
    for file in corpus.source_files(folder):
        held_out += file.held_out
        documents = corpus.chat_documents(file, languages, random.Random(0))
        assert {d.held_out for d in documents} == {file.held_out}
    assert 0 < held_out < 20


def test_the_shipped_templates_can_be_filled(file: corpus.SourceFile) -> None:
    folder = Path(__file__).parents[2] / "configs" / "questions"
    languages = corpus.read_questions(folder)
    assert {language.code for language in languages} == {"en", "zh"}
    for seed in range(10):
        assert list(corpus.chat_documents(file, languages, random.Random(seed)))
