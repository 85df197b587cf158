"""A corpus of the bundled model's training, as small as can be."""

from __future__ import annotations

from repobuild.model.bundled.grounded import FactIndex
from repobuild.model.bundled.question_facts import QuestionFact
from repobuild.model.bundled.question_texts import RepositoryFacts
from repobuild.model.bundled.training_rows import Corpus


def nano_corpus() -> Corpus:
    """Return 200 pieces of code, and 100 places of one repository."""
    pieces = [_code(number) for number in range(200)]
    facts = RepositoryFacts("p", "p", tuple(_place(number) for number in range(100)))
    return Corpus(pieces, pieces, [FactIndex.of(facts)])


def _code(number: int) -> str:
    return f"<|file_sep|>a.py\ndef f{number}(x):\n    return x + {number}\n"


def _place(number: int) -> QuestionFact:
    name, path = f"f{number}", f"a{number % 5}.py"
    answer = f"`{name}` is defined in `{path}`."
    element, fields = f"{path}::{name}", {"name": name}
    return QuestionFact("location", "code_location", "en", element, fields, answer)
