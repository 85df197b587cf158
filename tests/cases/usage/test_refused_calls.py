"""A call that shows what is refused, empty or left alone is no example."""

from __future__ import annotations

from pathlib import Path

import pytest

from repobuild.code.usage.call_example import call_example
from repobuild.code.usage.document_text import read_document
from repobuild.code.usage.explained_names import FileNames, file_names, written_imports
from repobuild.samples.text.deprecation import is_deprecated
from tests.cases.sampled import ALL_IN_ENGLISH, Sampled, answers


def example(code: str, name: str, row: int = -1, is_test: bool = True) -> str | None:
    """Return the example of a line of a file, else of its last one."""
    lines = code.split("\n")
    known: FileNames = file_names(written_imports(code), lines, (), is_test)
    found = call_example(lines, row % len(lines), name, known)
    return found and found.code


def test_what_gives_false_in_a_session_is_not_typed_by_users() -> None:
    doc = ">>> f(2)\n'two'\n>>> f(1)\nFalse\n>>> f(3)\nTrue"
    assert read_document(doc, is_rst=True).code == [["f(2)", "f(3)"]]


@pytest.mark.parametrize(
    "test",
    ["test_leaves_iterators", "test_not_logged", "testWithoutKeys", "test_empty"],
)
def test_a_test_of_what_is_refused_has_no_example(test: str) -> None:
    code = f"from a import f\n\ndef {test}(self):\n    if 1:\n        f(1)"
    assert example(code, "f") is None
    code = "from a import f\n\ndef test_it(self):\n    if 1:\n        f(1)"
    assert example(code, "f") is not None


def test_a_call_of_a_module_is_in_no_test_above_it() -> None:
    code = "from a import f\n\ndef test_missing():\n    pass\n\nif a:\n    f(1)"
    assert example(code, "f") is not None


def test_text_at_the_margin_does_not_end_a_test() -> None:
    code = "from a import f\n\ndef test_missing(\n    a,\n):\n    f(1)"
    assert example(code, "f") is None
    code = 'from a import f\n\ndef test_missing():\n    b = """\ntext\n"""\n    f(1)'
    assert example(code, "f") is None


def test_a_word_of_the_callee_refuses_nothing() -> None:
    code = 'from a import ignore_case\n\ndef test_ignore_case():\n    ignore_case("a")'
    assert example(code, "ignore_case") is not None


def test_a_call_after_what_it_needs_is_switched_off_is_no_example() -> None:
    code = "import log\n\nlog.enable({})\nlog.trace('a')"
    assert example(code.format("False"), "trace") is None
    assert example(code.format("True"), "trace") is not None


def test_a_deprecated_call_is_expected_to_warn() -> None:
    code = "import pytest\nfrom a import f\n\nwith pytest.deprecated_call():\n    f(1)"
    assert example(code, "f") is None


@pytest.mark.parametrize(
    "worse", ["f(1, [])", 'f("")', "f(b'', key={})", 'f("not-seen")', "f(set())"]
)
def test_empty_arguments_come_last(worse: str) -> None:
    last, best = (call_example([one], 0, "f") for one in (worse, "f(2, 3)"))
    assert last is not None and best is not None and last.score < best.score


def test_a_result_of_what_is_passed_nothing_is_not_told() -> None:
    code = "import a\n\ndef test_it():\n    a.open(1)\n    assert {} == 2"
    assert example(code.format("a.count()"), "count") == "import a\n\na.count()"
    assert example(code.format("len(a.desks())"), "desks") is None
    code = "import a\n\nassert a.count(3) == 2"
    assert example(code, "count") == "import a\n\na.count(3)  # == 2"


@pytest.mark.parametrize(
    "check", ["assert not x", "assert x == (\n    False,\n)", "self.assertFalse(x)"]
)
def test_a_result_that_is_asserted_to_be_false_shows_what_is_refused(
    check: str,
) -> None:
    code = "from a import f\n\nx = f(1)\n"
    assert example(code + check, "f", row=2) is None
    assert example(code + "assert x == 2", "f", row=2) is not None
    assert example("from a import f\n\nself.assertFalse(f(1))", "f") is None


def test_what_raises_or_is_none_shows_what_is_refused() -> None:
    code = "from a import save\n\nwith save('a') as out:\n    out.write('b')\n    {}"
    assert example(code.format("1/0  # will error"), "save", row=2) is None
    assert example(code.format("out.close()"), "save", row=2) is not None
    code = "from a import f\n\nassert f(1) is {}"
    assert example(code.format("None"), "f") is None
    assert example(code.format("True"), "f") is not None


def test_a_private_attribute_is_no_use_of_an_object() -> None:
    lines = ["store = Store(1)", "store._desk = None", "store.put(2)"]
    found = call_example(lines, 0, "Store")
    assert found is not None and "_desk" not in found.code


def test_a_setter_that_is_tested_alone_is_left_out() -> None:
    code = "from a import S\ns = S()\ns.set_days(3)\nassert s.get_days() == 3\n"
    found = example(code + "s.close(1)", "close")
    assert found is not None and "set_days" not in found
    found = example(code + "s.show_days(1)", "show_days")
    assert found is not None and "s.set_days(3)" in found


def test_a_name_that_is_bound_anew_is_not_that_of_the_function_around() -> None:
    code = (
        "def request(desk):\n    async def send(self, day):\n        if day:\n"
        "            request = make(day)\n        desk.put(request, day)"
    )
    assert example(code, "put", is_test=False) is None
    code = "def lend(desk, book):\n    print(book)\n{}    desk.put(book)"
    assert example(code.format("    book = find(desk)\n"), "put", is_test=False) is None
    changed = example(code.format("    book = book or 1\n"), "put", is_test=False)
    assert changed is not None


def test_what_warns_with_a_given_text_is_not_deprecated_itself() -> None:
    code = "def deprecated({}):\n    warnings.warn({}, DeprecationWarning)\n"
    assert not is_deprecated(code.format("message", "message"), "", ())
    assert not is_deprecated(code.format("a, text: str = ''", "text"), "", ())
    assert is_deprecated(code.format("message", "'It is old'"), "", ())
    assert is_deprecated(code.format("message", "TEXT"), "", ())


def test_what_a_package_defines_is_imported_from_it(tmp_path: Path) -> None:
    files = {
        "desks/__init__.py": 'class Desk:\n    """A desk."""\n\n'
        "    def __init__(self, *args: object, **kwargs: object):\n"
        "        self.args = args\n\n    def put(self, book: str) -> None:\n"
        '        """Put a book on it."""\n        self.book = book\n',
        "README.md": "# Desks\n\nDesks of a library.\n\n```python\n"
        'desk = Desk("east")\ndesk.put("a")\n```\n',
    }
    sampled = Sampled(tmp_path, files, **ALL_IN_ENGLISH)
    assert sampled.audit().wrong == []
    (answer,) = answers(sampled, "usage", "desks/__init__.py::Desk")
    assert 'from desks import Desk\n\ndesk = Desk("east")' in answer
    assert "*args" not in answer  # nobody knows from it what to pass


def test_a_constant_of_a_class_is_no_use_of_it() -> None:
    assert call_example(["Time.min = Time(0, 1)"], 0, "Time") is None
    assert call_example(["least = Time(0, 1)"], 0, "Time") is not None


def test_another_language_has_no_import_of_python(tmp_path: Path) -> None:
    files = {
        "rust/src/days.rs": "/// Tells whether a year is a leap year.\n"
        "pub fn is_leap(year: i32) -> bool {\n    year % 4 == 0\n}\n",
        "rust/src/parsing.rs": "use crate::days::is_leap;\n\n"
        "pub fn parse(year: i32) -> usize {\n"
        "    let leap = usize::from(is_leap(year));\n    leap\n}\n",
    }
    sampled = Sampled(tmp_path, files, **ALL_IN_ENGLISH)
    told = answers(sampled, "usage", "rust/src/days.rs::is_leap")
    assert told and not any("from rust" in one for one in told)


def test_a_method_is_shown_after_a_dot(tmp_path: Path) -> None:
    files = {
        "desks/__init__.py": "",
        "desks/desk.py": 'class Desk:\n    """A desk."""\n\n'
        '    def lend(self, book: str) -> str:\n        """Lend a book."""\n'
        "        return book\n",
        "examples/lend.py": "from desks.desk import Desk\n\ndesk = Desk()\n"
        "lend = desk.lend\n" + "print()\n" * 20 + 'lend("a")\n',
    }
    sampled = Sampled(tmp_path, files, **ALL_IN_ENGLISH)
    assert answers(sampled, "usage", "desks/desk.py::Desk.lend") == set()
