"""Map the `links` setting of `configs/languages/*.toml` to its link rules."""

from __future__ import annotations

from repobuild.code.resolve.linked.c import CRules
from repobuild.code.resolve.linked.go import GoRules
from repobuild.code.resolve.linked.java import JavaRules
from repobuild.code.resolve.linked.javascript import JavaScriptRules
from repobuild.code.resolve.linked.link_rules import LinkRules
from repobuild.code.resolve.linked.rust import RustRules

RULES: dict[str, type[LinkRules]] = {
    "c": CRules,  # and C++
    "go": GoRules,
    "java": JavaRules,
    "javascript": JavaScriptRules,  # and TypeScript
    "rust": RustRules,
}
