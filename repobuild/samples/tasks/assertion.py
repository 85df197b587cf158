"""Task `assertion_completion`: what a test expects, from what stands before it.

The imports that the test needs, the test up to a cut in one of its assertions, and the
rest of that line hidden: what expectation.py chose. Nothing after the cut is shown, for
the lines that follow often say what was expected.
"""

from __future__ import annotations

from collections.abc import Iterator

from repobuild.samples.tasks.completion import MARK
from repobuild.samples.tasks.facts import Fact, FactScope, MaskedCode


def facts(about: FactScope) -> Iterator[Fact]:
    hidden = str(about.get("hidden"))
    if not hidden:
        return
    imports = "".join(f"{line}\n" for line in about.get("needs") or [])
    before = f"{imports}\n\n{about.get('before')}" if imports else about.get("before")
    fields = {"code": f"{before}{MARK}", "mark": f"`{MARK}`"}
    answer = about.answer("assertion", body=hidden)
    hole = MaskedCode(before, "")
    yield Fact("assertion", answer, (about.id,), "hard", fields, hole)
