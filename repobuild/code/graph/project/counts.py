"""Count what each file contributes to the project's row.

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
from collections.abc import Mapping

from repobuild.code.facts.element_row import Bindings, bindings_of, name_of, row_of
from repobuild.code.graph.nodes import EdgeKey, edge_key
from repobuild.code.graph.python_files import names_of_others
from repobuild.code.resolve.binding_marks import IMPORTED_MODULE, IMPORTED_NAME
from repobuild.code.scan.file_roles import is_shown, is_test
from repobuild.code.scan.language import PROSE
from repobuild.engine.contract import Value

MAX_DEPTH = 3  # folders
_MOST_NAMES = 3  # of a module that a distribution is called after: google.cloud.storage
_LARGE_INIT = 6  # elements of an `__init__.py` that is a module by itself
NOT_PRODUCT = frozenset(
    "test tests testing docs doc documentation example examples benchmark benchmarks"
    " bench demo demos dist fixtures testdata test_data __tests__ e2e tutorial"
    " tutorials".split()
)
# Folders whose manifests and READMEs are not the project's.
NOT_PROJECT = NOT_PRODUCT | frozenset(
    "fixture fixtures __fixtures__ __tests__ testdata test_data test-data e2e spec"
    " specs example demo demos sample samples template templates tutorial tutorials"
    " benchmark cookiecutter website site www".split()
)
TEST_FOLDERS = frozenset("test tests testing __tests__".split())
TEST_MODULES = ("test.py", "tests.py")
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
TOOLS = frozenset(
    "setup.py conftest.py noxfile.py tasks.py fabfile.py versioneer.py conf.py"
    " ez_setup.py distribute_setup.py bootstrap.py runtests.py run_tests.py build.py"
    " _custom_build.py release.py make.py benchmark.py benchmarks.py bench.py"
    " example.py examples.py demo.py".split()
)
_TOOL = re.compile(
    r"(?:^|[.-])(?:config|conf|setup)\.[cm]?[jt]s$|^(?:gulp|grunt)file|\.d\.[cm]?ts$",
    re.I,
)
TOP_PACKAGE = "package:"  # the count of an `__init__.py` at the top of the tree
_IMPORTED = (IMPORTED_NAME, IMPORTED_MODULE)  # what binds a name


def file_counts(path: str, row: Value | None) -> dict[str, int]:
    if row is None:
        return {}
    *folders, name = path.split("/")
    ending = name[name.rfind(".") :] if "." in name[1:] else ""
    counts = {f"type:{ending}": 1, **_left_out_counts(row)}
    tests = _test_folder(folders, name) if ending in _CODE else ""
    if tests and not _is_test_by_content(tests, name):
        counts[f"tests:{tests}"] = 1
    if folders and folders[0] in _DOCUMENT_FOLDERS and ending in _DOCUMENTS:
        counts[f"docs:{'/'.join(folders[:MAX_DEPTH])}"] = 1
    return counts


def _test_folder(folders: list[str], name: str) -> str:
    """Return the folder of tests that holds a file, a test's own path at the top."""
    if not _BUNDLED.isdisjoint(folders):
        return ""  # of other projects
    for number, folder in enumerate(folders, 1):
        if folder in TEST_FOLDERS and is_test("/".join([*folders, name])):
            return "/".join(folders[:number])
        if folder in NOT_PROJECT:
            return ""
    if _TEST_NAME.fullmatch(name) and NOT_PROJECT.isdisjoint(folders):
        is_all = name in TEST_MODULES  # beside the code of its folder
        return "/".join([*folders, name] if is_all else folders) or name
    return ""


def _is_test_by_content(tests: str, name: str) -> bool:
    """Return whether only what a file holds says that it is a test.

    A module called `test` beside the code may be a script to try it out.
    """
    return name.endswith(".py") and tests.rpartition("/")[2] not in TEST_FOLDERS


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


def facts_counts(path: str, facts: Value | None) -> dict[str, int]:
    if facts is None:
        return {}
    language = facts.get("language", "")
    if not language or language in PROSE:
        return _left_out_counts(facts)
    *folders, name = path.split("/")
    size = 1 + len(facts.get("elements", ()))  # a file without elements counts, too
    folder = "/".join(folders[:MAX_DEPTH])
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
        if name == "__init__.py" and len(folders) <= MAX_DEPTH:
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
        folder = "/".join(folders[:MAX_DEPTH])
        return {} if is_bundled else {f"private:{folder}": size}
    if not 0 < len(folders) < MAX_DEPTH or name[:2] == "__":
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
    if not NOT_PRODUCT.isdisjoint(folders) or _TEST_NAME.fullmatch(name):
        return False
    return name not in TOOLS and not _TOOL.search(name)


def graph_counts(path: str, row: Value | None, other: Value | None) -> Counter[str]:
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
    return is_of_file and key.target.count("/") < MAX_DEPTH


def with_prefix(counts: Mapping[str, int], prefix: str) -> dict[str, int]:
    """Return the counts of one kind, `kind:`, by their names; `counts` are sorted."""
    names, size = list(counts), len(prefix)
    first, last = bisect_left(names, prefix), bisect_left(names, prefix[:-1] + ";")
    return {name[size:]: counts[name] for name in names[first:last]}


def ranked(counts: Mapping[str, int]) -> list[str]:
    return sorted(counts, key=lambda name: (-counts[name], name))
