"""Task `import_completion`: which imports of the project a piece of code needs.

The answer is the statement as the file has it. Only imports from the project itself are
asked for: where its names come from is a fact of the repository, `import os` is not.
"""

from __future__ import annotations

from collections.abc import Iterator

from repobuild.samples.tasks.completion import MARK
from repobuild.samples.tasks.facts import Fact, FactScope, MaskedCode


def facts(about: FactScope) -> Iterator[Fact]:
    lines = about.get("needs") or []
    if not lines or not about.get("body"):
        return
    code = f"\n\n\n{about.get('head')}\n{about.get('body')}"
    fields = {"code": f"{MARK}{code}", "mark": f"`{MARK}`"}
    answer = about.answer("needs", body="\n".join(lines))
    yield Fact("needs", answer, (about.id,), "medium", fields, MaskedCode("", code))
