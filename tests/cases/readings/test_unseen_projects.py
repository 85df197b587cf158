"""What `verify --samples` found wrong in projects that nobody here had seen."""

from __future__ import annotations

from repobuild.code.usage.call_example import call_example
from repobuild.code.usage.explained_names import document_names
from repobuild.samples.contexts.graph_reader import CONFIDENT
from repobuild.samples.text.import_statements import read_imports
from tests.cases.sampled import ALL_IN_ENGLISH, Sampled, of_kind, sampled_fixture
from tests.code_world import World

FILES = {
    "setup.cfg": "[metadata]\nname = shelf\ndescription = Keep books\n",
    "shelf/__init__.py": '"""Keep books."""\n',
    "shelf/texts.py": """from __future__ import annotations


def fold(text):
    \"\"\"Return a text without its case.\"\"\"
    return text.casefold()


def trim(text: str) -> str:
    \"\"\"Return a text without white space around it.\"\"\"
    return text.strip()


def kind_of(book):
    \"\"\"Return the kind of a book.\"\"\"
    return book.kind
""",
    "shelf/keys.py": """from collections.abc import Callable

from . import texts

BY_TITLE = texts.fold
SORT_KEY: Callable[[str], str] = BY_TITLE


def set_sort_key(key):
    \"\"\"Sort books by another key from now on.\"\"\"
    global SORT_KEY
    SORT_KEY = key
""",
    "shelf/lists.py": """from . import keys


def titles(books):
    \"\"\"Return books in their order.\"\"\"
    return sorted(books, key=keys.SORT_KEY)
""",
    "shelf/loans.py": """from shelf.texts import kind_of


class Refused(TypeError):
    \"\"\"A loan that is refused.\"\"\"


def lend(book, traceback=None):
    \"\"\"Lend a book to somebody.\"\"\"
    try:
        return book.lend()
    except TypeError as error:
        raise Refused(*error.args).with_traceback(traceback)


class Desk:
    \"\"\"Where books are lent.\"\"\"

    def rule(self, book):
        \"\"\"Return the rule for a book.\"\"\"
        if self.rules is not NO_RULES:
            found = kind_of(book)
            return self.rules[found]


NO_RULES = lambda book: book
""",
    "shelf/shelf.c": """#include <stdlib.h>

/* One book on a shelf. */
typedef struct {
  unsigned int place;
  unsigned int width;
  char *title;
  char *author;
} Book;

static Book *put(Book *book, unsigned int place)
{
  book->place = place;
  return book;
}
""",
    "tests/test_texts.py": """from shelf.texts import trim


def test_trim():
    assert trim("\tBook  ") == "Book"
""".replace("\\t", "\t"),
}
shelf = sampled_fixture(FILES)


def answers(shelf: Sampled, key: str) -> list[str]:
    found = shelf.samples.items()
    return [one["answer"] for sample, one in found if sample.startswith(f"{key}#")]


def test_every_claim_holds(shelf: Sampled) -> None:
    assert "\t" in FILES["tests/test_texts.py"]
    assert shelf.audit().wrong == []


def test_a_name_that_a_function_gives_another_value_is_no_certain_callee() -> None:
    rows = World({p: text for p, text in FILES.items() if p.endswith(".py")}).rows
    calls = rows["shelf/lists.py"]["::titles calls shelf/texts.py::fold"]
    assert calls["confidence"] < CONFIDENT


def test_an_example_of_python_2_is_none() -> None:
    lines = ["with settings.fresh():", "    print settings.VALUE"]
    known = document_names("from dynaconf import settings\n", ())
    assert call_example(lines, 0, "fresh", known) is None
    lines[1] = "    print(settings.VALUE)"
    assert call_example(lines, 0, "fresh", known)


def test_a_call_in_a_method_is_shown_with_its_class() -> None:
    lines = [
        "class Desk(dict):",
        '    """Where books are lent."""',
        "",
        "    def lend(self, book):",
        "        return book.take(1)",
    ]
    found = call_example(lines, 4, "take", document_names("", ()))
    assert found and found.code == "\n".join([lines[0], *lines[3:]])


def test_a_loop_without_its_body_is_no_part_of_an_example() -> None:
    lines = [
        "pi = print()",
        "for token in pi.parse():",
        "    print(token)",
        "pi.end(1)",
    ]
    assert call_example(lines, 3, "end", document_names("", ())) is None


def test_what_a_project_ships_of_others_is_imported_from_the_project() -> None:
    lines = ["from box.vendor.ruamel import yaml", "from os import path"]
    imports = [[1, "box.vendor.ruamel", "yaml", ""], [2, "os", "path", ""]]
    facts = {"language": "python", "imports": imports}
    known = read_imports(facts, "\n".join(lines).encode(), ["box/texts.py"])
    assert known["yaml"].internal and not known["path"].internal


def test_a_constant_below_a_function_is_not_quoted_above_it(shelf):
    told = answers(shelf, "shelf/texts.py::kind_of")
    assert told and not any("NO_RULES = lambda" in text for text in told)


def test_a_call_with_a_tab_in_a_string_is_no_example(shelf):
    told = answers(shelf, "shelf/texts.py::trim")
    assert told and not any("\t" in text for text in told)


def test_no_answer_is_empty_when_the_code_of_a_model_fits_only_one_of_two(tmp_path):
    items = "".join(f"            '{sign * 50}',\n" for sign in "abcde")
    readers = "\n\n".join(
        f"class {name}(Reader):\n"
        '    """Return what a reader of this kind makes of a text that it is given, '
        f'{"and more " * 6}in the end. {name}."""\n\n'
        "    def parse(self, text):\n"
        f"        first = text.join([\n{items}        ])\n        return first\n"
        for name in ("Csv", "Json", "Yaml")
    )
    base = (
        "class Reader:\n    def parse(self, text):\n        raise NotImplementedError"
    )
    table = 'ALL = {"csv": Csv, "json": Json, "yaml": Yaml}\n'
    files = {
        "pkg/__init__.py": "",
        "pkg/readers.py": f"{base}\n\n\n{readers}\n\n{table}",
    }
    made = Sampled(tmp_path, files, **ALL_IN_ENGLISH)
    assert of_kind(made, "plan_like")
    assert [key for key, one in made.samples.items() if not one["answer"]] == []


PARSER = {
    "setup.cfg": "[metadata]\nname = plain\ndescription = Make text of pages\n",
    "plain/__init__.py": '"""Make text of pages."""\n\nfrom plain.pages import Page\n',
    "plain/pages.py": '''"""Pages."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """A page as text."""

    def handle_charref(self, number: str) -> None:
        """Take a sign that is written as a number."""
        self.number = number

    def handle_bold(self, text: str) -> None:
        """Take text that is bold."""
        self.bold = text


class Line:
    """A line of text."""

    def cut(self, width: int) -> str:
        """Return the line, cut at a width."""
        return self.text[:width]


def find_bold(page):
    """Return what is bold."""
    return page.bold


def find_number(page):
    """Return the number."""
    return page.number


def find_line(page):
    """Return the line."""
    return page.line
''',
    "plain/errors.py": '''"""Errors."""


class PlainError(Exception):
    """What goes wrong."""


class Wide(PlainError):
    """It is too wide."""

    def __init__(self, width):
        self.width = width

    def __str__(self):
        return str(self.width)


class High(PlainError):
    """It is too high."""

    def __init__(self, height):
        self.height = height

    def __str__(self):
        return str(self.height)


class Deep(PlainError):
    """It is too deep."""

    def __init__(self, depth):
        self.depth = depth

    def __str__(self):
        return str(self.depth)


def check(page):
    """Raise what is wrong with a page."""
    if page.width:
        raise Wide(page.width)
    if page.height:
        raise High(page.height)
    raise Deep(page.depth)
''',
    "plain/use.py": '''"""Use pages."""

from plain.pages import find_bold, find_line, find_number

__all__ = ["find_bold", "find_line", "find_number"]
''',
    "tests/test_pages.py": "from plain.pages import find_bold, find_line, find_number\n"
    "\n\ndef test_all():\n    assert find_bold and find_line and find_number\n",
}
plain = sampled_fixture(PARSER)


def test_a_method_for_a_base_from_elsewhere_to_call_is_no_users_call(plain) -> None:
    path = "plain/pages.py"
    assert any(".cut(" in text for text in answers(plain, f"{path}::Line.cut"))
    told = answers(plain, f"{path}::Page.handle_charref")
    assert told and not any(".handle_charref(" in text for text in told)


def test_special_methods_that_siblings_define_are_part_of_a_plan(plain) -> None:
    told = [one["answer"] for one in of_kind(plain, "plan")]
    assert [text for text in told if "`__init__` (3 of 3), `__str__` (3 of 3)" in text]


def test_functions_that_are_only_imported_together_are_no_family(plain) -> None:
    told = [one["answer"] for one in of_kind(plain, "plan")]
    assert told and not any("find_" in text for text in told)


def test_every_claim_about_them_holds(plain: Sampled) -> None:
    assert plain.audit().wrong == []
