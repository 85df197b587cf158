"""What a docstring says is told where the code bears it out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases.sampled import ALL_IN_ENGLISH, Sampled, of_kind

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


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Sampled:
    files = {"setup.cfg": "[metadata]\nname = shop\n", PATH: SHELF}
    folder: Path = tmp_path_factory.mktemp("shop")
    return Sampled(folder, files, **ALL_IN_ENGLISH)


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
