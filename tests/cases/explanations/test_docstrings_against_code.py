"""What a docstring says is told where the code bears it out."""

from __future__ import annotations

from pathlib import Path

from repobuild.samples.text.docstring_parts import description
from tests.cases.sampled import ALL_IN_ENGLISH, Sampled, of_kind, sampled_fixture
from tests.repository import Repository
from tests.standard import Standard

SHELF = '''"""Shelves of books."""


class Disk:
    """What keeps the books."""

    def keep(self, book):
        """Keep a book."""
        return book


class Shelf:
    """A shelf that keeps books on a disk.

    :param int size: how many books it holds
    :param disk: `Disk` instance for books
    """

    def __init__(self, size, disk=Disk, **settings):
        self._disk = disk(**settings)
        self.size = size

    def put(self, place, book):
        """Put a book on the shelf."""
        return self._disk.keep((place, book))

    def __setitem__(self, place, book):
        """Put a book at a place. Calls :func:`Shelf.put` internally with care."""
        self._disk.keep((place, book))

    def add(self, book):
        """Add a book at the end. Calls :func:`Shelf.put` internally with care."""
        return self.put(self.size, book)
'''
PATH = "shop/shelf.py"


WAITS = """def wait(seconds):
    total = 0
    for second in range(seconds):
        total += second
        total *= 2
    return total
"""
STUB = 'def wait(seconds: int) -> int:\n    """Wait for some seconds."""\n'
BARE = "def wait(seconds: int) -> int: ...\n"
shop = sampled_fixture({"setup.cfg": "[metadata]\nname = shop\n", PATH: SHELF})


def test_a_call_that_the_code_does_not_make_is_not_told(shop: Sampled) -> None:
    told = "\n".join(shop.answers(f"{PATH}::Shelf.__setitem__"))
    assert "Put a book at a place." in told
    assert "internally" not in told
    assert "internally" in "\n".join(shop.answers(f"{PATH}::Shelf.add"))


def test_a_call_that_leaves_arguments_out_lists_them_with_the_others(
    shop: Sampled,
) -> None:
    [answer] = {one["answer"] for one in of_kind(shop, "construct", f"{PATH}::Shelf")}
    assert "Shelf(size)" in answer
    assert "- `disk`, default `Disk`\n- `**settings`" in answer


def test_the_samples_of_the_shelf_are_true(shop: Sampled) -> None:
    assert not shop.audit().wrong


def test_what_the_stub_beside_documents_is_not_said_to_have_no_docstring(
    tmp_path: Path,
) -> None:
    files = {"setup.cfg": "[metadata]\nname = shop\n", "shop/waits.py": WAITS}
    bare = Sampled(tmp_path / "bare", files, **ALL_IN_ENGLISH)
    told = Sampled(
        tmp_path / "told", files | {"shop/waits.pyi": STUB}, **ALL_IN_ENGLISH
    )
    for sampled, is_said in ((bare, True), (told, False)):
        text = "\n".join(sampled.answers("shop/waits.py::wait"))
        assert "def wait(seconds):" in text
        assert ("no docstring" in text) == is_said


def test_a_docstring_that_a_stub_gets_or_loses_is_noticed(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "repository")
    files = {"shop/waits.py": WAITS}
    repository.commit(files | {"shop/waits.pyi": BARE})
    standard = Standard(repository.git, tmp_path / "state")
    for text, is_told in ((BARE, False), (STUB, True), (BARE, False), (None, False)):
        repository.commit({"shop/waits.pyi": text})
        standard.build("samples")
        row = standard.table("contexts").get("shop/waits.py::wait")
        assert row.get("perhaps_documented", False) == is_told
    standard.close()


TURNS = """class Turns:
    class Timer:
        def __init__(self, step, first=None):
            self.step = step
            self.first = first

        def __call__(self, message):
            return self.step(message)

    @staticmethod
    def forward(day, hours):
        total = day
        for hour in range(hours):
            total += hour
        return total

    @staticmethod
    def backward(day, hours):
        total = day
        for hour in range(hours):
            total -= hour
        return total

    def size(self, message, limit):
        total = len(message)
        while total > limit:
            total -= limit
        return total
"""


def test_a_sketch_of_a_class_names_its_nested_classes_and_static_methods(
    tmp_path: Path,
) -> None:
    files = {"setup.cfg": "[metadata]\nname = shop\n", "shop/turns.py": TURNS}
    shop = Sampled(tmp_path, files, **ALL_IN_ENGLISH)
    [answer] = {
        one["answer"] for one in of_kind(shop, "sketch", "shop/turns.py::Turns")
    }
    assert "**Static methods among them**: `forward`, `backward`" in answer
    assert "**Nested classes**: `Timer`" in answer
    assert shop.audit().wrong == []
    told = {
        key: one | {"answer": one["answer"].replace("`Timer`", "`Clock`")}
        for key, one in shop.samples.items()
        if "Nested" in one["answer"]
    }
    assert {one.claim for one in shop.audit(told).wrong} == {"nested classes"}


PENS = """class Pen:
    def draw(self, x):
        return x


class Quill(Pen):
    def draw(self, x):
"""
LONG = "".join(f"        x = x * {n} + {n}\n" for n in range(60))


def test_an_override_of_what_nobody_explains_is_not_asked_for(tmp_path: Path) -> None:
    code = f"{PENS}{LONG}        return x\n"
    files = {"setup.cfg": "[metadata]\nname = shop\n", "shop/pens.py": code}
    shop = Sampled(tmp_path, files, **ALL_IN_ENGLISH)
    assert of_kind(shop, "sketch", "shop/pens.py::Quill.draw") == []
    assert of_kind(shop, "overrides")


def test_a_string_that_is_no_longer_the_default_is_not_told() -> None:
    text = "Where the server listens, default: '/run/shop'."
    assert description(text, '"/run/shop"') == text
    assert description(text, '"/var/run/shop"') == ""
    assert description(text, "None") == text
    assert description("The port, defaults to '80'.", "8080") == ""
