"""Questions are in the languages of README and documents, unless they are chosen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from repobuild.code.usage.documents import documents
from repobuild.code.usage.prose_language import is_chinese
from repobuild.samples.dataset.all_samples import AllSamples
from tests.fakes import MemoryView
from tests.promises.edits import REGULAR
from tests.repository import Repository
from tests.standard import Standard

CODE = '''def price_of(item, discount=0):
    """Return the price of an item after its discount."""
    return item.price - discount


def total(items):
    """Return the sum of all prices."""
    return sum(price_of(item) for item in items)
'''
ENGLISH = (
    "# Shop\n\nShop adds up the prices of what a customer has put into the basket.\n"
)
CHINESE = (
    "# Shop\n\nShop 用来计算购物车里所有商品的总价，并支持折扣。安装之后即可使用。\n"
)


def languages_of(folder: Path, *steps: dict[str, Any], **settings: Any) -> list[str]:
    """Commit and build step by step; return the languages of the samples then."""
    repository = Repository(folder / "repository")
    standard = Standard(repository.git, folder / "state", **settings)
    for files in steps:
        repository.commit(files)
        standard.build("dataset")
    build = standard.open()
    found = {sample["language"] for _, sample in AllSamples.of(build).entries()}
    standard.close()
    return sorted(found)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, ["en"]),
        ({"README.md": ENGLISH}, ["en"]),
        ({"README.md": CHINESE}, ["zh"]),
        ({"README.md": ENGLISH, "README_zh.md": CHINESE}, ["en", "zh"]),
        ({"README.md": CHINESE, "docs/guide.md": ENGLISH * 9}, ["en", "zh"]),
        ({"README.md": CHINESE * 9, "docs/note.md": ENGLISH}, ["zh"]),
    ],
)
def test_languages_are_those_of_the_documents(
    tmp_path: Path, files: dict[str, str], expected: list[str]
) -> None:
    auto = {"samples.languages": "auto"}
    assert languages_of(tmp_path, {"shop.py": CODE, **files}, **auto) == expected


def test_a_list_in_the_settings_decides(tmp_path: Path) -> None:
    files = {"shop.py": CODE, "README.md": CHINESE}
    assert languages_of(tmp_path, files, **{"samples.languages": ["en"]}) == ["en"]


def test_samples_follow_when_the_readme_is_translated(tmp_path: Path) -> None:
    auto = {"samples.languages": "auto"}
    steps = ({"shop.py": CODE, "README.md": ENGLISH}, {"README.md": CHINESE})
    assert languages_of(tmp_path / "one", *steps, **auto) == ["zh"]
    assert languages_of(tmp_path / "two", *steps[::-1], **auto) == ["en"]


def test_the_row_of_the_documents_is_kept_up_to_date() -> None:
    view = MemoryView({"project.max_file_bytes": 1_000_000})
    view.blobs = {text: text.encode() for text in (ENGLISH, CHINESE)}
    for texts in (
        {"README.md": ENGLISH},
        {"README.md": ENGLISH, "docs/a.md": CHINESE},
        {"README.md": CHINESE},
        {"docs/a.md": ENGLISH},
        {},
    ):
        rows = {
            path: {"blob": text, "language": "", "mode": REGULAR}
            for path, text in texts.items()
        }
        documents(view.advance(files=rows))
        clean = MemoryView(view.settings)
        clean.blobs = view.blobs
        documents(clean.advance(files=rows))
        assert view.own.rows == clean.own.rows


def test_japanese_is_no_chinese() -> None:
    assert is_chinese("计算两个分布之间的最大均值差异 (MMD)。")
    assert not is_chinese("二つの分布の間の最大平均差異を計算します。")
    assert not is_chinese("Return the distance.")
