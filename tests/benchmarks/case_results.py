"""The right result of every case of `../shared/cases`, one function for each.

A function takes the case, builds it and notes what differs. Its decorator names the
tests that hold the other inputs of the same kind.
"""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Callable
from typing import NamedTuple

from repobuild.code.facts.parse import facts_of
from repobuild.model.conversation import Conversation
from tests.benchmarks.case_run import CaseRun, Edges
from tests.cases.commands import digests, git
from tests.cases.repository.test_licence_statements import MIT
from tests.cases.verbs.test_control_tokens import HOLES, hole, tokenizer

CHECK = Callable[[CaseRun], None]


class CaseResult(NamedTuple):
    """What checks a case, and the tests of its siblings: `file` or `file::test`."""

    check: CHECK
    siblings: tuple[str, ...]


RESULTS: dict[str, CaseResult] = {}


def case(number: str, *siblings: str) -> Callable[[CHECK], CHECK]:
    """Enter a function as the check of a case."""

    def enter(check: CHECK) -> CHECK:
        RESULTS[number] = CaseResult(check, siblings)
        return check

    return enter


# ---------------------------------------------------------------------------- git


@case("01", "test_partial_clone.py")
def partial_clone(run: CaseRun) -> None:
    printed = run.build(code=3)
    run.expect_true("the message names the remedy", "git fetch --refetch" in printed)
    origin = run.place.with_name(f"{run.place.name}.origin")
    git(run.place, "log", "-p")  # the blobs arrive
    run.build()
    run.run("verify")
    tables = {table["name"]: table["rows"] for table in run.json("status")["tables"]}
    run.expect("samples about changes", tables["history"], 1)
    both = tables["samples"] + tables["history"]
    run.expect("rows of dataset", tables["dataset"], both)
    git(run.place.parent, "clone", "-q", str(origin), "full")
    full = CaseRun(run.place.with_name("full"))
    full.build()
    run.expect("digests", digests(run.place), digests(full.place))
    git(run.place, "config", "core.repositoryformatversion", "1")
    git(run.place, "config", "extensions.partialClone", "origin")
    run.run("verify", "--samples")
    run.run("status", code=None)


@case(
    "02",
    "test_finding_the_repository.py::test_sha256_is_named_as_the_reason",
    "test_finding_the_repository.py::"
    "test_what_git_does_not_open_is_an_error_with_its_reason",
)
def sha256(run: CaseRun) -> None:
    for words in (["--until", "dataset"], ["status"], ["show", "facts"]):
        printed = run.run(*words, code=2).strip()
        run.expect("lines", len(printed.splitlines()), 3)
        run.expect_true("an error", printed.startswith("error: "))
        run.expect_true("it names sha256", "object format 'sha256'" in printed)


@case(
    "21",
    "test_finding_the_repository.py::"
    "test_a_repository_of_another_owner_says_how_to_trust_it",
)
def safe_directory(run: CaseRun) -> None:
    for words in (["--until", "dataset"], ["status"], ["verify", "--samples"]):
        printed = run.run(*words, code=2)
        remedy = "git config --global --add safe.directory"
        run.expect_true("the remedy", f'{remedy} "{run.place}"' in printed)


@case(
    "04",
    "test_work_tree.py::test_what_a_sparse_checkout_leaves_out_is_as_in_the_index",
    "test_work_tree.py::test_a_sparse_index_is_an_error_with_the_next_step",
)
def sparse_worktree(run: CaseRun) -> None:
    run.build()
    head = digests(run.place)
    near = run.place / "in" / "near.py"
    near.write_text(near.read_text() + "\n")
    run.run("build", "--worktree", "--until", "dataset")
    run.expect("files", run.json("show", "files")["table"]["rows"], 2)
    git(run.place, "checkout", "-q", ".")
    run.run("build", "--worktree", "--until", "dataset")
    run.expect("files", run.json("show", "files")["table"]["rows"], 2)
    run.expect("digests", digests(run.place), head)


@case(
    "13",
    "test_faults.py::test_messages_that_are_not_in_their_declared_encoding",
)
def commit_encoding(run: CaseRun) -> None:
    for back in reversed(range(5)):
        commit = git(run.place, "rev-parse", f"main~{back}")
        git(run.place, "checkout", "-q", "--detach", commit)
        run.build()
        key = f"a.py::more_{5 - back}"
        for words in (["why", key], ["why", "facts"], ["show", commit], ["log"]):
            run.run(*words)
        told = run.json("why", key)
        run.expect_true(f"why {key} has the subject", "number" in str(told))


@case("25", "test_work_tree.py::test_replaced_objects_are_told_not_followed")
def replaced(run: CaseRun) -> None:
    note = "`git replace` is not followed" in run.build()
    run.expect_true("a third function or a note", note or bool(run.rows("a.py::third")))


@case(
    "27",
    "test_work_tree.py::test_a_file_in_another_encoding_is_read_as_it_is_committed",
)
def worktree_encoding(run: CaseRun) -> None:
    run.run("build", "--worktree", "--until", "dataset")
    text = str(run.rows("u16.md"))
    run.expect_true("u16.md is read", "sixteen bits, changed" in text)
    run.expect("u16.md", run.left_out.get("u16.md"), None)
    run.expect("a.py", run.purpose("a.py::first")[-8:], "changed.")


@case("28", "test_odd_names.py")
def odd_paths(run: CaseRun) -> None:
    run.build()
    keys = {sample["metadata"]["filepath"] for sample in run.samples}
    # A key escapes what separates keys, and what ends a line.
    elements = {re.sub(r"\\x(..)", lambda m: chr(int(m[1], 16)), key) for key in keys}
    paths = git(run.place, "ls-files", "-z").rstrip("\0").split("\0")
    python = {p for p in paths if p.endswith(".py") and "/.py" not in f"/{p}"}
    run.expect("files without samples", sorted(python - elements), [])
    run.run("verify")


@case("29", "test_faults.py::test_a_file_whose_name_begins_with_head_is_shown")
def head_file(run: CaseRun) -> None:
    run.build()
    for verb in ("show", "why"):
        for key in ("HEADERS.py", "HEADERS.py::first"):
            run.run(verb, key)
    run.expect_true("the row", "facts" in run.rows("HEADERS.py"))


# ------------------------------------------------------------------------- Python


@case("06", "test_unicode_names.py")
def unicode_names(run: CaseRun) -> None:
    run.build()
    right: Edges = {
        ("maße.py::计算", "maße.py::größe"): 1.0,
        ("maße.py::éclair", "maße.py::计算"): 1.0,
        ("maße.py::Ωmega.ändern", "maße.py::éclair"): 1.0,
        ("maße.py::Ωmega.älter", "maße.py::Ωmega.ändern"): 0.9,
        ("use.py::run", "maße.py::éclair"): 1.0,
        ("use.py::run", "maße.py::计算"): 1.0,
        ("use.py::run", "maße.py::Ωmega"): 1.0,
        ("use.py::run", "maße.py::Ωmega.älter"): 0.8,
        ("nfkc.py::use", "nfkc.py::find"): 1.0,
    }
    run.expect("calls", run.edges("calls"), right)


@case("32", "test_slow_files.py")
def trailing_comments(run: CaseRun) -> None:
    run.build()
    source = (run.place / "old.py").read_bytes()
    texts = {"8,000 comments": ("python", source), "20,000": ("python", source * 3)}
    for count in (10_000, 40_000, 300_000):
        text = b"# A\n\n" + b"[x " * count + b"\n"
        texts[f"{count:,} brackets"] = ("markdown", text)
    for name, (language, text) in texts.items():
        began = time.process_time()
        facts_of(text, language)
        seconds = time.process_time() - began
        run.expect_true(f"{name} cost {seconds:.1f} s, below 2 s", seconds < 2)


@case(
    "07",
    "test_imports.py::test_distributions_of_one_namespace_import_each_other",
    "test_imports.py::test_a_module_is_called_by_its_dotted_name",
    "test_imports.py::"
    "test_a_module_in_a_folder_without_init_is_called_by_its_dotted_name",
    "test_imports.py::"
    "test_a_namespace_that_two_distributions_fill_alike_is_not_guessed",
)
def namespaces(run: CaseRun) -> None:
    run.build()
    core = "packages/core/src/acme/cloud/core"
    storage = "packages/storage/src/acme/cloud/storage/__init__.py"
    imported = [f"{core}/__init__.py", f"{core}/retry.py"]
    imported += [f"{core}/__init__.py::connect", f"{core}/retry.py::retry"]
    found = {target for source, target in run.edges("imports") if source == storage}
    run.expect("imports", sorted(found), sorted(imported))
    store = f"{storage}::store"
    right = {(store, one): 1.0 for one in imported[2:]}
    pkgutil = "pkgutil/{}/acme2/{}/__init__.py::{}".format
    keep, dial = pkgutil(*["storage"] * 2, "keep"), pkgutil(*["core"] * 2, "dial")
    run.expect_edges("calls", {**right, (keep, dial): 1.0})


@case(
    "33",
    "test_imports.py::test_a_file_with_the_name_of_a_dependency_is_not_imported",
    "test_imports.py::test_a_dependency_is_known_by_its_import_name",
    "test_imports.py::"
    "test_a_dependency_that_the_repository_provides_itself_is_imported",
    "test_imports.py::test_a_manifest_decides_for_the_files_below_it_only",
    "test_imports.py::test_a_manifest_that_changes_updates_the_files_that_import",
    "test_imports.py::test_a_file_named_like_a_standard_module_is_not_imported",
    "test_imports.py::test_a_standard_name_in_the_source_root_hides_the_standard_one",
    "test_imports.py::test_examples_and_tests_are_not_imported_from_outside",
)
def third_party_names(run: CaseRun) -> None:
    run.build()
    run.expect("calls", run.edges("calls"), {})
    run.expect("imports", run.edges("imports"), {})
    run.expect(
        "technologies",
        run.project["main_technologies"],
        ["fastapi", "numpy", "requests"],
    )


@case(
    "11",
    "test_imports.py::test_all_grows",
    "test_imports.py::test_a_name_in_a_comment_of_all_is_not_exported",
    "test_imports.py::test_modules_whose_all_is_each_others_end",
    "test_imports.py::test_a_change_of_another_all_updates_who_imports_by_star",
)
def growing_all(run: CaseRun) -> None:
    run.build()
    dot = "num/multi.py::dot"
    run.expect_edges(
        "calls",
        {
            ("a.py::run_a", dot): 0.95,
            ("b.py::run_b", dot): 0.95,
            ("c.py::run_c", "num/app.py::two"): 0.95,
        },
    )
    old = [edge for edge in run.edges("calls") if edge[1] == "num/com.py::old"]
    run.expect("calls of a name in a comment", old, [])


@case("22", "test_branches.py")
def conditional_definitions(run: CaseRun) -> None:
    run.build()
    calls = run.edges("calls")
    called = {edge[1]: sure for edge, sure in calls.items() if edge[0] == "app.py::run"}
    run.expect("run calls", called, {"compat.py::fold": 1.0})
    samples = [s for s in run.samples if s["metadata"]["element"] == "compat.py::fold"]
    run.expect_true("samples tell of the branch that runs", bool(samples))
    for number, (check, other) in enumerate(
        [("sys.platform == 'win32'", "else"), ("TYPE_CHECKING", "else")]
    ):
        text = "def fold(x):\n        return x\n"
        compat = f"import sys\nfrom typing import TYPE_CHECKING\nif {check}:\n    "
        compat += f"{text}{other}:\n    {text}"
        app = (run.place / "app.py").read_text()
        files = {"compat.py": compat, "app.py": app}
        branch = run.other(f"branch{number}", files)
        branch.build()
        sure = [
            confidence
            for (source, _), confidence in branch.edges("calls").items()
            if source == "app.py::run"
        ]
        right = [1.0] if check == "TYPE_CHECKING" else [0.5, 0.5]
        run.expect(f"calls under {check}", sure, right)


@case("40", "test_shadowing.py")
def shadowing(run: CaseRun) -> None:
    run.build()
    found = [edge for edge in run.edges("calls") if edge[1] == "helpers.py::make"]
    run.expect("calls of helpers.make", found, [])


# ---------------------------------------------------------------- what is left out


@case("37", "test_left_out_files.py")
def generated_prose(run: CaseRun) -> None:
    printed = run.build()
    right = {"_version.py": "generated", "form_ui.py": "generated"}
    run.expect("left out", run.left_out, right)
    run.expect_true("the build says it", "files left out: 2 generated" in printed)


@case("19", "test_left_out_files.py::test_gitattributes_overrule_what_is_recognised")
def vendor_app(run: CaseRun) -> None:
    run.build()
    run.expect("left out", run.left_out, {})
    settle, vendor = "shop/orders/models.py::settle", "shop/vendor/models.py::Vendor"
    right = {(settle, vendor): 1.0, (settle, f"{vendor}.pay"): 0.8}
    run.expect_edges("calls", right)


# --------------------------------------------------------- documents and manifests


def titles(run: CaseRun, path: str) -> list[str]:
    """Return the titles of a document's sections."""
    return [row[12] for row in run.rows(path)["facts"]["elements"]]


@case(
    "10",
    "test_markdown_structure.py::test_a_title_keeps_the_sign_that_does_not_close_it",
    "test_markdown_structure.py::test_both_readers_find_the_same_titles",
)
def heading_sharp(run: CaseRun) -> None:
    run.build()
    found = titles(run, "README.md")
    right = ["Bindings", "C", "C#", "F#", "Closed"]
    run.expect("titles", found[:-1], right)
    run.expect_true("the last title", found[-1] in ("Issue #", r"Issue \#"))


@case("31", "test_markdown_structure.py")
def markdown_structure(run: CaseRun) -> None:
    run.build()
    about = "Flow runs tasks in the order that they need."
    run.expect("description", run.project["description"], about)
    run.expect(
        "hugo.md", run.purpose("docs/hugo.md"), "Read this first when you are new."
    )
    run.expect("Use", run.purpose("README.md::flow.use"), "Write a file, and run it.")
    run.expect("Code", run.purpose("docs/plain.md::code"), "Run this to install it.")
    run.expect("titles", titles(run, "docs/plain.md"), ["Quoted", "Code", "Table"])
    text = "\n".join(run.texts)
    for bad in ("Licensed to", "+++", "for authors", "make install", "[TOC]"):
        run.expect_true(f"no sample has {bad}", bad not in text)


@case("30", "test_docstring_purposes.py")
def docstring_sections(run: CaseRun) -> None:
    run.build()
    area = "geo/area.py"
    none = [f"{area}::{name}" for name in ("area", "rim", "ratio", "Box", "Box.open")]
    purposes = {key: run.purpose(key) for key in [*none, area, "geo/__init__.py"]}
    run.expect("purposes", {k: v for k, v in purposes.items() if v}, {})
    right = "Give |x| for a number, and |a - b| for two of them."
    run.expect("purpose of size", run.purpose(f"{area}::size"), right)
    params = run.rows(f"{area}::ratio")["contexts"]["params"]
    run.expect(
        "parameters of ratio",
        [(name, text) for name, _, _, text, _ in params],
        [("width", "how wide the thing is"), ("height", "how high the thing is")],
    )


@case(
    "09",
    "test_project_manifests.py::test_requirements_are_packages_and_nothing_else",
    "test_project_manifests.py::test_what_names_no_package_is_none",
    "test_project_manifests.py::test_a_value_in_another_file_is_no_value",
)
def requirements(run: CaseRun) -> None:
    run.build()
    right = {"alpha": "==1.0", "beta": "==2.0", "delta": "", "gamma": ">=3.0"}
    right |= {"theta": "==1.0", "zeta": ""}
    run.expect("dependencies", run.project["dependencies"], right)
    setup = "[metadata]\nname = it\ndescription = file: README.md\n\n"
    setup += "[options]\ninstall_requires = file: requirements.txt\n"
    files = {"setup.cfg": setup, "requirements.txt": "alpha==1.0\n"}
    files["it.py"] = "def run():\n    return 1\n"
    other = run.other("setup", files)
    other.build()
    run.expect("of setup.cfg", other.project["dependencies"], {"alpha": "==1.0"})
    run.expect("description", other.project["description"], "")


@case(
    "17",
    "test_project_manifests.py::test_a_fixture_names_no_project",
    "test_project_manifests.py::test_the_top_of_the_tree_names_the_project",
    "test_project_manifests.py::test_samples_name_real_packages_and_the_claims_hold",
    "test_project_manifests.py::test_a_description_that_ends_without_a_full_stop_holds",
)
def project_name(run: CaseRun) -> None:
    run.build()
    run.expect("name", run.project["project_name"], "Real")
    run.expect("dependencies", run.project["dependencies"], {})


@case("14", "test_licence_statements.py")
def reuse(run: CaseRun) -> None:
    run.build()
    right = {"licence": "MIT", "source": "REUSE.toml"}
    run.expect("licence", run.rows("pkg/a.py")["licences"], right)
    function = "def f(x):\n    return x\n"
    two = "# SPDX-License-Identifier: MIT\n# SPDX-License-Identifier: Apache-2.0\n"
    other = run.other(
        "licences",
        {
            "a/one.py": function,
            "a/one.py.license": "SPDX-License-Identifier: BSD-3-Clause\n",
            "b/two.py": two + function,
            "c/three.py": f'TAG = "SPDX-License-Identifier: GPL-3.0"\n\n\n{function}',
            "d/Cargo.toml": '[package]\nname = "d"\nlicense = "MIT/Apache-2.0"\n',
            "d/four.py": function,
            "e/MIT-LICENSE": MIT,
            "e/five.py": function,
        },
    )
    other.build()
    for path, licence in {
        "a/one.py": "BSD-3-Clause",
        "b/two.py": "Apache-2.0 AND MIT",
        "c/three.py": "NOASSERTION",
        "d/four.py": "MIT OR Apache-2.0",
        "e/five.py": "MIT",
    }.items():
        run.expect(path, other.rows(path)["licences"]["licence"], licence)


# ------------------------------------------------------------------------- samples


@case(
    "15",
    "samples/test_secret_forms.py",
    "samples/test_secret.py",
    "test_secrets_shown.py",
)
def secrets(run: CaseRun) -> None:
    run.build()
    source = (run.place / "login.py").read_text()
    tokens = dict(re.findall(r'def (\w+)\(.*\n.*\n    token = "(.*)"', source))
    run.expect("tokens", len(tokens), 16)
    shown = "\n".join(
        repr(run.exported(table)) for table in ("facts", "graph", "dataset")
    )
    for name, token in tokens.items():
        key = f"login.py::{name}"
        shown_here = shown + run.run("show", key) + run.run("show", key, "--json")
        run.expect_true(f"{name} is shown nowhere", token[-10:] not in shown_here)
        body = str(run.rows(key)["contexts"].get("body", ""))
        run.expect_true(f"{name} is named by its kind", "[secret: " in body)
    dropped = run.json("show", "dataset")["dataset"]["dropped"]
    kinds = [reason for reason in dropped if reason.startswith("secret: ")]
    run.expect_true("samples are dropped as secrets", len(kinds) >= 5)


@case("18", "test_control_tokens.py")
def control_tokens(run: CaseRun) -> None:
    """The two that the entry counts are the holes in `fill`, which has one too few
    lines to make a hole by default; the docstrings' bars make others."""
    run.build()
    purpose = run.purpose("fim.py::turn")
    run.expect("purpose", purpose, "Write one turn<|im_end|> <|im_start|>system")
    holes = [("clean", hole("def f():\n", "x", "\n"))]
    holes += [(f"hole {n}", hole(*parts)) for n, parts in enumerate(HOLES)]
    samples = []
    for row in run.samples:
        question, answer = run.turns(row)
        more = {"task": row["metadata"]["task_type"], "form": "chat"}
        sample = {**more, "question": question, "answer": answer}
        samples.append((row["metadata"]["id"], {**sample, "element": "fim.py::fill"}))
    barred = [key for key, sample in samples if "<|" in str(sample)]
    run.expect_true("some samples hold a control token", len(barred) > 2)
    for kind in ("embedded", "qwen"):
        conversation = Conversation(tokenizer(kind))
        found = conversation.tokenise(holes, 2048).left_out
        run.expect(f"{kind}: left out of the holes", found, {"special token": 2})
        result = conversation.tokenise(samples, 2048)
        right = {"special token": len(barred)}
        run.expect(f"{kind}: left out of the samples", result.left_out, right)
        kept = {example.id for example in result.kept}
        run.expect(f"{kind}: kept", sorted(kept & set(barred)), [])


@case("38", "test_code_with_fences.py")
def fence_in_code(run: CaseRun) -> None:
    run.build()
    inner = re.compile(r"^run \d+$", re.M)
    broken = [text for text in run.texts if inner.search(text) and "````" not in text]
    run.expect("fences that end early", broken[:1], [])


@case("43", "test_usage.py")
def async_generator(run: CaseRun) -> None:
    run.build()
    answers = "\n".join(run.texts)
    for call in ("stream(lines)", "lifespan(app)", "client.events(topic)"):
        run.expect_true(f"a sample calls {call}", call in answers)
        run.expect_true(f"{call} is not awaited", f"await {call}" not in answers)
    run.expect_true("fetch is awaited", "await fetch(address)" in answers)
    for code in re.findall(r"```python\n(.*?)```", answers, re.S):
        if not code.startswith(("def ", "async def ", "class ", "@")):
            _parse_call(run, code)


def _parse_call(run: CaseRun, code: str) -> None:
    lines = code.strip().replace("\n", "\n    ")
    try:
        ast.parse(f"async def main():\n    {lines}\n")
    except SyntaxError as error:
        run.wrong.append(f"{code!r} is no Python: {error}")


# ----------------------------------------------------------------- other languages


@case("44", "test_private_members.py")
def js_private(run: CaseRun) -> None:
    run.build()
    private, public = "cache.ts::Cache.#evict", "cache.ts::Cache.evict"
    run.expect("private", run.node(private).get("name"), "#evict")
    run.expect("public", run.node(public).get("name"), "evict")
    run.expect("a second evict", run.node(f"{public}#2"), {})
    run.expect_edges("calls", {(public, private): 0.9})
    about = run.purpose(public), run.purpose(private)
    right = ("Drop it, and say so.", "Drop what is kept under a key.")
    run.expect("purposes", about, right)
