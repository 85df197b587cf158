"""Examples show an object in use, made as it usually is, from where its class is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from repobuild.code.usage.call_example import call_example
from repobuild.code.usage.document_text import read_document
from repobuild.code.usage.documents import _calls
from tests.cases.sampled import ALL_IN_ENGLISH, Sampled, answers
from tests.samples.test_contexts import Repository, clean, same

CODE = '''"""Text of several languages."""


class Text:
    """A text that is cut into words."""

    def __init__(self, language: str = "zh"):
        """Make a text of a language."""
        self.language = language

    def cut(self, line: str) -> list:
        """Cut a line into words."""
        return line.split()
'''
README = """# textile

```python
from textile.text import Text

text = Text()
text.cut("one line")
```

```python
text = Text()
print(text.cut("another line"))
```

English, too:

```python
english = Text(language="en")
```
"""


def example(code: str, name: str) -> str:
    lines = code.split("\n")
    row = next(row for row, line in enumerate(lines) if f" {name}(" in line)
    found = call_example(lines, row, name)
    return found.code if found else ""


def test_an_object_is_shown_as_it_is_usually_made_and_used(tmp_path: Path) -> None:
    """A special option shows more of the signature, and less of the use."""
    files = {"textile/text.py": CODE, "README.md": README, "textile/__init__.py": ""}
    sampled = Sampled(tmp_path, files, **ALL_IN_ENGLISH)
    (answer,) = answers(sampled, "usage", "textile/text.py::Text")
    assert 'text = Text()\ntext.cut("one line")\n' in answer
    assert sampled.audit().wrong == []


@pytest.mark.parametrize(
    ("below", "shown"),
    [
        ("    value = yield event", True),
        ("    yield event", True),
        ("    event.cancel(1)", True),
        ("    other = 1\n    event.cancel(1)", True),
        ("    assert event.value", False),
        ("    thread = Thread(event)", False),
        ("    print(event.value)\n    event.run()", True),
        ("    if delay:\n        event.cancel(1)", False),
        ("    return event", False),
        ("    event.cancel(unknown)", False),
    ],
)
def test_what_is_made_is_shown_with_the_first_line_that_uses_it(
    below: str, shown: bool
) -> None:
    code = f"def wait(delay):\n    event = Timeout(delay)\n{below}\n"
    found = example(code, "Timeout")
    assert "event = Timeout(delay)" in found
    assert (below.rpartition("\n")[2] in found) == shown


def test_a_line_that_waits_is_shown_in_its_function_only() -> None:
    code = "event = Timeout(3)\nvalue = await event\n"
    assert example(f"x = 1\n{code}", "Timeout") == "event = Timeout(3)"


def test_an_object_that_nothing_uses_is_told_with_its_methods(tmp_path: Path) -> None:
    readme = '# textile\n\n```python\ntext = Text(language="en")\n```\n'
    files = {"textile/text.py": CODE, "README.md": readme, "textile/__init__.py": ""}
    sampled = Sampled(tmp_path, files, **ALL_IN_ENGLISH)
    (answer,) = answers(sampled, "usage", "textile/text.py::Text")
    assert "**Among its methods**: `cut`\n" in answer  # the other one is private
    assert sampled.audit().wrong == []


def test_an_item_of_a_list_is_quoted_without_its_comma(tmp_path: Path) -> None:
    """`Text(),` would make a tuple."""
    items = "    # In English.\n    Text(language='en'),\n"
    readme = f"# textile\n\n```python\nconfigure([\n{items}])\n```\n"
    files = {"textile/text.py": CODE, "README.md": readme, "textile/__init__.py": ""}
    sampled = Sampled(tmp_path, files, **ALL_IN_ENGLISH)
    (answer,) = answers(sampled, "usage", "textile/text.py::Text")
    assert "\nText(language='en')\n" in answer
    assert sampled.audit().wrong == []


def test_an_object_of_a_dotted_name_is_shown_in_use() -> None:
    text = "# a\n\n```python\nimport desk\n\nlamp = desk.Lamp(3)\nlamp.light()\n```\n"
    calls = _calls(read_document(text, is_rst=False))
    assert calls["desk.Lamp"][1].endswith("lamp = desk.Lamp(3)\nlamp.light()")


def test_a_special_option_is_no_better_than_the_usual_way() -> None:
    calls = _calls(read_document(README, is_rst=False))
    assert calls["Text"][1].endswith('text = Text()\ntext.cut("one line")')


MOVED = """# textile

```python
from textile.{0} import cut

words = cut(3, 'line')
```
"""
HOME: dict[str, str] = {
    "textile/__init__.py": "",
    "textile/inner/__init__.py": "",
    "textile/inner/cutting.py": "def cut(number, line):\n"
    '    """Cut a line into words."""\n    return line\n',
}


@pytest.mark.parametrize(
    ("module", "is_there"),
    [("cutting", False), ("inner.cutting", True), ("inner", True)],
)
def test_an_example_that_imports_a_module_which_is_gone_is_no_example(
    module: str, is_there: bool
) -> None:
    text = MOVED.format(module)
    rows = clean(HOME | {"README.md": text})
    assert ("example" in rows["textile/inner/cutting.py::cut"]) == is_there


def test_a_name_of_another_package_is_no_example() -> None:
    text = MOVED.format("inner").replace("textile.inner", "weaver")
    rows = clean(HOME | {"README.md": text})
    assert "example" not in rows["textile/inner/cutting.py::cut"]


def test_a_module_that_an_example_imports_comes_and_goes() -> None:
    sources = HOME | {"README.md": MOVED.format("cutting")}
    with_module: dict[str, Any] = sources | {"textile/cutting.py": "x = 1\n"}
    repository = Repository()
    for one in (sources, with_module, sources):
        same(repository.build(one), clean(one))
