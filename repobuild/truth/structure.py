"""Define what each kind of answer consists of, and what each of its fields claims.

To add the check of a new task type, begin here:

1. Enter every kind (a table `[kind]` with `task` in `configs/questions/*.toml`) in
   `STRUCTURE`, with the parts (`[parts]` of the same file) that follow its answer
   template, in their order. Notation: "part?" may be absent, "a|b" is one of two,
   `REPEATED` any number of "**Default of** ..." paragraphs.
2. If the answer has numbered steps, enter the parts that a step can be in `STEP_PARTS`.
3. Enter every field of the answer in `CLAIMS`: (kind or part, field) -> the claim's
   name. The part "" holds for all kinds and parts without an entry of their own. Most
   fields (`name`, `path`, `summary` ...) are there already and need nothing.
4. For a new claim, write a function `check(subject, claimed)` that returns "" when the
   claim holds, else what the tree says, and enter it under the claim's name in the
   table at the end of its module in `claims/`: `LOCAL_CLAIMS` when the sample's own
   file proves it, `RELATION_CLAIMS` or `PROJECT_CLAIMS` when other files are needed.
   The latter take `check(index, claim)` and run when all files are read.
5. Make a sample of the kind appear in `tests/truth_world.py`, and add a changed fact
   that has to be noticed to `TEXTS` or `TREES` of `tests/truth/test_truth.py`.

How a claim finds its check: `sample_check.py` matches the text, looks up (part, field)
of every field in `CLAIMS`, and the resulting name in the tables of `claims/`. Kinds
about commits and plans are the exception: `claims/change_claims.py` and
`claims/plans/` check their fields by kind. A step of a plan is a part with a check in a
table of `claims/plans/`.
A kind or a field without an entry is an error, so no sample goes unchecked.
"""

from __future__ import annotations

from collections.abc import Mapping

REPEATED = "change_default*"
_HEAD = "signature|definition?"
_PLAN = (
    "plan_reasoning", "plan_steps", "plan_code|plan_outline?",
)  # fmt: skip

_UNDER = "under_if|under_else|under_try?"

_SKETCH = (
    "container|owner|bound?", "empty?",
    "no_docstring|no_comment|no_purpose|only_name|stale?", _UNDER,
    "said_above|said_in|said_of_base|said_of_init|class_summary?",
    "short_code|signature|definition?", "settable?", "deprecated?", "stub?",
    "created?", "attributes?", "properties?", "method_list|some_methods?",
    "static_methods?", "nested_classes?", "aliases?",
    "parameters?", "raised?", "derived?", "replaces?", "replaced_by?", "calls?",
    "property_reads?",
    "used_by|made_by?", "read_by|referred_by?", "tested_by?",
)  # fmt: skip

STRUCTURE: Mapping[str, tuple[str, ...]] = {
    "location": (),
    "lines": (),
    "contents": ("constants?", "other_public_names?"),
    "sections": (),
    "reverse": (),
    "container": (),
    "heading": (),
    "explain": (
        "container|owner|bound?", "empty?", _UNDER, "deprecated?", "summary?",
        "warned?", _HEAD,
        "settable?", "parameters?", "undeclared?", "returns?", "calls?",
        "used_by|made_by?", "short_code?",
    ),
    "module": ("summary?", "defines?", "constants?", "other_public_names?"),
    "members": ("properties?", "aliases?", "members_under?", "definition?"),
    "sketch": _SKETCH,
    "written": _SKETCH,
    "code": (_UNDER,),
    "describe": (_UNDER,),
    "passage": ("passage_code?",),
    "usage": (
        "container|owner|bound?", "deprecated?",
        "called_in|called_in_docstring|by_signature", _HEAD, "parameters?", "returns?",
        "some_methods?", "brief?", "warned?",
    ),
    "construct": ("all_defaults?", "parameters?"),
    "signature": ("no_arguments|all_defaults?",),
    "callers": ("calls_itself?", "open_callers?", "read_by?"),
    "callees": (),
    "bases": ("foreign_bases?",),
    "subclasses": (),
    "overrides": (),
    "overridden": (),
    "tests": (),
    "readers": (),
    "imports": ("imported_for_types?", "imports_unread?"),
    "importers": ("imported_aside?", "taken_by?"),
    "place": (
        "reasoning?", "summary?", "module_summary?", "used_by|made_by", "calls",
        "trace_code?",
    ),
    "example": ("reasoning",),
    "change": ("steps",),
    "steps": (_UNDER, "parts"),
    "similar": ("reasoning", "summary?", "warned?", "class_summary?", "short_code"),
    "trace": ("summary?", "reasoning"),
    "plan": _PLAN,
    "plan_like": _PLAN,
    "plan_need": _PLAN,
    "plan_files": (),
    "together": (),
    "package_parts": (),
    "body": (),
    "line": (),
    "assertion": (),
    "needs": (),
    "changed": (
        "change_signature?", "change_added?", "change_removed?", REPEATED,
        "change_summary|change_documented|change_doc|change_no_doc?",
        "change_lines|change_body?",
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
    "technologies": ("imports_by_extras?", "imports_besides?"),
    "architecture": ("modules?",),
    "statistics": ("of_tests?", "of_documents?"),
    "tagline": (),
    "install": (),
    "install_told": ("install_then?",),
    "published": (),
    "commands": ("run_modules?",),
    "dependencies": ("needed_sometimes?", "extras?", "dev_packages?"),
    "independent": (
        "none_declared|none_always", "needed_sometimes?", "extras?", "dev_packages?",
    ),
    "test_folders": (),
    "doc_folders": (),
    "licence_needed": ("licence_text?",),
    "python_needed": (),
    "distributions": (),
}  # fmt: skip

# The parts that a step of a kind can be.
STEP_PARTS: Mapping[str, tuple[str, ...]] = {
    "change": (
        "step_overridden", "step_callers", "step_readers", "step_other_names",
        "step_run", "step_run_users",
    ),
}  # fmt: skip

# The parts that a step of a reasoning can be.
REASONING_PARTS = tuple(
    "graph_callers graph_callees graph_bases pattern_overrides pattern_overridden"
    " pattern_subclasses pattern_bases trace_call trace_line trace_call_under"
    " trace_line_under trace_head trace_base trace_super"
    " trace_members trace_tests".split()
)

# Parts with code inside of a line.
INLINE_CODE = frozenset(
    "trace_call trace_line trace_call_under trace_line_under trace_head"
    " trace_base trace_super".split()
)

# The names are keys of what `repobuild verify --samples --json` prints: they stay.
CLAIMS: Mapping[tuple[str, str], str] = {
    ("", "name"): "name",
    ("", "short"): "own name",
    ("container", "short"): "short name",
    ("", "kind"): "kind",
    ("", "verb"): "verb",
    ("", "made"): "made",
    ("", "path"): "path",
    ("package_parts", "folder"): "package",
    ("package_parts", "items"): "package parts",
    ("", "project"): "project",
    ("", "container"): "container",
    ("owner", "owner"): "owner",
    ("bound", "members"): "bound in class",
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
    ("passage_code", "fence"): "block language",
    ("passage_code", "code"): "block",
    ("describe", "code"): "code",
    ("code", "code"): "code",
    ("steps", "code"): "code",
    ("signature", "code"): "signature",
    ("definition", "code"): "signature",
    ("by_signature", "code"): "example call",
    ("called_in", "site"): "real call",
    ("called_in", "code"): "real call",
    ("called_in_docstring", "code"): "docstring call",
    ("no_docstring", "said"): "undocumented",
    ("no_comment", "said"): "undocumented",
    ("no_purpose", "said"): "no purpose",
    ("only_name", "said"): "no purpose",
    ("stale", "name"): "stale docstring",
    ("undeclared", "members"): "undeclared parameters",
    ("deprecated", "said"): "deprecated",
    ("settable", "said"): "settable",
    ("calls_itself", "said"): "recursive",
    ("warned", "text"): "warning",
    ("property_reads", "members"): "property reads",
    ("stub", "said"): "stub",
    ("empty", "said"): "empty body",
    ("under_if", "condition"): "condition",
    ("under_else", "condition"): "denied condition",
    ("under_try", "condition"): "tried import",
    ("members_under", "items"): "conditional methods",
    ("properties", "members"): "properties",
    ("said_above", "summary"): "comment above",
    ("said_of_init", "summary"): "purpose of constructor",
    ("said_in", "document"): "said in document",
    ("said_in", "text"): "said in document",
    ("said_of_base", "model"): "overrides",
    ("said_of_base", "text"): "purpose of base",
    ("short_code", "code"): "code",
    ("created", "code"): "constructor",
    ("attributes", "members"): "attributes",
    ("method_list", "items"): "methods with purposes",
    ("aliases", "members"): "aliases",
    ("some_methods", "members"): "some methods",
    ("static_methods", "members"): "static methods",
    ("nested_classes", "members"): "nested classes",
    ("raised", "members"): "raises",
    ("readers", "members"): "readers",
    ("read_by", "members"): "readers",
    ("open_callers", "members"): "open callers",
    ("referred_by", "members"): "readers",
    ("derived", "members"): "subclasses",
    ("replaces", "members"): "overrides",
    ("replaced_by", "members"): "overridden",
    ("tested_by", "members"): "tests",
    ("construct", "code"): "constructor",
    ("no_arguments", "said"): "no arguments",
    ("all_defaults", "said"): "all defaults",
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
    ("sections", "members"): "sections",
    ("constants", "members"): "constants",
    ("other_public_names", "members"): "other public names",
    ("callers", "members"): "callers",
    ("used_by", "members"): "callers",
    ("made_by", "members"): "callers",
    ("graph_callers", "members"): "callers",
    ("step_callers", "members"): "callers",
    ("callees", "members"): "callees",
    ("calls", "members"): "callees",
    ("graph_callees", "members"): "callees",
    ("bases", "members"): "bases",
    ("foreign_bases", "members"): "foreign bases",
    ("graph_bases", "members"): "bases",
    ("pattern_bases", "members"): "bases",
    ("subclasses", "members"): "subclasses",
    ("pattern_subclasses", "members"): "subclasses",
    ("overrides", "members"): "overrides",
    ("pattern_overrides", "members"): "overrides",
    ("overridden", "members"): "overridden",
    ("pattern_overridden", "members"): "overridden",
    ("step_overridden", "members"): "overridden",
    ("trace_members", "members"): "methods with lines",
    ("trace_call", "line"): "called line",
    ("trace_call", "code"): "called line",
    ("trace_call", "members"): "callees",
    ("trace_head", "line"): "extending line",
    ("trace_head", "code"): "extending line",
    ("trace_base", "line"): "extending line",
    ("trace_base", "code"): "extending line",
    ("trace_super", "line"): "extending line",
    ("trace_super", "code"): "extending line",
    ("trace_line", "line"): "called line",
    ("trace_line", "code"): "called line",
    ("trace_call_under", "line"): "line under a head",
    ("trace_call_under", "code"): "line under a head",
    ("trace_call_under", "head"): "line under a head",
    ("trace_call_under", "word"): "line under a head",
    ("trace_call_under", "members"): "callees",
    ("trace_line_under", "line"): "line under a head",
    ("trace_line_under", "code"): "line under a head",
    ("trace_line_under", "head"): "line under a head",
    ("trace_line_under", "word"): "line under a head",
    ("reasoning", "items"): "reasoning",
    ("step_other_names", "members"): "other names",
    ("step_readers", "members"): "readers",
    ("tests", "members"): "tests",
    ("trace_tests", "members"): "tests",
    ("step_run", "members"): "tests",
    ("step_run_users", "members"): "tests",
    ("imports", "members"): "imports",
    ("imported_for_types", "members"): "imports for types",
    ("imports_unread", "members"): "unread imports",
    ("importers", "members"): "importers",
    ("imported_aside", "members"): "importers",
    ("taken_by", "members"): "importers",
    ("purpose", "description"): "description",
    ("tagline", "description"): "description",
    ("", "source"): "declaring file",
    ("install", "command"): "install command",
    ("install_then", "command"): "command of the README",
    ("published", "command"): "command of the README",
    ("install_told", "command"): "command of the README",
    ("commands", "items"): "commands",
    ("run_modules", "items"): "commands",
    ("dependencies", "members"): "dependencies",
    ("needed_sometimes", "items"): "conditional dependencies",
    ("none_declared", "source"): "no dependencies",
    ("none_always", "source"): "only conditional dependencies",
    ("extras", "items"): "extras",
    ("dev_packages", "members"): "developers' packages",
    ("test_folders", "members"): "test folders",
    ("doc_folders", "members"): "document folders",
    ("licence_needed", "text"): "licence",
    ("licence_text", "licence"): "licence text",
    ("licence_text", "source"): "licence file",
    ("python_needed", "text"): "python",
    ("distributions", "count"): "distribution count",
    ("distributions", "items"): "distributions",
    ("modules", "items"): "key modules with purpose",
    ("technologies", "members"): "technologies",
    ("imports_besides", "members"): "technologies",
    ("imports_by_extras", "items"): "imports by extras",
    ("architecture", "style"): "style",
    ("of_tests", "classes"): "classes of tests",
    ("of_tests", "functions"): "functions of tests",
    ("of_tests", "methods"): "methods of tests",
    ("of_documents", "classes"): "classes of documents",
    ("of_documents", "functions"): "functions of documents",
    ("of_documents", "methods"): "methods of documents",
    ("statistics", "classes"): "classes",
    ("statistics", "functions"): "functions",
    ("statistics", "methods"): "methods counted",
    ("steps", "items"): "steps",
    ("parts", "items"): "callee purposes",
}
