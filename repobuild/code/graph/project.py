"""Make the row `@project` of the graph: the project as a whole.

    ""        `ProjectContext`, what else the project declares, and statistics
    "#state"  {"counts": {...}, "readmes": {path: {"title", "leads", "install"}},
               "manifests": {path: project}, "guides": {path: commands}}

A guide is a README at the top or a document for those who install or develop it; the
commands are the first ones that install a checkout, see installation.py.

The name is the setting's, else that of a manifest at the top, else the title of the
README at the top, else that of the only manifest one folder down. What the project says
of itself: introduction.py. Manifests of tests, documentation and examples describe
something else, so they are not read.

Everything is derived from the state. An update adds what a changed file now contributes
and subtracts what it contributed before; the counts are exact integers, so an update
and a full build give the same row. A count that reaches zero is dropped. Counts, by
prefix:

    type:.py   files by ending         kind:class    elements; kind:file files
    tested:class  those in tests; shown:class those in documentation and examples
    edge:calls edges                   import:numpy  product files that import this
    always:numpy  those of them that do it outside of functions and classes
    dotted:a.b product files that import this of another project, two or three names
    folder:a/b files and elements in a folder, three levels deep at most
    package:a  1 for a folder of the product with `__init__.py`, as deep
    module:a.py  as many of a module at the top, or at the top of `src`
    inner:a/b.py as many of a public Python module in a folder, two levels deep at most,
              and of a large `__init__.py`
    hidden:PATH  the same of a private module in a public folder
    private:a/_b elements of Python in a private folder, as deep as `folder:`
    into:a/b.py files of the product that import this one
    public:a/b.py 1 for one that a package above it imports, and may so pass on
    setup:numpy 1 for what `setup.py` imports, but what comes with Python
    tests:a, docs:a/b  files in a folder of tests, of documents; of Python beside other
              code those with tests in them
    left:minified files that are left out, by reason
    language:python  files with functions or classes
    unresolved called names without an edge: unknown, or of other projects
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import asdict, dataclass
from itertools import islice
from posixpath import commonpath
from statistics import median_high
from typing import Any

from repobuild.code.facts.element_row import Bindings, bindings_of, name_of, row_of
from repobuild.code.graph.installation import missing_for_setup, setup_command
from repobuild.code.graph.introduction import (
    README_NAMES,
    Manifests,
    describe,
    find_install,
    import_letters,
    letters,
    main_readme,
)
from repobuild.code.graph.nodes import EdgeKey, edge_key
from repobuild.code.graph.python_files import import_name, names_of_others
from repobuild.code.resolve.binding_marks import IMPORTED_MODULE, IMPORTED_NAME
from repobuild.code.scan.file_roles import is_shown, is_test
from repobuild.code.scan.language import PROSE
from repobuild.engine.contract import Change, Value, View

PROJECT = "@project"
_TOP_LEVEL = 1  # of a document's title; a section's level is in `complexity`
_MAX_DEPTH = 3  # folders
_MOST_NAMES = 3  # of a module that a distribution is called after: google.cloud.storage
_MAX_TECHNOLOGIES = 12
_MAX_BESIDES = 24  # that are no technologies
_FEWEST_IMPORTS = 2  # modules that need what no manifest declares
_FORGOTTEN = 0.25  # of those that need the most imported declared one
_MAX_CANDIDATES = 100  # top modules that may be technologies
_MAX_KEY_MODULES = 12
_SEVERAL = 3  # modules that import a private one which all rest on
# Modules that others need, and that say little of what a project does.
_HELPERS = frozenset(
    "typing types compat util utils helper helpers common exceptions exception errors"
    " error const constants".split()
)
_LARGE_INIT = 6  # elements of an `__init__.py` that is a module by itself
_FEW_PACKAGES = 4  # that say little of how a project is built
_NOT_PRODUCT = frozenset(
    "test tests testing docs doc documentation example examples benchmark benchmarks"
    " bench demo demos dist fixtures testdata test_data __tests__ e2e tutorial"
    " tutorials".split()
)
# Folders whose manifests and READMEs are not the project's.
_NOT_PROJECT = _NOT_PRODUCT | frozenset(
    "fixture fixtures __fixtures__ __tests__ testdata test_data test-data e2e spec"
    " specs example demo demos sample samples template templates tutorial tutorials"
    " benchmark cookiecutter website site www".split()
)
_TEST_FOLDERS = frozenset("test tests testing __tests__".split())
_TEST_MODULES = ("test.py", "tests.py")
# Folders of other projects' code that a project ships.
_BUNDLED = frozenset(
    "vendor vendors vendored _vendor _vendored third_party thirdparty third-party"
    " extern externals dependency_packages bundled node_modules".split()
)
_DEPRECATED = re.compile(r"\A\W*deprecated\b|^\.\. deprecated::", re.I | re.M)
_INSTALLED_BY_PIP = frozenset(("wheel",))  # beside what `names_of_others` has
_DOCUMENT_FOLDERS = frozenset("doc docs documentation".split())
_CODE = frozenset(
    ".py .pyx .js .jsx .mjs .cjs .ts .tsx .go .rs .java .c .cc .cpp .cxx .kt".split()
)
_TEST_NAME = re.compile(
    r"test_[^/]*\.py|[^/]*_tests?\.py|[^/]*_test\.(?:go|cc|cpp|c)|[^/]*\.(?:test|spec)\.[jt]sx?"
    r"|[^/]+Test\.java|test\.py|tests\.py"
)
_DOCUMENTS = frozenset(".md .mdx .rst .txt .adoc".split())
_SOURCE_ROOTS = ("src", "lib", "python")
# Modules at the top that build, test or release the project.
_TOOLS = frozenset(
    "setup.py conftest.py noxfile.py tasks.py fabfile.py versioneer.py conf.py"
    " ez_setup.py distribute_setup.py bootstrap.py runtests.py run_tests.py build.py"
    " _custom_build.py release.py make.py benchmark.py benchmarks.py bench.py"
    " example.py examples.py demo.py".split()
)
_TOOL = re.compile(
    r"(?:^|[.-])(?:config|conf|setup)\.[cm]?[jt]s$|^(?:gulp|grunt)file|\.d\.[cm]?ts$",
    re.I,
)
_TOP_PACKAGE = "package:"  # the count of an `__init__.py` at the top of the tree
_MAX_DISTRIBUTIONS = 40
_FEWEST_DISTRIBUTIONS = 2  # below the top, that make a monorepo
_GO_VERSION = re.compile(r"v\d+")
_LONGEST_TITLE = 60  # characters of a README's title that may name a project
_TITLE_MARKUP = re.compile(r"!\[[^\]]*\]\([^)]*\)|<[^<>]*>|:\w+:|[`*]")
_TITLE_LINK = re.compile(r"\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])")
_NO_NAMES = frozenset(
    "readme introduction overview about documentation installation install usage"
    " contents summary description features background abstract preface motivation"
    " purpose".split()
) | {"getting started", "table of contents", "quick start"}
_GUIDE = re.compile(
    r"(?i)(?:docs?/)?(?:readme|[\w-]*(?:install|contribut|develop|hacking|setup"
    r"|getting[-_]?started|quick[-_]?start)[\w-]*)(?:\.(?:md|markdown|rst|txt))?$"
)
_NO_STATE: Mapping[str, Any] = {
    "counts": {}, "readmes": {}, "manifests": {}, "guides": {}
}  # fmt: skip
_LAYERS = frozenset(
    "api app cli commands core controllers data database db domain engine handlers"
    " infrastructure models presentation repositories routes schemas services storage"
    " ui views web".split()
)

_IMPORTED = (IMPORTED_NAME, IMPORTED_MODULE)  # what binds a name

IsExternal = Callable[[str], bool]  # of a top module


@dataclass(frozen=True, slots=True)
class ProjectContext:
    """What the project is, as samples and exports state it."""

    project_name: str
    description: str
    main_technologies: list[str]
    architecture_style: str
    key_modules: list[str]
    dependencies: dict[str, str]


def update_project(
    view: View, rows: Mapping[str, Change], is_external: IsExternal
) -> None:
    """Bring `@project` up to date with the files and rows that changed."""
    old = view.own.get(PROJECT)
    state = old["#state"] if old else _NO_STATE
    counts = Counter(state["counts"])
    readmes, manifests = dict(state["readmes"]), dict(state["manifests"])
    guides = dict(state["guides"])
    for path, (was, now) in view.changes("files").items():
        counts.subtract(_file_counts(path, was))
        counts.update(_file_counts(path, now))
    for path, (was, now) in view.changes("facts").items():
        counts.subtract(_facts_counts(path, was))
        counts.update(_facts_counts(path, now))
        if "/" not in path:
            _replace(readmes, path, _readme(path, now))
        _replace(manifests, path, now.get("project") if now else None)
        guides.pop(path, None)
        if now and now.get("setup") and _GUIDE.match(path):
            guides[path] = now["setup"]
    for path, (was, now) in rows.items():
        counts.subtract(_graph_counts(path, was, now))
        counts.update(_graph_counts(path, now, was))
    kept = {name: count for name, count in sorted(counts.items()) if count}
    state = {
        "counts": kept,
        "readmes": dict(sorted(readmes.items())),
        "manifests": dict(sorted(manifests.items())),
        "guides": dict(sorted(guides.items())),
    }
    name = str(view.settings.get("project.name", ""))
    view.own.put(PROJECT, {"": _project(name, state, is_external), "#state": state})


def _replace(values: dict[str, Any], path: str, value: Any) -> None:
    """Replace a path's value; none is kept if empty, deep, or not the project's."""
    values.pop(path, None)
    folders = path.split("/")[:-1]
    if value and len(folders) < _MAX_DEPTH and _NOT_PROJECT.isdisjoint(folders):
        values[path] = value


def _file_counts(path: str, row: Value | None) -> dict[str, int]:
    if row is None:
        return {}
    *folders, name = path.split("/")
    ending = name[name.rfind(".") :] if "." in name[1:] else ""
    counts = {f"type:{ending}": 1, **_left_out_counts(row)}
    tests = _test_folder(folders, name) if ending in _CODE else ""
    if tests and not _is_test_by_content(tests, name):
        counts[f"tests:{tests}"] = 1
    if folders and folders[0] in _DOCUMENT_FOLDERS and ending in _DOCUMENTS:
        counts[f"docs:{'/'.join(folders[:_MAX_DEPTH])}"] = 1
    return counts


def _test_folder(folders: list[str], name: str) -> str:
    """Return the folder of tests that holds a file, a test's own path at the top."""
    if not _BUNDLED.isdisjoint(folders):
        return ""  # of other projects
    for number, folder in enumerate(folders, 1):
        if folder in _TEST_FOLDERS and is_test("/".join([*folders, name])):
            return "/".join(folders[:number])
        if folder in _NOT_PROJECT:
            return ""
    if _TEST_NAME.fullmatch(name) and _NOT_PROJECT.isdisjoint(folders):
        is_all = name in _TEST_MODULES  # beside the code of its folder
        return "/".join([*folders, name] if is_all else folders) or name
    return ""


def _is_test_by_content(tests: str, name: str) -> bool:
    """Return whether only what a file holds says that it is a test.

    A module called `test` beside the code may be a script to try it out.
    """
    return name.endswith(".py") and tests.rpartition("/")[2] not in _TEST_FOLDERS


def _holds_tests(facts: Value) -> bool:
    """Return whether a file defines a test, or asserts something by a call."""
    quals = (row_of(item).qual for item in facts.get("elements", ()))
    is_test_there = any(name_of(one).lower().startswith("test") for one in quals)
    return is_test_there or any("assert" in one for one, *_ in facts.get("calls", ()))


def _has_own_code(facts: Value) -> bool:
    """Return whether a file of Python is more than a docstring and imported names."""
    names: Bindings = facts.get("names", {})
    return bool(facts.get("elements") or facts.get("calls")) or any(
        binding[:1] not in _IMPORTED
        for name in names
        if not name.startswith("__")
        for binding in bindings_of(names, name)
    )


def _left_out_counts(row: Value) -> dict[str, int]:
    """Return a count for a row of `files` or `facts` whose file is left out."""
    return {f"left:{row['left_out']}": 1} if "left_out" in row else {}


def _facts_counts(path: str, facts: Value | None) -> dict[str, int]:
    if facts is None:
        return {}
    language = facts.get("language", "")
    if not language or language in PROSE:
        return _left_out_counts(facts)
    *folders, name = path.split("/")
    size = 1 + len(facts.get("elements", ()))  # a file without elements counts, too
    folder = "/".join(folders[:_MAX_DEPTH])
    counts = {f"folder:{folder}": size}
    if size > 1:
        counts[f"language:{language}"] = 1
    if path == "setup.py":
        tops = _tops_of_module(facts) - names_of_others() - _INSTALLED_BY_PIP
        counts |= {f"setup:{top}": 1 for top in tops}
    tests = _test_folder(folders, name)
    if tests and _is_test_by_content(tests, name) and _holds_tests(facts):
        counts[f"tests:{tests}"] = 1
    if not _is_product(folders, name):
        return counts
    if language == "python":
        modules = [module for _, module, *_ in facts.get("imports", ())]
        tops = {module.partition(".")[0] for module in modules}
        # `_pytest` and the like are the insides of a package, and nobody's technology.
        counts |= {f"import:{top}": 1 for top in tops if top and top[0] != "_"}
        counts |= {f"always:{top}": 1 for top in _tops_of_module(facts)}
        counts |= {f"dotted:{one}": 1 for one in _dotted_modules(facts, folders)}
        if _DEPRECATED.search(str(facts.get("doc", ""))) and name != "__init__.py":
            return counts  # no part that a newcomer has to know
        if name == "__init__.py" and len(folders) <= _MAX_DEPTH:
            counts[f"package:{folder}"] = 1
            if size > _LARGE_INIT:
                counts[f"inner:{path}"] = size
        elif name.endswith(".py") and _has_own_code(facts):
            counts |= _module_counts(path, size)
    if not folders or folders in [[root] for root in _SOURCE_ROOTS]:
        counts[f"module:{path}"] = size
    return counts


def _module_counts(path: str, size: int) -> dict[str, int]:
    """Return the count of a module with code of its own, or that of its folder."""
    *folders, name = path.split("/")
    if any(part[0] == "_" for part in folders):
        is_bundled = not _BUNDLED.isdisjoint(folders) or is_test(path)
        folder = "/".join(folders[:_MAX_DEPTH])
        return {} if is_bundled else {f"private:{folder}": size}
    if not 0 < len(folders) < _MAX_DEPTH or name[:2] == "__":
        return {}
    return {f"{'hidden' if name[0] == '_' else 'inner'}:{path}": size}


def _tops_of_module(facts: Value) -> set[str]:
    """Return the top modules that a module imports whenever it is imported itself."""
    rows = (row_of(item) for item in facts.get("elements", ()))
    inner = [range(row.start_line, row.end_line + 1) for row in rows]
    tops = {
        module.partition(".")[0]
        for line, module, *_ in facts.get("imports", ())
        if not any(line in lines for lines in inner)
    }
    return {top for top in tops if top and top[0] != "_"}


def _dotted_modules(facts: Value, folders: list[str]) -> set[str]:
    """Return what a distribution like `jaraco.functools` may be imported by.

    The standard library and what lies in the file's own package are nobody else's.
    """
    found: set[str] = set()
    for _, module, name, *_ in facts.get("imports", ()):
        parts = [*module.split("."), *([name] if name.isidentifier() else [])]
        if parts[0] and parts[0] not in names_of_others() and parts[0] not in folders:
            ends = range(2, min(len(parts), _MOST_NAMES) + 1)
            found.update(".".join(parts[:end]) for end in ends)
    return found


def _is_product(folders: list[str], name: str) -> bool:
    """Return whether a file is part of what the project is used for."""
    if not _NOT_PRODUCT.isdisjoint(folders) or _TEST_NAME.fullmatch(name):
        return False
    return name not in _TOOLS and not _TOOL.search(name)


def _graph_counts(path: str, row: Value | None, other: Value | None) -> Counter[str]:
    """Return the counts of a row, without edges that its other version has, too."""
    counts: Counter[str] = Counter()
    aside = "shown:" if is_shown(path) else "tested:" if is_test(path) else ""
    *folders, name = path.split("/")
    folder = "/".join(folders)
    is_product, others = _is_product(folders, name), other or {}
    for sub, item in (row or {}).items():
        if sub in others and " " in sub:
            continue
        if "kind" in item:
            counts["kind:" + item["kind"]] += 1
            if aside:
                counts[aside + item["kind"]] += 1
            counts["unresolved"] += item.get("unresolved", 0)
        elif key := edge_key(sub):
            counts["edge:" + key.kind] += 1
            if is_product and _is_import_of_part(key):
                counts["into:" + key.target] += 1
                if name == "__init__.py" and key.target.startswith(f"{folder}/"):
                    counts["public:" + key.target] += 1
    return counts


def _is_import_of_part(key: EdgeKey) -> bool:
    """Return whether a file imports one that may be a main part of the project."""
    is_of_file = key.kind == "imports" and not key.source and "::" not in key.target
    return is_of_file and key.target.count("/") < _MAX_DEPTH


def _readme(path: str, facts: Value | None) -> dict[str, Any]:
    """Return a README's title, leads and commands; {} for other files."""
    if not facts or path.lower() not in README_NAMES:
        return {}
    headings = [row_of(item) for item in facts.get("elements", ())[:1]]
    titles = [row.returns for row in headings if row.complexity == _TOP_LEVEL]
    found = {
        "title": _title(*titles) if titles else "",
        "leads": facts.get("leads", []),
        "install": facts.get("install", []),
    }
    return found if any(found.values()) else {}


def _title(heading: str) -> str:
    """Return a heading without markup, "" when it names no project."""
    text = _TITLE_LINK.sub(r"\1", _TITLE_MARKUP.sub("", heading))
    text = " ".join(text.split())
    is_name = len(text) <= _LONGEST_TITLE and text.lower() not in _NO_NAMES
    return text if is_name else ""


def _project(
    name: str, state: Mapping[str, Any], is_external: IsExternal
) -> dict[str, Any]:
    counts: dict[str, int] = state["counts"]
    manifests = Manifests(state["manifests"])
    name = name or _project_name(state, manifests)
    description = describe(name, state["readmes"], manifests)
    dependencies = manifests.dependencies()
    needs: Mapping[str, str] = dependencies.value or {}
    # What a setup.py computes is not known, nor which imports are for some users only.
    is_known = bool(dependencies.path) or manifests.kind == "python"
    own_names = {letters(str(one.get("name"))) for one in state["manifests"].values()}
    own_names.add(letters(name))
    conditions = {n: v.partition(";")[2].strip() for n, v in needs.items() if ";" in v}
    required = needs.keys() - conditions.keys() if is_known else None
    chosen = _chosen(manifests) | import_letters(conditions)
    modules = _ranked_modules(counts, name, manifests)
    context = ProjectContext(
        project_name=name,
        description=description.text,
        main_technologies=_technologies(
            counts, is_external, own_names, required, chosen
        ),
        architecture_style=_architecture_style(counts, manifests, name),
        key_modules=modules[:_MAX_KEY_MODULES],
        dependencies={n: v.partition(";")[0].strip() for n, v in needs.items()},
    )
    own_words = _own_words(state, manifests, name)
    left_out = _small_modules(counts) - set(modules)
    own_words["more_modules"] = max(0, len(modules) - _MAX_KEY_MODULES) + len(left_out)
    if dependencies.path:
        besides = _imports_besides(counts, is_external, own_names, context, chosen)
        extras = _extras_that_install(besides, manifests)
        own_words["imports_besides"] = [one for one in besides if one not in extras]
        own_words["imports_by_extras"] = extras
    own_words["described_by"] = description.path
    own_words["dependencies_by"] = dependencies.path
    own_words["dependencies_if"] = conditions  # what a package is needed under
    return asdict(context) | own_words | {"statistics": _statistics(counts)}


def _own_words(
    state: Mapping[str, Any], manifests: Manifests, name: str
) -> dict[str, Any]:
    """Return what the project says of itself beside what the specification names.

    Each value of a manifest is a pair with the manifest's path.
    """
    counts, readme = state["counts"], main_readme(state["readmes"])
    commands = state["readmes"].get(readme, {}).get("install", ())
    pairs = ("scripts", "extras", "dev", "licence", "python")
    distributions = [
        [folder, state["manifests"][path]["name"], _line(state["manifests"][path])]
        for folder, path in manifests.distributions().items()
    ]
    is_monorepo = _is_monorepo(manifests)
    found = {
        **{field: list(manifests.get(field)) for field in pairs},
        "manifest": [manifests.kind, manifests.folder],
        "install": [find_install(name, commands), readme],
        "setup": setup_command(state["guides"]),
        "setup_needs": _setup_needs(state, name),
        "distributions": distributions[:_MAX_DISTRIBUTIONS] if is_monorepo else [],
        "tests": _test_folders(counts),
        "documentation": _document_folders(counts),
    }
    return {key: value for key, value in found.items() if value and value[0]}


def _setup_needs(state: Mapping[str, Any], name: str) -> list[str]:
    """Return what `setup.py` imports and a clean machine does not have."""
    counts: Mapping[str, int] = state["counts"]
    own = {letters(name)}
    own |= {one.rpartition("/")[2] for one in _with_prefix(counts, "package:")}
    return missing_for_setup(
        _with_prefix(counts, "setup:"),
        state["manifests"],
        lambda top: top in own or letters(top) in own,
        lambda top: (
            f"{top}.py" in _TOOLS
            or f"module:{top}.py" in counts
            or f"folder:{top}" in counts
        ),
    )


def _test_folders(counts: Mapping[str, int]) -> list[str]:
    """Return the folders of tests; without any, those with tests beside the code.

    A single module of tests far below the top tests what lies beside it alone.
    """
    found = _ranked(_with_prefix(counts, "tests:"))
    named = [one for one in found if one.rpartition("/")[2] in _TEST_FOLDERS]
    is_deep = len(found) == 1 and found[0].count("/") > 1
    return [] if is_deep and found[0].endswith(_TEST_MODULES) else named or found


def _document_folders(counts: Mapping[str, int]) -> list[str]:
    """Return the folders of documents, each as deep as all documents in it are.

    Beside the folder with the sources may be one with what is made from them.
    """
    by_top: dict[str, dict[str, int]] = {}
    for folder, count in _with_prefix(counts, "docs:").items():
        by_top.setdefault(folder.partition("/")[0], {})[folder] = count
    found = {commonpath(one): sum(one.values()) for one in by_top.values()}
    return _ranked(found)


def _line(manifest: Mapping[str, Any]) -> str:
    return " ".join(str(manifest.get("description", "")).split())


def _project_name(state: Mapping[str, Any], manifests: Manifests) -> str:
    """Return the name that the top of the tree states; see the module's docstring."""
    own = _own_name(manifests)
    titles = {path: one["title"] for path, one in state["readmes"].items()}
    title = titles.get(main_readme(state["readmes"]), "")
    # Maven's top is often only the parent of the modules: "gson-parent".
    has_own = bool(own) and not manifests.folder and manifests.kind != "maven"
    # The index folds the case of a distribution's name: a title has the project's own.
    is_script = manifests.get("name").path == "setup.py"
    if is_script and own.islower() and letters(title) == letters(own):
        return str(title)
    return own if has_own else title or own


def _own_name(manifests: Manifests) -> str:
    """Return a manifest's name; of a Go module its last part that is no version."""
    name = str(manifests.get("name").value or "")
    if manifests.kind != "go":
        return name
    parts = [part for part in name.split("/") if not _GO_VERSION.fullmatch(part)]
    return parts[-1] if parts else name


def _with_prefix(counts: Mapping[str, int], prefix: str) -> dict[str, int]:
    """Return the counts of one kind, `kind:`, by their names; `counts` are sorted."""
    names, size = list(counts), len(prefix)
    first, last = bisect_left(names, prefix), bisect_left(names, prefix[:-1] + ";")
    return {name[size:]: counts[name] for name in names[first:last]}


def _ranked(counts: Mapping[str, int]) -> list[str]:
    return sorted(counts, key=lambda name: (-counts[name], name))


def _forgotten(counts: Mapping[str, int], usual: int) -> Iterator[str]:
    """Yield the modules that so many always import that a manifest only forgot them.

    `usual` is how many import what is declared.
    """
    least = max(_FEWEST_IMPORTS, usual * _FORGOTTEN)
    for name, count in _with_prefix(counts, "always:").items():
        if count >= least:
            yield name


def _technologies(
    counts: Mapping[str, int],
    is_external: IsExternal,
    own_names: set[str],
    required: Set[str] | None,
    chosen: set[str],
) -> list[str]:
    """Return the most imported top modules of other projects.

    Where manifests declare what is needed to run, anything else is an adapter for
    something that users may have, as what they choose by an extra, and no technology,
    unless so many modules need it that the manifest only forgot it; a distribution with
    dots in its name is a module below the top. A folder of
    the repository, a private module and one of Python 2's library never are.
    `is_external` queries the index, and a large project has hundreds of own modules, so
    only the most imported candidates are asked about.
    """
    parts = _names_in_paths(counts)
    others = names_of_others()
    known = None
    if required is not None:
        known = import_letters(required)
    imported = _with_prefix(counts, "import:")
    if known is not None:
        imported |= _with_prefix(counts, "dotted:")
    names = [
        one
        for one in _ranked(imported)
        if one[0] != "_" and one not in others and letters(one) not in own_names
    ]
    if known is not None:
        declared = [one for one in names if letters(one) in known]
        usual = max((imported[one] for one in declared), default=0)
        aside = {*declared, *parts, *(n for n in names if letters(n) in chosen)}
        forgotten = (one for one in _forgotten(counts, usual) if one not in aside)
        found = {*declared, *filter(is_external, forgotten)}
        return [one for one in names if one in found][:_MAX_TECHNOLOGIES]
    candidates = [one for one in names if one not in parts][:_MAX_CANDIDATES]
    return list(islice(filter(is_external, candidates), _MAX_TECHNOLOGIES))


def _imports_besides(
    counts: Mapping[str, int],
    is_external: IsExternal,
    own_names: set[str],
    context: ProjectContext,
    chosen: set[str],
) -> list[str]:
    """Return what the code imports of other projects that no manifest requires.

    An extra installs them, or the code does without them where they are not there.
    """
    parts = _names_in_paths(counts)
    told = {one.partition(".")[0] for one in context.main_technologies}
    required = {letters(import_name(one)) for one in context.dependencies}
    aside = (
        told | names_of_others() | {one for one in parts if letters(one) not in chosen}
    )
    names = [
        one
        for one in _ranked(_with_prefix(counts, "import:"))
        if one not in aside and letters(one) not in own_names | required
    ]
    return list(islice(filter(is_external, names[:_MAX_CANDIDATES]), _MAX_BESIDES))


def _extras_that_install(
    imported: Iterable[str], manifests: Manifests
) -> dict[str, str]:
    """Return the first extra that installs each of the modules, where one does."""
    extras: Mapping[str, list[str]] = manifests.get("extras").value or {}
    installs: dict[str, str] = {}
    # The smallest one is for what it names, "all" for everybody.
    for extra, packages in sorted(extras.items(), key=lambda one: len(one[1])):
        for module in import_letters(one.partition("[")[0] for one in packages):
            installs.setdefault(module, extra)
    known = {name: installs.get(letters(name)) for name in imported}
    return {name: extra for name, extra in known.items() if extra}


def _names_in_paths(counts: Mapping[str, int]) -> set[str]:
    """Return the names of the folders, and of those that they are in."""
    folders = _with_prefix(counts, "folder:")
    return {part for folder in folders for part in folder.split("/")}


def _chosen(manifests: Manifests) -> set[str]:
    """Return what extras install, or developers need, as it may be imported."""
    extras, developers = manifests.get("extras").value, manifests.get("dev").value
    listed = (one for group in (extras or {}).values() for one in group)
    names = [one.partition("[")[0] for one in listed]
    return import_letters([*names, *(developers or ())])


def _product_folders(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the elements of each folder, without tests, docs and examples."""
    folders = _with_prefix(counts, "folder:")
    return {
        folder: count
        for folder, count in folders.items()
        if folder and _NOT_PRODUCT.isdisjoint(folder.split("/"))
    }


def _ranked_modules(
    counts: Mapping[str, int], name: str, manifests: Manifests
) -> list[str]:
    """Return the largest packages, top ones first, and modules where these are few.

    Those modules come by what they carry, see `_weight`. Without any package these are
    the largest modules of Python, the distributions of a monorepo, or the largest
    folders and files of code. A tree whose top may be a package has no certain parts.
    """
    if _TOP_PACKAGE in counts:
        return []
    folders = _product_folders(counts)
    packages = {
        one: count
        for one, count in _with_prefix(counts, "package:").items()
        if "/_" not in one  # private: nobody is to use it
    }
    totals = _totals(folders)
    tops = {one: totals[one] for one in _tops(packages)}
    modules = _with_prefix(counts, "module:")
    if tops:
        own = _main_modules(modules, name)
        sizes = {one: folders.get(one, 0) for one in packages if one not in tops}
        inner = {one: size for one, size in sizes.items() if size > 1}  # not data alone
        parts = {
            one: size
            for one, size in _inner_modules(counts).items()
            if one.rpartition("/")[0] in tops
        }
        inner |= _private_packages(counts, sum([*inner.values(), *parts.values()]))
        if len(tops | own) + len(inner) < _FEW_PACKAGES:
            parts |= {one: totals.get(one, size) for one, size in inner.items()}
            weights = {one: _weight(counts, one, size) for one, size in parts.items()}
            found = [*_ranked(tops | own), *_ranked(weights)]
        else:
            least = min(inner.values(), default=0)
            large = {one: size for one, size in parts.items() if size > least}
            found = [*_ranked(tops | own), *_ranked(inner | large)]
    else:
        python = {one: n for one, n in modules.items() if one.endswith(".py")}
        projects = manifests.distributions() if _is_monorepo(manifests) else {}
        sizes = {one: totals[one] for one in projects if totals[one]}
        options = (python, sizes, folders, modules)
        found = _ranked(next((one for one in options if one), {}))
    return found


def _private_packages(counts: Mapping[str, int], public: int) -> dict[str, int]:
    """Return the private folders of code that hold most of it; `public` is the rest."""
    private = _with_prefix(counts, "private:")
    return private if sum(private.values()) > public else {}


def _inner_modules(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the public modules, and the private ones that are a core.

    A package may keep its core in a private module, `_url`, and export the names of it:
    one that the package itself imports, that is larger than half of the public ones, or
    needed by several modules and of more weight than half of them.
    """
    public = _with_prefix(counts, "inner:")
    weights = [_weight(counts, path, size) for path, size in public.items()]
    usual_size = median_high(public.values()) if public else 1
    usual_weight = median_high(weights) if weights else 1
    hidden = _with_prefix(counts, "hidden:")
    return public | {
        path: size
        for path, size in hidden.items()
        if size > usual_size
        or f"public:{path}" in counts
        or counts.get(f"into:{path}", 0) >= _SEVERAL
        and _weight(counts, path, size) > usual_weight
    }


def _weight(counts: Mapping[str, int], path: str, size: int) -> int:
    """Return how much of a project a module carries: its size, by how many need it.

    A small module that everything imports is as much its core as a large one alone.
    Twice as many that import it make it one size more. What a package passes on is what
    the project is used for; types and exceptions are what that needs.
    """
    importing, is_public = counts.get(f"into:{path}", 0), f"public:{path}" in counts
    if not path.endswith(".py"):  # a package: who imports one of its modules
        into, public = (_with_prefix(counts, one) for one in ("into:", "public:"))
        importing = sum(n for one, n in into.items() if one.startswith(f"{path}/"))
        is_public = any(one.startswith(f"{path}/") for one in public)
    weight = 2 * size * (1 + importing.bit_length())
    if path.rpartition("/")[2].removesuffix(".py").strip("_") in _HELPERS:
        return weight // 4
    return 2 * weight if is_public else weight


def _small_modules(counts: Mapping[str, int]) -> set[str]:
    """Return the modules with code in the packages at the top, whatever their size."""
    tops = _tops(_with_prefix(counts, "package:"))
    sizes = _inner_modules(counts).items()
    return {one for one, n in sizes if n > 1 and one.rpartition("/")[0] in tops}


def _main_modules(modules: Mapping[str, int], name: str) -> dict[str, int]:
    """Return the modules at the top that the project is named after."""
    return {
        path: size
        for path, size in modules.items()
        if letters(path.rpartition("/")[2].partition(".")[0]) == letters(name)
    }


def _tops(folders: Iterable[str]) -> list[str]:
    """Return the folders that are in none of the others."""
    known = set(folders)
    return [one for one in sorted(known) if known.isdisjoint(_above(one))]


def _above(folder: str) -> Iterator[str]:
    parts = folder.split("/")
    return ("/".join(parts[:end]) for end in range(1, len(parts)))


def _totals(folders: Mapping[str, int]) -> Counter[str]:
    """Return the sizes of folders with all that is in them."""
    totals: Counter[str] = Counter()
    for folder, size in folders.items():
        for one in (folder, *_above(folder)):
            totals[one] += size
    return totals


def _is_monorepo(manifests: Manifests) -> bool:
    return len(manifests.distributions()) >= _FEWEST_DISTRIBUTIONS


def _architecture_style(
    counts: Mapping[str, int], manifests: Manifests, name: str
) -> str:
    """Return the architecture that manifests and packages show, "" if none does."""
    if _TOP_PACKAGE in counts:
        return ""
    if _is_monorepo(manifests):
        return "monorepo"
    packages = list(_with_prefix(counts, "package:"))
    names = {package.rpartition("/")[2] for package in packages}
    tops = _tops(packages)
    if {"models", "views", "controllers"} <= names:
        return "mvc"
    if len(names & _LAYERS) >= 3:
        return "layered"
    if "plugins" in names:
        return "plugins"
    if len(tops) > 1:
        return "packages"
    if tops and name and _main_modules(_with_prefix(counts, "module:"), name):
        return "package and module"
    if tops:
        return "subpackages" if len(packages) > 1 else "single package"
    modules = [one for one in _with_prefix(counts, "module:") if one.endswith(".py")]
    return ("single module" if len(modules) == 1 else "modules") if modules else ""


def _of_kinds(kinds: Mapping[str, int]) -> dict[str, int]:
    """Return how many functions, classes and methods there are."""
    names = {"functions": "function", "classes": "class", "methods": "method"}
    return {name: kinds.get(kind, 0) for name, kind in names.items()}


def _statistics(counts: Mapping[str, int]) -> dict[str, Any]:
    kinds = _with_prefix(counts, "kind:")
    code = _of_kinds(kinds)
    return {
        "total_elements": sum(code.values()),
        **code,
        "sections": kinds.get("section", 0),
        "files": kinds.get("file", 0),
        "in_tests": _of_kinds(_with_prefix(counts, "tested:")),
        "in_documents": _of_kinds(_with_prefix(counts, "shown:")),
        "edges": _with_prefix(counts, "edge:"),
        "left_out": _with_prefix(counts, "left:"),
        "languages": _with_prefix(counts, "language:"),
        "unresolved_calls": counts.get("unresolved", 0),
        "file_type_counts": _with_prefix(counts, "type:"),
    }
