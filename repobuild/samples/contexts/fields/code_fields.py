"""Quote code for a context row: with what it needs, or short code whole."""

from __future__ import annotations

import re
from itertools import islice

from repobuild.samples.contexts.element_view import ElementView
from repobuild.samples.contexts.fields.row_parts import Row
from repobuild.samples.contexts.file_context import FileContext
from repobuild.samples.text.import_statements import has_star_import, needed_imports
from repobuild.samples.text.quote import Quote, are_twins, quoted_lines

_LONGEST_BODY = 300  # characters
_SHORT_CODE = 5  # lines below the first
_SHORT_RAW_CODE = 20  # the same with comments and docstring
_SHORT_CLASS = 16  # lines below the first of a class
_SHORT_RAW_CLASS = 40  # the same with comments
_LONGEST_CLASS = 700  # characters
_OUTLINE = 6  # signatures of siblings
_NO_CODE = ("", "pass", "...")  # bodies that tell nothing
_WORD = re.compile(r"\w+")


def code_fields(file: FileContext, element: ElementView, quoted: Quote) -> Row:
    """Return the code, the imports that it needs, and the signatures around it."""
    # What a reader of a hole in the code would see around it.
    siblings = (
        signature
        for signature, id in file.outline_signatures(element.parent)
        if id != element.id
    )
    outline = list(islice(siblings, _OUTLINE))
    code = f"{quoted.head}\n{quoted.body}"
    own = (parameter.name.lstrip("*") for parameter in element.parameters())
    # What is imported elsewhere in the file, or by a star, is needed as well, and in no
    # such list.
    is_whole = not has_star_import(file.facts)
    is_whole &= file.inner_imports.isdisjoint(_WORD.findall(code))
    needs = needed_imports(code, file.imports, own, internal=True)
    return {
        "head": quoted.head,
        "body": quoted.body,
        "outline": outline,
        "outline_cut": len(file.named_children(element.parent)) > len(outline) + 1,
        "needs": needs if is_whole else [],
        "twin": _has_twin(file, element, quoted),
    }


def _has_twin(file: FileContext, element: ElementView, quoted: Quote) -> bool:
    """Return whether another class of the file has the method, but for a line."""
    lines = quoted_lines(quoted)
    others = map(file.quoted_lines, file.namesakes(element))
    return any(are_twins(lines, other) for other in others)


def short_code(file: FileContext, element: ElementView) -> str:
    """Return code that is too short to be asked for, but tells what it does."""
    raw_lines = element.row.end_line - element.row.start_line
    is_plain = element.type != "class" and not file.children(element.qual)
    if raw_lines > _SHORT_RAW_CODE or element.is_stub or not is_plain:
        return ""
    quoted = file.quote(element)
    if quoted is None or quoted.ends_fence or quoted.body.strip() in _NO_CODE:
        return ""
    if quoted.lines > _SHORT_CODE + 1 or len(quoted.body) > _LONGEST_BODY:
        return ""
    return f"{quoted.head}\n{quoted.body}"


def short_class(file: FileContext, element: ElementView) -> str:
    """Return the code of a short class whose methods say nothing of themselves.

    Their names would tell nothing of what it does, sets, or passes on to its base.
    """
    children = file.children(element.qual)
    is_plain = all(one.type == "method" and not one.doc for one in children)
    raw_lines = element.row.end_line - element.row.start_line
    if file.language != "python" or not is_plain or raw_lines > _SHORT_RAW_CLASS:
        return ""
    quoted = file.quote(element)
    if quoted is None or quoted.ends_fence or quoted.body.strip() in _NO_CODE:
        return ""
    is_short = quoted.lines <= _SHORT_CLASS + 1 and len(quoted.body) <= _LONGEST_CLASS
    return f"{quoted.head}\n{quoted.body}" if is_short else ""
