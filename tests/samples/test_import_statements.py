"""The imports of a file, and those of them that code needs."""

from __future__ import annotations

from repobuild.code.facts.parse import facts_of
from repobuild.samples.text.import_statements import (
    ImportsByName,
    changed_names,
    has_star_import,
    needed_imports,
    read_imports,
)

SOURCE = """import os.path
import numpy as np
from . import near
from pkg.io import read, write as put
from pkg.wide import (
    One,
    Two,
)
from other import thing  # a comment
"""
TARGETS = ["pkg/io.py", "pkg/io.py::read", "pkg/wide.py", "pkg/near.py"]


def known(source: str = SOURCE) -> ImportsByName:
    text = source.encode()
    return read_imports(facts_of(text, "python"), text, TARGETS)


def test_statements_are_known_by_the_names_they_bind() -> None:
    found = known()
    assert set(found) == {"os", "np", "near", "read", "put", "One", "Two", "thing"}
    assert found["put"][:3] == ("pkg.io", "write", "put")
    assert found["One"][:3] == ("pkg.wide", "One", "")


def test_only_the_projects_own_imports_are_internal() -> None:
    inside = {name for name, statement in known().items() if statement.internal}
    assert inside == {"near", "read", "put", "One", "Two"}


def test_code_needs_the_names_that_it_mentions_and_no_others() -> None:
    code = "def f(x):\n    return np.array(read(x).put)"
    assert needed_imports(code, known()) == [
        "import numpy as np",
        "from pkg.io import read",
    ]
    assert needed_imports(code, known(), internal=True) == ["from pkg.io import read"]


def test_text_in_a_formatted_string_needs_no_import() -> None:
    code = 'def f(x):\n    return f"One {read(x)} of Two"'
    assert needed_imports(code, known()) == ["from pkg.io import read"]
    quotes = "def f(x):\n    return f'\"{read(x)}\" of Two'"
    assert needed_imports(quotes, known()) == ["from pkg.io import read"]


def test_the_order_of_a_files_imports_does_not_change_the_needed_ones() -> None:
    sorted_otherwise = "\n".join(reversed(SOURCE.splitlines()[:4]))
    code = "def f(x):\n    return np.array(read(near))"
    wanted = [
        "import numpy as np",
        "from . import near",
        "from pkg.io import read",
    ]
    assert (
        needed_imports(code, known())
        == needed_imports(code, known(sorted_otherwise))
        == wanted
    )


def test_a_name_that_the_code_binds_needs_no_import() -> None:
    assert needed_imports("def f():\n    read = open\n    return read()", known()) == []
    assert needed_imports("for read in rows:\n    pass", known()) == []
    assert (
        needed_imports("def f(read):\n    return read()", known(), bound=["read"]) == []
    )
    assert needed_imports('print("read")\nf(read=1)', known()) == []
    assert needed_imports("def read(self):\n    return 1", known()) == []


def test_an_annotation_needs_its_import_with_and_without_a_default() -> None:
    wanted = ["from pkg.wide import One, Two"]
    assert needed_imports("def f(x: One = None, y: int | Two = 0): ...", known()) == (
        wanted
    )
    assert needed_imports("def f(x: One, y: Two): ...", known()) == wanted


def test_a_star_import_may_bring_any_name() -> None:
    starred = facts_of(b"from .wide import *\n", "python")
    assert has_star_import(starred)
    assert not has_star_import(facts_of(SOURCE.encode(), "python"))


def test_an_import_of_several_lines_is_needed_in_one() -> None:
    assert needed_imports("Two(One, read())", known(), internal=True) == [
        "from pkg.io import read",
        "from pkg.wide import One, Two",
    ]


def test_the_standard_library_is_not_the_projects_because_a_file_has_its_name() -> None:
    text = b"import typing\nfrom pkg._compat.typing import Self\n"
    found = read_imports(facts_of(text, "python"), text, ["pkg/_compat/typing.py"])
    assert {name for name, one in found.items() if one.internal} == {"Self"}


def test_a_reordered_import_changes_no_name() -> None:
    lines = SOURCE.split("\n")
    moved = "\n".join(["", *lines[1:], lines[0]])
    assert changed_names(known(), known(moved)) == set()
    changed = SOURCE.replace("write as put", "copy as put")
    assert changed_names(known(), known(changed)) == {"put"}
