"""Task `import_completion`: which imports of the project a piece of code needs.

The answer is the import statements as the file has them. Only imports from the project
itself are asked for: where its names come from is a fact of the repository, `import os`
is not.
"""

from __future__ import annotations

from collections.abc import Iterator

from repobuild.samples.tasks.completion import MASK
from repobuild.samples.tasks.facts import Fact, FactScope, MaskedCode


def facts(scope: FactScope) -> Iterator[Fact]:
    lines = scope.get("needs") or []
    if not lines or not scope.get("body"):
        return
    code = f"\n\n\n{scope.get('head')}\n{scope.get('body')}"
    fields = {"code": f"{MASK}{code}", "mark": f"`{MASK}`"}
    answer = scope.answer("needs", body="\n".join(lines))
    masked = MaskedCode("", code)
    yield Fact("needs", answer, (scope.id,), "medium", fields, masked)
