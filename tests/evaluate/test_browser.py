"""The page in Chromium: light, dark, narrow, wide and printed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from repobuild.evaluate.page.page import render_page
from tests import chromium, pages
from tests.chromium import PALE, WIDER, Browser, Tab

pytestmark = pytest.mark.skipif(
    not chromium.installed(), reason="chromium is not installed (.ci/run installs it)"
)

NAME = pages.HOSTILE + pages.RIGHT_TO_LEFT + pages.LONG
Open = Callable[..., Tab]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Return a function that opens a document; close its tabs at the end."""
    tabs: list[Tab] = []

    def opened(html: str, *given: Any) -> Tab:
        path = tmp_path / f"{len(tabs)}.html"
        path.write_text(html, "utf-8", "replace")
        tabs.append(browser.open(path.as_uri(), *given))
        return tabs[-1]

    yield opened
    for tab in tabs:
        tab.close()


@pytest.mark.parametrize("commits", [1, 2, 40])
def test_a_page_is_drawn_without_a_console_error(show: Open, commits: int) -> None:
    tab = show(render_page(pages.make_report("click", commits)))
    assert tab.errors() == []
    assert tab.value("document.querySelector('h1 bdi').textContent") == "click"
    drawn = "[...document.querySelectorAll('svg')].map(s => s.getBoundingClientRect())"
    widths = tab.value(f"{drawn}.map(box => Math.min(box.width, box.height))")
    assert len(widths) == (1 if commits == 1 else 6)
    assert min(widths) > 100
    rows = "document.querySelectorAll('#chain ~ * tbody th code, #chain ~ .scroll th')"
    assert tab.value(f"{rows}.length") >= commits


def test_the_page_requests_nothing(show: Open) -> None:
    tab = show(render_page(pages.make_report(NAME)))
    asked = [url for url in tab.requests() if not url.startswith(("file:", "data:"))]
    assert asked == []


@pytest.mark.parametrize(
    "planted",
    [
        "<script>throw new Error('planted')</script>",
        "<script>console.error('planted')</script>",
        "<script src='missing.js'></script>",
        "<img src='missing.png'>",
        "<style>@font-face { font-family: x; src: url(missing.woff) } "
        "body { font-family: x }</style>",
    ],
)
@pytest.mark.parametrize("guarded", [True, False], ids=["policy", "no policy"])
def test_a_planted_error_is_found(show: Open, planted: str, guarded: bool) -> None:
    html = render_page(pages.make_report())
    if not guarded:
        html = html.replace("Content-Security-Policy", "X-Nothing")
    assert show(html).errors() == []
    assert show(html.replace("<main>", f"<main>{planted}")).errors() != []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_is_legible(show: Open, scheme: str) -> None:
    tab = show(render_page(pages.make_report("click", 12)), 1280, scheme)
    background = tab.value("getComputedStyle(document.body).backgroundColor")
    level = sum(int(part) for part in background[4:-1].split(",")) / 3
    assert level > 240 if scheme == "light" else level < 40
    tab.value("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert tab.value(PALE) == []


def test_planted_pale_text_and_a_wide_element_are_found(show: Open) -> None:
    planted = (
        '<p style="color: #bbb">pale</p>'
        '<svg viewBox="0 0 9 9"><text style="fill: #ccc" y="9">pale</text></svg>'
        '<p style="width: 2000px">wide</p>'
    )
    tab = show(render_page(pages.make_report()).replace("<main>", f"<main>{planted}"))
    assert [text[5:] for text in tab.value(PALE)] == ["pale", "pale"]
    assert len(tab.value(WIDER)) == 1


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("text", ["click", NAME], ids=["plain", "hostile"])
def test_no_element_is_wider_than_the_window(show: Open, width: int, text: str) -> None:
    tab = show(render_page(pages.make_report(text, 6)), width)
    tab.value("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert tab.value("innerWidth") == width
    assert tab.value("document.documentElement.scrollWidth") <= width
    assert tab.value(WIDER) == []


def test_text_in_a_plot_is_legible_on_a_phone(show: Open) -> None:
    tab = show(render_page(pages.make_report("click", 40)), 360)
    texts = "[...document.querySelectorAll('svg text')]"
    heights = tab.value(f"{texts}.map(t => t.getBoundingClientRect().height)")
    assert min(heights) >= 10


def test_hostile_text_is_shown_as_text(show: Open) -> None:
    tab = show(render_page(pages.make_report(NAME, 3)))
    assert tab.errors() == []
    assert tab.value("document.querySelector('h1 bdi').textContent") == NAME
    assert tab.value("document.querySelectorAll('script, img, iframe').length") == 0
    assert tab.value("document.title").startswith(pages.HOSTILE)


def test_the_page_can_be_read_by_keyboard(show: Open) -> None:
    tab = show(render_page(pages.make_report("click", 2)))
    tab.press("Tab", 9)
    assert tab.value("document.activeElement.getAttribute('href')") == "#scores"
    assert tab.value("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    reached = "[...document.querySelectorAll('summary, .scroll')].map(e => e.tabIndex)"
    assert set(tab.value(reached)) == {0}
    tab.value("document.querySelector('details.question:not([open]) summary').focus()")
    is_open = "document.activeElement.parentElement.open"
    assert tab.value(is_open) is False
    tab.press("Enter", 13)
    assert tab.value(is_open) is True


def test_folded_parts_are_printed_on_white(show: Open) -> None:
    tab = show(render_page(pages.make_report("click", 2)), 1280, "dark")
    folded = "document.querySelector('details.question:not([open]) pre')"
    assert tab.value(f"{folded}.checkVisibility()") is False
    tab.show("dark", media="print")
    assert tab.value(f"{folded}.checkVisibility()") is True
    background = "getComputedStyle(document.body).backgroundColor"
    assert tab.value(background) == "rgb(255, 255, 255)"
    assert tab.value(PALE) == []
    assert len(tab.pdf()) > 10_000
