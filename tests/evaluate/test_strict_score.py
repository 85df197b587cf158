"""Strict scores: right answers score, and verbose ones do not."""

from __future__ import annotations

import pytest

from repobuild.evaluate.mentions.mention_parser import KnownNames, names_in, paths_in
from repobuild.evaluate.questions import HeldOutSample
from repobuild.evaluate.scoring import strict_score

KNOWN = KnownNames.of(
    paths=["pkg/core.py", "pkg/cli/main.py", "README.md", "Makefile", "docs/a b.md"],
    names=["Engine", "Engine.run", "load", "timeout"],
)
WHERE = "Where can I find the source code of `Engine.run`?"
RIGHT = "`Engine.run` is defined in `pkg/core.py`."


def mark(
    answer: str,
    expected: str = RIGHT,
    question: str = WHERE,
    task: str = "code_location",
) -> strict_score.StrictMark:
    row = {"element": "pkg/core.py::Engine.run", "prefix": "    "}
    sample = HeldOutSample(f"e#{task}.en.0", "recall", task, question, expected, row)
    return strict_score.mark_answer(sample, answer, KNOWN)


def test_the_expected_answer_has_the_best_score_in_every_metric() -> None:
    found = mark(RIGHT)
    assert (found.exact, found.edit, found.path_exact) == (1.0, 1.0, 1.0)
    assert found.path_accuracy == 1.0
    assert found.hallucinated == ()


def test_white_space_and_unicode_composition_do_not_count() -> None:
    assert mark("  `Engine.run`  is defined\nin `pkg/core.py`.\n").exact == 1
    assert strict_score.normalised("cafe\u0301") == strict_score.normalised("caf\u00e9")


def test_an_empty_answer_scores_zero() -> None:
    found = mark("")
    assert (found.exact, found.edit, found.path_exact) == (0.0, 0.0, 0.0)


def test_the_right_path_in_other_words_counts() -> None:
    assert mark("`Engine.run` 位于 `pkg/core.py`。").path_exact == 1


@pytest.mark.parametrize("lines", [":12", ":12-40", "#L12", "#L12-L40"])
def test_line_numbers_after_a_path_are_removed(lines: str) -> None:
    assert mark(f"See `pkg/core.py{lines}`.").path_exact == 1


def test_only_the_first_path_counts() -> None:
    found = mark("It is in `pkg/cli/main.py` or in `pkg/core.py`.")
    assert found.path_exact == 0


def test_naming_every_path_lowers_path_accuracy() -> None:
    found = mark("`pkg/core.py`, `pkg/cli/main.py`, `README.md`, `Makefile`")
    assert found.path_accuracy == 0.25


def test_a_similar_path_is_wrong() -> None:
    assert mark("`Engine.run` is in `core.py`.").path_exact == 0
    assert mark("`Engine.run` is in `src/pkg/core.py`.").path_exact == 0


def test_a_path_in_the_question_gives_no_path_score() -> None:
    question = "On which lines of `pkg/core.py` is `Engine.run`?"
    found = mark(RIGHT, question=question)
    assert found.path_exact is None
    assert found.path_accuracy is None


def test_a_path_repeated_from_the_question_is_skipped() -> None:
    question = "Which file that `pkg/cli/main.py` imports defines `Engine`?"
    answer = "`pkg/cli/main.py` imports `pkg/core.py`."
    assert mark(answer, question=question).path_exact == 1


def test_other_tasks_have_no_exact_path_but_path_accuracy() -> None:
    found = mark(RIGHT, RIGHT, "What is it?", "code_explanation")
    assert found.path_exact is None
    assert found.path_accuracy == 1


def test_a_path_without_backticks_counts_only_if_none_has_them() -> None:
    assert mark("The class lives in pkg/core.py.").path_exact == 1
    assert mark("Not in pkg/core.py but `pkg/cli/main.py`.").path_exact == 0


def test_paths_without_suffix_and_with_spaces_are_known_by_the_repository() -> None:
    assert paths_in("see `Makefile` and `docs/a b.md`", KNOWN) == [
        "Makefile",
        "docs/a b.md",
    ]


def test_dotted_names_are_not_paths() -> None:
    assert paths_in("`Engine.run` and `os.path` and `a.b()`", KNOWN) == []


def test_fenced_code_names_nothing() -> None:
    answer = "```python\nx = `made/up.py`\n```\nand ~~~\n`Nope`\n~~~"
    assert paths_in(answer, KNOWN) == []
    assert names_in(answer, KNOWN) == ()


def test_an_unclosed_fence_reaches_to_the_end() -> None:
    assert names_in("```python\n`Nope`", KNOWN) == ()


def test_a_completion_is_compared_without_its_fence() -> None:
    def exact(answer: str) -> float:
        code = "return node.obj"
        return mark(answer, code, "?", "code_completion").exact

    assert exact("return node.obj") == 1
    assert exact("```python\nreturn node.obj\n```") == 1
    assert exact("```python\nreturn node.obj") == 1
    assert exact("```python\nreturn node.obj\n```\nand more") == 1
    assert exact("return node.obj\n    return node.obj") == 0


def test_a_completion_that_continues_is_truncated_and_not_counted_as_stopped() -> None:
    code = "return node.obj"
    stopped = mark(code, code, "?", "code_completion")
    ran_on = mark(f"{code}\n\n\ndef g():\n    pass", code, "?", "code_completion")
    assert (stopped.exact, stopped.stopped) == (1.0, 1.0)
    assert (ran_on.exact, ran_on.stopped) == (1.0, 0.0)
    assert mark("x").stopped is None


def test_undefined_names_are_hallucinated() -> None:
    found = mark("`Engine.start` calls `load()` and `Motor` with `timeout`.")
    assert found.named == ("Engine.start", "load", "Motor", "timeout")
    assert found.hallucinated == ("Engine.start", "Motor")


def test_unknown_paths_are_hallucinated_unless_the_expected_answer_has_them() -> None:
    assert mark("in `pkg/made_up.py`").hallucinated == ("pkg/made_up.py",)
    gone = "`halt` is not in `pkg/old.py` any more."
    assert mark(gone, gone, "I cannot find `halt` any more. Why?").hallucinated == ()


def test_names_of_python_and_of_modules_exist() -> None:
    answer = "`list`, `os.path`? `None`, `self`, `pkg.core`, `main`"
    assert mark(answer).hallucinated == ("os.path",)  # this repository has no `path`


def test_a_repeated_name_counts_once() -> None:
    assert mark("`Motor` `Motor` `Motor`").hallucinated == ("Motor",)


def test_expressions_and_signatures_are_not_names() -> None:
    assert mark("`a + b`, `def f(x)`, `--jobs`, `12`").named == ()


def test_a_metric_is_averaged_over_the_answers_to_which_it_applies() -> None:
    other = mark("x", "y", "What?", "relations")
    found = strict_score.score_marks([mark(RIGHT), mark("`README.md`"), other])
    assert found["path_exact"].n == 2
    assert found["path_exact"].value == 0.5
    assert found["exact"].n == 3


def test_hallucination_is_a_share_of_names_not_of_answers() -> None:
    marks = [mark("`Motor`"), mark("`load`, `Engine`, `timeout`"), mark("no name")]
    assert strict_score.score_marks(marks)["hallucinated"].value == 0.25


def test_an_interval_contains_its_value_and_is_deterministic() -> None:
    pairs = [(float(n % 3 == 0), 1.0) for n in range(60)]
    found = strict_score.ratio(pairs)
    assert found == strict_score.ratio(pairs)
    assert found.low < found.value < found.high
    assert 0.15 < found.high - found.low < 0.35  # 4 * sqrt(p q / n) is 0.24


def test_more_questions_narrow_the_interval() -> None:
    few = strict_score.ratio([(float(n % 2), 1.0) for n in range(20)])
    many = strict_score.ratio([(float(n % 2), 1.0) for n in range(500)])
    assert many.high - many.low < (few.high - few.low) / 3


def test_loss_is_by_token_not_by_sample() -> None:
    found = strict_score.loss([(10.0, 10), (1.0, 90), (0.0, 0)])
    assert found is not None
    assert found.value == 0.11
    assert found.n == 2


def test_no_samples_have_no_loss() -> None:
    assert strict_score.loss([]) is None
    assert strict_score.score_marks([]) == {}


def test_a_paired_difference_of_ten_questions_in_forty_is_certain() -> None:
    """Both models fail on the same 15 of 40 questions, one of them on ten more."""
    wrong, right = mark("`README.md`"), mark(RIGHT)
    ours = [right] * 25 + [wrong] * 15
    theirs = [right] * 15 + [wrong] * 25
    gap = strict_score.difference(ours, theirs, "path_exact")
    assert gap is not None
    assert gap.value == 0.25
    assert gap.low > 0
