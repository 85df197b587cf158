"""Whatever a repository names, the summary shows it and nothing else happens."""

from __future__ import annotations

import copy
import re
from html import unescape
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from repobuild.ci.markdown_text import code, differing
from repobuild.ci.summary_page import summary_page

HOSTILE = [
    "`x` | y",
    "``` ```` `",
    "<script>alert(1)</script>",
    "<!-- -->\n# Approved by @maintainer",
    "@everyone #1 GH-7 https://evil.example/x?y=z",
    "![](https://evil.example/pixel.png)",
    "[x](javascript:alert(1))",
    "a\r\n\n- [x] merged\n",
    "</code></li></ul><img src=x onerror=alert(1)>",
    "\u202egnp.exe\u2028- item\x1b[31m",
    "` ",
    "   ",
    "`",
    "*a* _b_ ~~c~~ $d$ :tada: &lt;",
]
MARKDOWN = MarkdownIt("gfm-like", {"html": True, "linkify": False})
TAGS = {"h3", "h4", "p", "ul", "li", "strong", "code", "table", "thead", "tbody"}
TAGS |= {"tr", "th", "td"}


def facts(text: str) -> dict[str, Any]:
    """Return the facts of a summary in which everything of a repository is `text`."""
    item = {"what": "added", "name": text}
    counts = {"added": 1, "changed": 0, "removed": 0}
    return {
        "base": "a" * 40,
        "head": "b" * 40,
        "files": {**counts, "names": [item]},
        "elements": {**counts, "names": [item]},
        "samples": {**counts, "names": [], "tasks": {}},
        "settings": [{"name": "project.name", "old": "", "new": text}],
        "cost": {"tokens": 1, "seconds": 1.0, "runs": 1, "text": "", "why": text},
        "answers": {
            "count": 1,
            "items": [{"question": text, "old": text, "new": f"{text}!"}],
        },
        "licences": {
            "count": 1,
            "items": [{"path": text, "old": "MIT", "new": "ISC", "denied": True}],
        },
        "secrets": {"count": 1, "items": [{"path": text, "line": 1, "kind": "Token"}]},
        "untrusted": [text],
        "changed_rules": [text],
        "withheld": [],
    }


def tags(html: str) -> list[str]:
    return re.findall(r"<[^>]*>", html)


def without_codes(html: str) -> str:
    return re.sub(r"<code>.*?</code>", "<code></code>", html, flags=re.DOTALL)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_name_makes_nothing_but_code(text: str):
    html = MARKDOWN.render(summary_page(facts(text)))
    plain = MARKDOWN.render(summary_page(facts("plain")))
    found = {tag.strip("</>").partition(" ")[0] for tag in tags(html)}
    assert found <= TAGS
    skeleton, expected = without_codes(html), without_codes(plain)
    if text.strip():  # else it is shown as "(empty)", outside of code
        assert skeleton == expected


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from("`|<>!-#@*_[]()\\ \n\ta&;~$'\""), max_size=40))
def test_a_code_span_shows_its_text_whatever_it_is(text: str):
    html = MARKDOWN.render(f"- {code(text)} after")
    found = re.fullmatch(
        r"<ul>\n<li>(?:<code>(.*)</code>|\(empty\)) after</li>\n</ul>\n", html
    )
    assert found
    if found[1] is not None:
        # A code span is shown with its outer spaces, and inner ones as they are.
        shown = text.replace("\t", " ").replace("\n", "\\n")
        assert unescape(found[1]) == shown


def test_answers_are_cut_to_where_they_differ():
    same = "The same beginning of a long answer. " * 20
    old, new = differing(same + "before", same + "after", limit=80)
    assert "before" in old and "after" in new and max(len(old), len(new)) < 90


def test_lists_are_cut_with_the_number_of_the_rest():
    many = facts("x")
    many["answers"] = {
        "count": 1234,
        "items": [copy.deepcopy(many["answers"]["items"][0]) for _ in range(1000)],
    }
    page = summary_page(many)
    assert "- and 1,214 more" in page and page.count("will be:") == 20
    assert "1,234 answers will change." in page
