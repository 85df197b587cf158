"""Task `assertion_completion`: what a test expects, given the code before it.

The question shows the imports that the test needs and the test up to a cut in one of
its assertions; the answer is the rest of that line. text/expectation.py chooses the
cut. Nothing after the cut is shown, because later lines often repeat the expectation.
"""

from __future__ import annotations

from collections.abc import Iterator

from repobuild.samples.tasks.completion import MASK
from repobuild.samples.tasks.facts import Fact, FactScope, MaskedCode


def facts(scope: FactScope) -> Iterator[Fact]:
    hidden = str(scope.get("hidden"))
    if not hidden:
        return
    imports = "".join(f"{line}\n" for line in scope.get("needs") or [])
    before = f"{imports}\n\n{scope.get('before')}" if imports else scope.get("before")
    fields = {"code": f"{before}{MASK}", "mark": f"`{MASK}`"}
    answer = scope.answer("assertion", body=hidden)
    masked = MaskedCode(before, "")
    yield Fact("assertion", answer, (scope.id,), "hard", fields, masked)
