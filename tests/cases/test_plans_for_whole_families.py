"""What a new sibling needs besides: lists in tests, a change log, hooks of Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases.sampled import (
    ALL_IN_ENGLISH,
    Sampled,
    assert_families_follow,
    of_kind,
)

BAGS = '''"""Bags of values."""


class Bag(dict):
    """A bag of values."""

    def pack(self):
        return list(self)


class OpenBag(Bag):
    """A bag that anybody may look into at any time."""

    def pack(self):
        return sorted(self)

    def __getitem__(self, name):
        return self.get(name)


class DeepBag(Bag):
    """A bag that holds as many other bags as there are."""

    def pack(self):
        return [dict(self)]

    def __missing__(self, name):
        return DeepBag()


class LentBag(Bag):
    """A bag that has to be given back when its time is over."""

    def pack(self):
        return []
'''
NAMES = ("OpenBag", "DeepBag", "LentBag")
PARAMETERS = """import pytest

import bags

SIZES = [bags.OpenBag, bags.DeepBag]
EVERY = {bags.OpenBag: 1, bags.DeepBag: 2, bags.LentBag: 3}


@pytest.fixture(params=[bags.Bag, bags.OpenBag, bags.DeepBag, bags.LentBag])
def bag(request):
    return request.param()


@pytest.fixture(params=[bags.OpenBag, bags.DeepBag])
def pair(request):
    return request.param()
"""
TESTS = """import bags


def test_bags():
    assert bags.OpenBag().pack() == []
    assert bags.DeepBag().pack() == [{}]
    assert bags.LentBag().pack() == []
"""
LOG = """# Changelog

## Unreleased

- Mend `pack`.

## 1.1 (2024-02-01)

- Add `OpenBag` and `DeepBag`.
"""
FILES = {
    "setup.cfg": "[metadata]\nname = bags\n",
    "bags.py": BAGS + '\n\n__all__ = ["Bag", "OpenBag", "DeepBag"]\n',
    "tests/conftest.py": PARAMETERS,
    "tests/test_bags.py": TESTS,
    "CHANGELOG.md": LOG,
}


@pytest.fixture(scope="module")
def bags(tmp_path_factory) -> Sampled:
    return Sampled(tmp_path_factory.mktemp("bags"), FILES, **ALL_IN_ENGLISH)


def plans_of(sampled: Sampled, *kinds: str) -> list[str]:
    kinds = kinds or ("plan", "plan_like", "plan_need", "plan_files")
    return [one["answer"] for kind in kinds for one in of_kind(sampled, kind)]


def test_every_claim_of_these_samples_holds(bags: Sampled) -> None:
    assert bags.audit().wrong == []


def test_parameters_of_all_siblings_get_the_new_one(bags: Sampled) -> None:
    step = "Add it to the parameters of `bag` in `tests/conftest.py`, which have all 3"
    assert len(plans_of(bags)) >= 4
    assert all(step in one for one in plans_of(bags))


def test_a_list_in_tests_of_all_siblings_gets_the_new_one(bags: Sampled) -> None:
    step = "Add it to `EVERY` of `tests/conftest.py`, which has all 3 siblings."
    assert plans_of(bags) and all(step in one for one in plans_of(bags))


def test_parameters_of_some_siblings_are_for_these_alone(bags: Sampled) -> None:
    assert not any("`pair`" in one or "`SIZES`" in one for one in plans_of(bags))


def test_parameters_without_a_sibling_are_noticed(bags: Sampled) -> None:
    (key, sample), *_ = (
        (key, one) for key, one in bags.samples.items() if "`bag`" in one["answer"]
    )
    for old, new in {"`bag`": "`pair`", "`EVERY`": "`SIZES`"}.items():
        answer = sample["answer"].replace(old, new)
        assert bags.audit({key: {**sample, "answer": answer}}).wrong


def test_a_hook_that_the_base_inherits_is_among_the_optional(bags: Sampled) -> None:
    step = (
        "define what only some siblings define: `__getitem__` (1 of 3), `__missing__`"
    )
    told = plans_of(bags, "plan")
    assert told and all(step in one for one in told)


def test_who_is_not_in_the_list_with_most_siblings_is_no_model(bags: Sampled) -> None:
    told = plans_of(bags, "plan_like", "plan_need")
    assert any("`OpenBag` as the model" in one for one in told)
    assert not any("`LentBag` as the model" in one for one in told)
    assert not any("`LentBag` does just this" in one for one in told)


def test_a_need_that_a_sibling_meets_is_met_by_it(bags: Sampled) -> None:
    told = of_kind(bags, "plan_need")
    assert told
    for one in told:
        assert (
            "that anybody may look" in one["question"] or "as many" in one["question"]
        )
        assert " does just this already. For one that has to differ," in one["answer"]


def test_a_log_with_an_open_section_that_records_siblings_is_written(bags) -> None:
    step = "Enter it in the change log, `CHANGELOG.md`."
    assert plans_of(bags) and all(step in one for one in plans_of(bags))


@pytest.mark.parametrize(
    "change",
    [
        {"CHANGELOG.md": LOG.replace("## Unreleased\n\n- Mend `pack`.\n\n", "")},
        {"CHANGELOG.md": LOG.replace("`DeepBag`", "it")},
    ],
    ids=["closed", "of one"],
)
def test_a_log_that_is_closed_or_records_few_is_not_named(change, tmp_path) -> None:
    sampled = Sampled(tmp_path, FILES | change, **ALL_IN_ENGLISH)
    assert plans_of(sampled)
    assert not any("CHANGELOG.md" in one for one in plans_of(sampled))


def test_a_log_makes_no_room_for_code(tmp_path: Path) -> None:
    code = FILES["bags.py"]
    for line in ("return sorted(self)", "return [dict(self)]"):
        code = code.replace(line, f"{line}  # {'x' * 55}")
    sampled = Sampled(tmp_path, FILES | {"bags.py": code}, **ALL_IN_ENGLISH)
    told = plans_of(sampled, "plan", "plan_like", "plan_need")
    assert any("**Example**" not in one for one in told)
    assert all("`CHANGELOG.md`" in one for one in told)


@pytest.mark.parametrize(
    "first",
    [
        {"tests/conftest.py": PARAMETERS.replace(", bags.LentBag])", "])")},
        {"tests/conftest.py": "import pytest\n"},
        {"CHANGELOG.md": LOG.replace("Unreleased", "1.2 (2025-01-01)")},
        {"CHANGELOG.md": LOG.replace("`DeepBag`", "it")},
        {"CHANGELOG.md": None},
    ],
    ids=["parameters", "no use", "closed log", "another log", "no log"],
)
def test_a_plan_follows_the_tests_and_the_log(first, tmp_path: Path) -> None:
    before = {path: text for path, text in (FILES | first).items() if text is not None}
    assert_families_follow(tmp_path, before, FILES)


MARKS = '''"""Marks in texts."""


class Mark:
    """The base of all marks."""

    def read(self, text):
        raise NotImplementedError
''' + "".join(
    f'''

class {name}(Mark):
    """A mark that is called {name.lower()} by those who write."""

    def __init__(self, *parts):
        self.parts = parts

    def read(self, text):
        return text.split({name!r})
'''
    for name in ("TextStart", "TextEnd", "LineStart", "LineEnd")
)
READERS = '''"""Read marks."""

from marks import LineEnd, LineStart, TextEnd, TextStart

text_end = TextEnd()
line_end = LineEnd("line_end")
heading = LineStart(TextStart())
LineEnd.opposite = LineStart
TextEnd.opposite = TextStart


def compose(text):
    """Return what a text is made of."""
    whole = TextStart(LineStart(LineEnd()))
    return whole, TextEnd(text)


def choose(text):
    """Return the mark that a text is."""
    if text == "<":
        return LineStart(text)
    if text == ">":
        return LineEnd(text)
    if text == "[":
        return TextStart(text)
    return TextEnd(text)
'''
MARKED = {
    "setup.cfg": "[metadata]\nname = marks\n",
    "marks.py": MARKS,
    "readers.py": READERS,
    "docs/marks.md": "# Marks\n\n`TextStart`, `TextEnd` and `LineStart`.\n",
    "docs/whats_new_in_2_0.rst": "New\n===\n\nTextEnd, LineStart, LineEnd.\n",
}


@pytest.fixture(scope="module")
def marks(tmp_path_factory) -> Sampled:
    return Sampled(tmp_path_factory.mktemp("marks"), MARKED, **ALL_IN_ENGLISH)


def test_every_claim_about_marks_holds(marks: Sampled) -> None:
    assert marks.audit().wrong == []


def test_what_was_new_in_a_release_documents_nothing(marks: Sampled) -> None:
    assert not any("whats_new" in one for one in plans_of(marks))


def test_a_document_of_nearly_all_is_named_beside_any_model(marks: Sampled) -> None:
    assert any("`LineEnd` as the model" in one for one in plans_of(marks, "plan_like"))
    step = "Document it in `docs/marks.md`, which names at least 3 of 4 siblings."
    assert all(step in one for one in plans_of(marks))


def test_a_name_is_bound_where_it_is_like_that_of_the_sibling(marks: Sampled) -> None:
    step = "Bind a name to it in `readers.py`, as is done for 2 of 4 siblings"
    told = plans_of(marks)
    assert told and any(step in one for one in told)
    assert not any("`heading" in one or ".opposite" in one for one in told)


def test_another_name_for_a_sibling_is_bound_to_it(tmp_path: Path) -> None:
    text = READERS.replace("TextEnd()\n", "TextEnd\n").replace("text_end", "last")
    sampled = Sampled(tmp_path, MARKED | {"readers.py": text}, **ALL_IN_ENGLISH)
    told = plans_of(sampled)
    assert told and any("as is done for 2 of 4 siblings" in one for one in told)


def test_an_attribute_of_a_sibling_binds_no_name_to_it(tmp_path: Path) -> None:
    text = READERS.replace("text_end = ", "last = ").replace("line_end = ", "first = ")
    sampled = Sampled(tmp_path, MARKED | {"readers.py": text}, **ALL_IN_ENGLISH)
    assert plans_of(sampled)
    assert not any("Bind a name" in one for one in plans_of(sampled))


def test_a_function_that_composes_siblings_handles_none(marks: Sampled) -> None:
    told = plans_of(marks)
    assert told and not any("`compose`" in one for one in told)


def test_a_function_that_chooses_says_no_place_behind_its_last(marks: Sampled) -> None:
    told = plans_of(marks)
    step = (
        "Handle it in `choose` of `readers.py`, which names all 4 siblings; import it"
    )
    assert told and all(step in one for one in told)
