"""What each kind of answer is made of, and what each of its fields claims.

`STRUCTURE`: kind -> the parts that follow the frame of its answer, "?" for those that
may be absent, "|" between alternatives, "#" for numbered steps (`STEPS` says which).

`CLAIMS`: (frame or part, field) -> the claim, a name in `checks.py`. "" for the frame
stands for all frames that have no entry of their own. A kind or field that is not here
is an error: nobody can add a kind of sample without its check.
"""

from __future__ import annotations

from collections.abc import Mapping

STEP = "#"
REPEATED = "change_default*"
_HEAD = "signature|definition?"
_TRACE = ("reasoning?", "trace_code?")

STRUCTURE: Mapping[str, tuple[str, ...]] = {
    "location": (),
    "lines": (),
    "contents": (),
    "sections": (),
    "reverse": (),
    "container": (),
    "heading": (),
    "explain": ("container?", "summary?", _HEAD, "parameters?", "returns?"),
    "module": ("summary?", "defines?"),
    "members": (),
    "sketch": (_HEAD, "calls"),
    "code": (),
    "describe": (),
    "passage": (),
    "usage": ("parameters?", "returns?", "brief?"),
    "construct": (),
    "signature": (),
    "callers": (),
    "callees": (),
    "bases": (),
    "subclasses": (),
    "overrides": (),
    "overridden": (),
    "tests": (),
    "imports": (),
    "importers": (),
    "extend": (STEP, *_TRACE),
    "place": ("module_summary?", "used_by", "calls", *_TRACE),
    "example": ("reasoning",),
    "change": (STEP, *_TRACE),
    "steps": (STEP, *_TRACE),
    "similar": ("summary?", "class_summary?", *_TRACE),
    "trace": ("reasoning",),
    "body": (),
    "line": (),
    "assertion": (),
    "needs": (),
    "changed": (
        "change_signature?", "change_added?", "change_removed?", REPEATED,
        "change_summary|change_doc|change_no_doc?", "change_lines|change_body?",
    ),
    "added": (),
    "removed": (),
    "moved": (),
    "renamed": (),
    "came": (),
    "absent": (),
    "former": (),
    "removed_file": (),
    "renamed_file": (),
    "purpose": (),
    "modules": (),
    "technologies": (),
    "architecture": ("modules?",),
    "statistics": (),
}  # fmt: skip

# The parts that a kind's steps are; () for a mention, with what it is for.
STEPS: Mapping[str, tuple[str, ...]] = {
    "extend": ("step_subclass", "step_methods", "step_users", "step_tests"),
    "change": (
        "step_read", "step_overrides", "step_overridden", "step_subclasses",
        "step_callers", "step_run",
    ),
    "steps": (),
}  # fmt: skip

# The parts that the steps of a reasoning are.
REASONING = tuple(
    "graph_callers graph_callees graph_bases pattern_overrides pattern_overridden"
    " pattern_subclasses pattern_bases pattern_container pattern_function trace_call"
    " trace_members trace_tests".split()
)

INLINE = frozenset({"trace_call"})  # parts whose code stands in the line

CLAIMS: Mapping[tuple[str, str], str] = {
    ("", "name"): "name",
    ("", "short"): "own name",
    ("container", "short"): "short name",
    ("", "kind"): "kind",
    ("", "path"): "path",
    ("", "project"): "project",
    ("", "container"): "container",
    ("", "fence"): "language",
    ("", "mark"): "mark",
    ("", "summary"): "summary",
    ("class_summary", "summary"): "container summary",
    ("module_summary", "summary"): "module summary",
    ("", "start"): "first line",
    ("", "end"): "last line",
    ("", "base"): "bases",
    ("heading", "name"): "section",
    ("passage", "name"): "section",
    ("passage", "text"): "passage",
    ("describe", "code"): "code",
    ("code", "code"): "code",
    ("signature", "code"): "signature",
    ("definition", "code"): "signature",
    ("usage", "code"): "example call",
    ("construct", "code"): "constructor",
    ("trace_code", "code"): "signature",
    ("parameters", "items"): "parameters",
    ("returns", "returns"): "returns",
    ("body", "code"): "hole",
    ("body", "body"): "hole",
    ("line", "code"): "hole",
    ("line", "body"): "hole",
    ("assertion", "code"): "assertion",
    ("assertion", "body"): "assertion",
    ("needs", "code"): "needed imports",
    ("needs", "body"): "needed imports",
    ("contents", "members"): "contents",
    ("defines", "members"): "contents",
    ("members", "members"): "methods",
    ("step_methods", "members"): "methods",
    ("sections", "members"): "sections",
    ("callers", "members"): "callers",
    ("used_by", "members"): "callers",
    ("graph_callers", "members"): "callers",
    ("step_users", "members"): "callers",
    ("step_callers", "members"): "callers",
    ("callees", "members"): "callees",
    ("calls", "members"): "callees",
    ("graph_callees", "members"): "callees",
    ("bases", "members"): "bases",
    ("graph_bases", "members"): "bases",
    ("pattern_bases", "members"): "bases",
    ("subclasses", "members"): "subclasses",
    ("pattern_subclasses", "members"): "subclasses",
    ("step_subclasses", "members"): "subclasses",
    ("step_subclass", "model"): "subclasses",
    ("overrides", "members"): "overrides",
    ("pattern_overrides", "members"): "overrides",
    ("overridden", "members"): "overridden",
    ("pattern_overridden", "members"): "overridden",
    ("step_overridden", "members"): "overridden",
    ("pattern_container", "members"): "quoted container",
    ("pattern_function", "members"): "callers",
    ("trace_members", "members"): "methods with lines",
    ("trace_call", "line"): "called line",
    ("trace_call", "code"): "called line",
    ("trace_call", "members"): "callees",
    ("reasoning", "items"): "reasoning",
    ("step_overrides", "members"): "overrides",
    ("tests", "members"): "tests",
    ("trace_tests", "members"): "tests",
    ("step_tests", "members"): "tests",
    ("step_run", "members"): "tests",
    ("imports", "members"): "imports",
    ("importers", "members"): "importers",
    ("purpose", "description"): "description",
    ("modules", "members"): "key modules",
    ("modules", "items"): "key modules with purpose",
    ("technologies", "members"): "technologies",
    ("architecture", "style"): "style",
    ("statistics", "files"): "files",
    ("statistics", "classes"): "classes",
    ("statistics", "functions"): "functions",
    ("statistics", "methods"): "methods counted",
    ("", "steps"): "steps",
}
