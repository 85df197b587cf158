"""Check what documents say of an element, and calls that are quoted from other files.

A quotation must be in the file that it names, line by line and in the order of the
file; an import may be one of several in its statement, and an assertion may be quoted
without what makes it one. Nobody may have to ask where a name of it comes from.
A name in a document means the element when what stands before its last dot is its
class or a part of its module's name, or when no other element has the name.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from repobuild.truth.claims.prose_match import occurs
from repobuild.truth.claims.relation_claims import TEST_PATH, may_call
from repobuild.truth.subject import DeferredCheck, DeferredClaim
from repobuild.truth.tree.python_reader import (
    DEFINITIONS,
    display_name,
    imported_names,
    last_name,
)
from repobuild.truth.tree.tree_index import TreeIndex, dotted

_PROMPT = re.compile(r"^\s*(?:>>>|\.\.\.|In \[\d+\]:)\s?")
_DOCTEST_OPTION = re.compile(r"\s*# doctest:.*$")
_TITLE = re.compile(r"^#+[ \t]*(.+)$|^(\S.*)\n[=\-~^*+.]{3,}[ \t]*$", re.MULTILINE)
_TITLE_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_WORD = re.compile(r"\w+")
_FIRST_WORDS = 4
_SPAN = re.compile(r"`@?([A-Za-z_][\w.]*)(?:\([^`]*\))?`")
_LEFT_OUT = "..."  # stands for lines that a quotation leaves out
_DOCUMENTS = (".md", ".markdown", ".rst")
_SIGNS = {ast.Eq: "==", ast.Is: "is"}
_FRAME = "async def main():"  # around code that awaits
_IMPORT = re.compile(
    r"^(?:from[ \t]+[\w.]+[ \t]+)?import[ \t]+(?:\([^()]*\)|[^\n;]+)", re.M
)


def real_call(index: TreeIndex, claim: DeferredClaim) -> str:
    """Check a call of the element that another file, or its own, has."""
    site, _, code = claim.claimed.partition("\n")
    if site not in index.paths:
        return f"there is no {site}"
    text = index.read_text(site)
    if _FRAME not in text or misses_line(_split_imports(code)[1], text):
        code = without_frame(code)  # the frame is the answer's own
    code = _without_own_import(code, claim.id, text)
    name = display_name(claim.id.partition("::")[2]).rpartition(".")[2]
    if not site.endswith((".py", *_DOCUMENTS)):
        if missing := misses_line(code, text):
            return missing
        is_called = re.search(rf"(?<!\w){re.escape(name)}\(", code)
        return "" if is_called else f"it does not call {name}"
    if problem := call_problem(code, name):
        return problem
    file = index.files.get(site)
    top: Iterable[str] = ()
    if file and not TEST_PATH.search(site):
        # Of a file that `ast` cannot read nobody knows what it defines.
        top = _WORD.findall(text) if file.problem else file.definitions
    if problem := quotation_problem(code, text, {name, *top}):
        return problem
    if site.endswith(_DOCUMENTS):
        means = any(_means(index, claim.id, one) for one in _callees(code, name))
        means |= _is_of_made_object(code, claim.id)
        return "" if means else f"it calls another {name}"
    if file is None or file.problem:
        return ""
    if is_expected_to_fail(text, code, name):
        return "the call is expected to fail"
    if is_of_another_package(index, text, site, code, name):
        return "it calls what another package defines"
    calling = [qual for qual, one in file.definitions.items() if one.uses(name)]
    if site == claim.id.partition("::")[0]:
        owner = _owner(index, claim.id)
        calling = [one for one in calling if not (one and f".{one}.".startswith(owner))]
    ids = (f"{site}::{qual}" if qual else site for qual in calling)
    return "" if any(may_call(index, id, claim.id) for id in ids) else "it is another"


def without_frame(code: str) -> str:
    """Return code that awaits without the function that an answer puts around it."""
    above, frame, body = code.rpartition(f"{_FRAME}\n")
    if not frame or any(one[:1] not in ("", " ") for one in body.split("\n")):
        return code
    return above + "\n".join(line.removeprefix("    ") for line in body.split("\n"))


def _without_own_import(code: str, id: str, text: str) -> str:
    """Return code without an import of the element itself that its site lacks."""
    path, _, qual = id.partition("::")
    module = dotted(path).removeprefix("src.")
    if not module or "." in qual or (module, qual) in _imports_in(text):
        return code
    return code.replace(f"from {module} import {qual}\n", "", 1)


def _is_of_made_object(code: str, id: str) -> bool:
    """Return whether code calls a method on a variable that it makes of the class."""
    *owners, name = display_name(id.partition("::")[2]).split(".")
    tree = _parse(code)
    nodes = list(ast.walk(tree)) if tree and owners else []
    made = {
        ast.unparse(target)
        for node in nodes
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and isinstance(node.value, ast.Call)
        and last_name(node.value.func) == owners[-1]
        for target in getattr(node, "targets", None) or [getattr(node, "target", None)]
        if target is not None
    }
    return any(one.rpartition(".")[0] in made for one in _callees(code, name))


def _owner(index: TreeIndex, id: str) -> str:
    """Return the beginning of names whose calls show nobody how the element is used.

    Those are all functions of its file for a public class, the methods of its class for
    a public method, and what is in itself for anything else.
    """
    qual = id.partition("::")[2]
    owner, _, name = qual.rpartition(".")
    if name.startswith("_"):
        return f".{qual}."
    definition = index.definition(id)
    if definition is not None and definition.kind == "class":
        return "."
    return f".{owner or qual}."


def said_in_document(index: TreeIndex, claim: DeferredClaim) -> str:
    """Check a sentence of a document that names the element."""
    document, _, text = claim.claimed.partition("\n")
    if document not in index.paths or not document.endswith(_DOCUMENTS):
        return f"there is no document {document}"
    if not occurs(text, index.read_text(document)):
        return f"{document} does not say so"
    name = display_name(claim.id.partition("::")[2]).rpartition(".")[2]
    named = (m[1] for m in _SPAN.finditer(text) if m[1].rpartition(".")[2] == name)
    means = any(_means(index, claim.id, one) for one in named)
    title = _title_above(text, index.read_text(document))
    means |= any(_means(index, claim.id, one) for one in _TITLE_NAME.findall(title))
    return "" if means else f"the sentence is not about {name}"


def _title_above(sentence: str, text: str) -> str:
    """Return the last title of a document above the first words of a sentence."""
    words = r"\W+".join(map(re.escape, _WORD.findall(sentence)[:_FIRST_WORDS]))
    found = re.search(words, text)
    above = text[: found.start()] if found else ""
    titles = [one[1] or one[2] for one in _TITLE.finditer(above)]
    return titles[-1] if titles else ""


def quotation_problem(code: str, text: str, known: set[str]) -> str:
    """Return why code is not quoted from a text, or has names that nothing explains.

    `known` are names that need no explanation.
    """
    imported, rest = _split_imports(code)
    if missing := misses_line(rest, text):
        return missing
    if lost := imported - _imports_in(text):
        return f"it does not import {min(lost)}"
    unknown = _unexplained_names(code) - known
    return f"nothing explains {min(unknown)}" if unknown else ""


def misses_line(code: str, text: str) -> str:
    """Return which line of a quotation a text lacks, in the order of the text."""
    lines = iter(text.expandtabs(4).split("\n"))
    for line in filter(str.strip, code.split("\n")):
        if line.strip() == _LEFT_OUT:
            continue
        if not any(line.strip() in _readings(one) for one in lines):
            return f"{line.strip()!r} is not there"
    return ""


@lru_cache(4096)
def _readings(line: str) -> tuple[str, ...]:
    """Return a line as it is, and without a prompt and options of a doctest.

    An assertion may also be read as what it calls, with what it compares this with, an
    item of a list without its comma.
    """
    plain = _DOCTEST_OPTION.sub("", line)
    bare = _PROMPT.sub("", plain).strip()
    return line.strip(), plain.strip(), bare, bare.removesuffix(","), *_asserted(bare)


def _asserted(line: str) -> Iterator[str]:
    """Yield the calls of an assertion of one line, without and with what comes out."""
    if not line.startswith(("assert", "self.assert")):
        return
    tree = _parse(line)
    node = tree.body[0] if tree else None
    sides: list[ast.expr] = []
    sign = "=="
    if isinstance(node, ast.Assert):
        sides = [node.test]
        if isinstance(node.test, ast.Compare) and len(node.test.comparators) == 1:
            sides = [node.test.left, node.test.comparators[0]]
            sign = _SIGNS.get(type(node.test.ops[0]), "")
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        method = last_name(node.value.func)
        sides = node.value.args[:2]
        sign = "is" if method in ("assertIs", "assertIsNone") else "=="
        if method == "assertIsNone":
            sides = [node.value.args[0], ast.Constant(None)]
        elif method in ("assertTrue", "assertFalse"):
            sides = sides[:1]
    texts = [ast.get_source_segment(line, one) or "None" for one in sides]
    for number, text in enumerate(texts):
        yield text
        if len(sides) == 2 and sign and _is_literal(sides[1 - number]):
            yield f"{text}  # {sign} {texts[1 - number]}"


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except ValueError:
        return False
    return True


def _split_imports(code: str) -> tuple[set[tuple[str, str]], str]:
    """Return what the imports at the head of a quotation bind, and the other lines."""
    lines = code.split("\n")
    count = 0
    while count < len(lines) and lines[count].startswith(("import ", "from ")):
        count += 1
    tree = _parse("\n".join(lines[:count]))
    found = {
        one for node in (tree.body if tree else ()) for one in imported_names(node)
    }
    return found, "\n".join(lines[count:])


@lru_cache(32)
def _imports_in(text: str) -> set[tuple[str, str]]:
    """Return what the import statements of a source, or of a document's code, bind."""
    if tree := _parse(text):
        return {one for node in ast.walk(tree) for one in imported_names(node)}
    plain = "\n".join(_PROMPT.sub("", line).strip() for line in text.split("\n"))
    return {
        one
        for match in _IMPORT.finditer(plain)
        if (tree := _parse(match[0]))
        for one in imported_names(tree.body[0])
    }


def _unexplained_names(code: str) -> set[str]:
    """Return the names that code reads and nothing in it binds, nor Python itself."""
    nodes = list(ast.walk(_parse(code) or ast.Module([], [])))
    annotations = [
        getattr(one, name, None) for one in nodes for name in ("annotation", "returns")
    ]
    aside = {id(one) for top in annotations if top for one in ast.walk(top)}
    used: set[str] = set()
    bound: set[str] = set(dir(builtins)) | {"__name__", "__file__"}
    for node in nodes:
        if isinstance(node, ast.Name) and id(node) not in aside:
            (used if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, DEFINITIONS):
            bound.add(node.name)
    return used - bound


def call_problem(code: str, name: str) -> str:
    """Return what is wrong with code that has to be valid and call a name."""
    if _parse(code) is None:
        return "it is no valid code"
    return "" if any(_callees(code, name)) else f"it does not call {name}"


def _parse(code: str) -> ast.Module | None:
    """Parse code whose last line may be the head of a definition."""
    for whole in (code, f"{code} ..."):
        try:
            return ast.parse(whole)
        except (SyntaxError, ValueError):
            continue
    return None


def _callees(code: str, name: str) -> Iterator[str]:
    """Yield the dotted names of calls whose last name is this one.

    Applying a decorator calls it.
    """
    tree = _parse(code)
    for node in ast.walk(tree) if tree else ():
        called = [node.func] if isinstance(node, ast.Call) else []
        decorators = getattr(node, "decorator_list", ())
        called += [one for one in decorators if not isinstance(one, ast.Call)]
        yield from (ast.unparse(one) for one in called if last_name(one) == name)


@lru_cache(32)
def _calls_of_site(text: str) -> tuple[list[tuple[str, str, bool]], set[str]]:
    """Return (last name, code, whether it has to fail) of calls, and imported names."""
    tree = _parse(text)
    calls: list[tuple[str, str, bool]] = []
    imported: set[str] = set()

    def visit(node: ast.AST, failing: bool) -> None:
        if isinstance(node, ast.With | ast.AsyncWith):
            heads = " ".join(ast.unparse(item.context_expr) for item in node.items)
            failing = failing or "raises" in heads.lower()
        if isinstance(node, ast.Import):
            imported.update(one.name for one in node.names if not one.asname)
        if isinstance(node, ast.Call):
            calls.append((last_name(node.func), ast.unparse(node), failing))
        for inner in ast.iter_child_nodes(node):
            visit(inner, failing)

    if tree:
        visit(tree, False)
    return calls, imported


def is_expected_to_fail(text: str, code: str, name: str) -> bool:
    """Return whether all calls of a text that read like the quoted one have to fail."""
    tree = _parse(code)
    quoted = {
        ast.unparse(node)
        for node in (ast.walk(tree) if tree else ())
        if isinstance(node, ast.Call) and last_name(node.func) == name
    }
    same = [failing for _, one, failing in _calls_of_site(text)[0] if one in quoted]
    return bool(same) and all(same)


def is_of_another_package(
    index: TreeIndex, text: str, site: str, code: str, name: str
) -> bool:
    """Return whether the callee begins with an imported module that is no file here."""
    roots = {one.partition(".")[0] for one in _callees(code, name) if "." in one}
    if not roots or roots & index.module_names:
        return False
    return roots <= _calls_of_site(text)[1]


def _means(index: TreeIndex, id: str, written: str) -> bool:
    """Return whether a name as written in a document can mean an element."""
    path, _, qual = id.partition("::")
    *owners, name = display_name(qual).split(".")
    before = written.split(".")[:-1]
    is_only = len(index.named(name)) <= 1  # none in a file that no parser reads here
    if not owners and re.search(
        rf"^(?:async )?def {re.escape(name)}\(\s*self\b",
        index.read_text(path) if path in index.files else "",
        re.MULTILINE,
    ):
        return is_only and bool(before)  # a class makes it its method
    if not before:
        return is_only and not owners
    rest = before[: len(before) - len(owners)]
    if before[len(rest) :] == owners and set(rest) <= set(dotted(path).split(".")):
        return True
    return is_only and bool(owners)


USAGE_CLAIMS: Mapping[str, DeferredCheck] = {
    "real call": real_call,
    "said in document": said_in_document,
}
