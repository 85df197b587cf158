"""The documents are a site without a dead link, and whole without it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PICTURES = sorted((ROOT / "docs").glob("**/*.svg"))


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_every_page_is_in_the_navigation() -> None:
    text = (ROOT / "mkdocs.yml").read_text("utf-8")
    pages = {
        p.relative_to(ROOT / "docs").as_posix() for p in (ROOT / "docs").glob("**/*.md")
    }
    assert set(re.findall(r"- ([\w/-]+\.md)", text)) == pages


def test_links_between_pages_lead_to_files() -> None:
    dead = []
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("**/*.md")]:
        whole = page.read_text("utf-8")
        text = re.sub(r"```.*?```|`[^`]*`", "", whole, flags=re.DOTALL)
        for link in re.findall(r"\]\(([^)#\s]+)", text):
            if "://" not in link and not (page.parent / link).exists():
                dead.append(f"{page.name}: {link}")
    assert dead == []


def test_a_photograph_of_a_page_is_small():
    found = [
        p for kind in ("webp", "png") for p in (ROOT / "docs").glob(f"**/*.{kind}")
    ]
    assert {p.name: p.stat().st_size for p in found if p.stat().st_size > 200_000} == {}


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.stem)
def test_a_picture_is_small_and_asks_no_other_host(picture: Path) -> None:
    text = picture.read_text("utf-8")
    assert len(text) < 20_000
    assert "@font-face" not in text and "href=" not in text and "<script" not in text
