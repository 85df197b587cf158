"""The page of samples is for a look: whole, static, and harmless."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

from repobuild.samples.export.sample_page import write_page
from tests.cases.commands import repobuild, start
from tests.cases.verbs.test_review import FILES
from tests.repository import Repository
from tests.standard import Standard

HOSTILE = '''\
"""Shapes."""


def area(width: int, height: int) -> int:
    """Return <script>alert(1)</script> & the area "of" a \u202e rectangle's surface.

    It is made of </pre><img src=x onerror=alert(2)> the product of both numbers.
    """
    if width < 0:
        raise ValueError("</pre><script>alert(3)</script>")
    return width * height
'''


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def page_of(repository: Repository, folder: Path, seed: int = 1) -> str:
    standard = Standard(repository.git, folder / "state")
    standard.build()
    write_page(standard.open(), folder, "c" * 40, seed)
    standard.close()
    return (folder / "index.html").read_text("utf-8")


def test_text_of_the_repository_makes_no_element_of_the_page(repository, tmp_path):
    repository.commit(
        {"<b>.py": HOSTILE, "README.md": "# <i>Shapes</i>\n\nFlat ones.\n"}
    )
    page = page_of(repository, tmp_path / "page")
    tags = Tags()
    tags.feed(page)
    names = {tag for tag, _ in tags.found}
    assert "&lt;script&gt;alert(1)" in page
    assert not names & {"script", "img", "b", "i", "iframe", "a"}
    assert not any(name.startswith("on") for _, attrs in tags.found for name in attrs)
    assert "\u202e" not in page
    policies = [a["content"] for _, a in tags.found if "http-equiv" in a]
    assert len(policies) == 1 and policies[0].startswith("default-src 'none'")


def test_a_seed_draws_the_same_samples_again(repository, tmp_path):
    repository.commit({f"m{n}.py": FILES["shop/cart.py"] for n in range(20)})
    pages = [
        page_of(repository, tmp_path / str(n), seed) for n, seed in enumerate((1, 1, 2))
    ]
    assert pages[0] == pages[1]
    assert pages[0].replace("seed 1", "seed 2") != pages[2]
    assert pages[0].count("<article>") == 50


def test_the_page_is_exported_alone(tmp_path):
    place = start(tmp_path / "shop", FILES)
    repobuild(place, "--until", "dataset")
    out = tmp_path / "out"
    done = repobuild(place, "export", "dataset", "--format", "html", "-o", str(out))
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in out.iterdir()) == [
        ".repobuild-export.json",
        "index.html",
    ]
    assert "shop/cart.py:" in (out / "index.html").read_text()
