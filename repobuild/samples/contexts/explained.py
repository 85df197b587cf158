"""Collect what is certain of an element that has no purpose in its docstring.

undocumented       it has no docstring at all
perhaps_documented a comment of C that is not read, a stub, or a docstring of which no
                   sentence can be quoted alone, and that has more than fields, may
                   tell of it
stale              the name that its docstring is about, and its code lacks
only_name          its docstring says no more than its name
copied             its docstring is that of another definition, too
told_by_setter     of a property: its setter has a docstring
comment            its purpose in the comment directly above it
inherited          [id, sentence]: the purpose of the method that it overrides
said               [path, sentence]: what a document says of it
constructor_says   of a class: the purpose in the docstring of its `__init__`
attributes         of a class: the public names that its body and methods set
member_summaries   of a class: {method: first sentence of its docstring}
raises             the exceptions that its own code raises by name
"""

from __future__ import annotations

import re

from repobuild.code.scan.language import all_languages
from repobuild.engine.contract import Value
from repobuild.samples.contexts.element_view import ElementView
from repobuild.samples.contexts.file_context import FileContext
from repobuild.samples.text.comment_above import comment_above, is_below_comment
from repobuild.samples.text.summary.purpose import (
    has_fields_alone,
    is_left_open,
    summarise,
)
from repobuild.samples.text.summary.sentences import sentences_before

Row = dict[str, Value]

_MOST_ATTRIBUTES = 13  # one more than an answer lists, which says so
_MOST_EXCEPTIONS = 4
# A sentence that ends in a list: "Context manager for tests that change settings:"
_ANNOUNCES = re.compile(r"(?:[^\s:]+ ){3,}[^\n:]*[:：][ \t]*(?:\n|$)")
_RAISE = re.compile(
    r"^[ \t]+raise ((?:[A-Za-z_]\w*\.)*[A-Z]\w*)(?=\(|[ \t]*$| from )", re.MULTILINE
)
# What a function sets and leaves behind, and a docstring that tells of another one.
_STATE = re.compile(
    r"^[ \t]+(?:(?:self|cls)\.[\w.]+(?:\[[^\]\n]*\])*[ \t]*(?::[^=\n]*)?"
    r"(?:[-+*/|&]|//|\*\*)?=(?!=)|(?:global|nonlocal) \w|setattr\((?:self|cls)\b)",
    re.MULTILINE,
)
_COUNTERPART = re.compile(
    r"(?i)\b(?:revers|invers|counterpart|opposite|complement|undo(?:es|ing)?\b"
    r"|see (?:also )?:?[`\w.]*[`_(])"
)
# What a function gets, returns or sets, by a name that is no English word.
_OBJECT = re.compile(
    r"(?:Gets?|Returns?|Sets?|Computes?|Reads?|Parses?|Creates?|Builds?) (?:the )?"
    r"`*([a-z]+_[a-z_]*[a-z])`*(?: |\.?$)"
)
# A sentence on what a function calls.
_CALLS = re.compile(
    r"(?:(?<=[.!?])\s+|\A)(?:It |Internally,? )?[Cc]alls? (?:the )?"
    r"`+(?:\w+\.)*(\w+)(?:\(\))?`+[^.!?]*(?:\.(?=\s|$)|\Z)"
)
_CONSTANT_OF_CLASS = re.compile(
    r"(?<![.\w])([A-Z]\w*)\.([A-Z][A-Z0-9_]+)(?!\w|\.\w|\()"
)
_STATIC = re.compile(r"\bstatic\b")
_LAMBDA = re.compile(r"\blambda\b([^:\n]*):")
_SET_BY_NAME = re.compile(r"(?:^[ \t]+|\b(?:self|cls)\.)(\w+)[ \t]*[:=](?!=)", re.M)
_LONG_STRINGS = ('"""', "'''")


def explained_fields(
    file: FileContext, element: ElementView, row: Row, is_only: bool
) -> Row:
    """Return the fields of an element whose row has no summary.

    `is_only` says that no other element has its bare name.
    """
    fields: Row = {}
    fields["copied"] = file.is_copied(element)
    fields["only_name"] = file.repeats_name(element)
    if any(one.doc for one in file.setters(element)):
        fields["told_by_setter"] = True
    elif not element.doc:
        fields["undocumented"] = True
        if file.language == "python":
            comment = comment_above(file.source, element.row.start)
            fields["comment"] = summarise(comment) if comment else ""
            is_in_stub = file.reader.is_documented_in_stub(element.id)
            fields["perhaps_documented"] = is_in_stub
        else:
            fields["perhaps_documented"] = _is_perhaps_documented(file, element)
    elif not (fields["only_name"] or has_fields_alone(element.doc)):
        fields["perhaps_documented"] = True  # in words that are not understood
    if _ANNOUNCES.match(element.doc.strip()) or is_left_open(element.doc):
        fields["perhaps_documented"] = True  # by a list that cannot be quoted alone
    for overridden in row.get("overrides", ()):
        if sentence := file.reader.sentence(overridden):
            fields["inherited"] = [overridden, sentence]
    fields["said"] = file.usage.said_of(element, is_only)
    if element.type == "class":
        fields["constructor_says"] = _constructor_says(file, element)
        fields["attributes"] = _attributes(file, element)
        fields["member_summaries"] = {
            one.name: sentence
            for one in file.children(element.qual)
            if one.name in row.get("members", ()) and file.is_effective(one)
            if (sentence := file.reader.sentence(one.id))
        }
    elif file.language == "python" and not file.children(element.qual):
        fields["raises"] = _raised(file.code(element))
    return fields


def _is_perhaps_documented(file: FileContext, element: ElementView) -> bool:
    """Return whether a comment may tell of an element without documentation.

    That is one above it which heads a group or is set apart, or one in a header of C,
    which may declare all that is not `static`.
    """
    if is_below_comment(file.source, element.row.start):
        return True
    is_of_c = all_languages()[file.language].links == "c"
    return is_of_c and not _STATIC.search(element.signature)


def stale_name(summary: str, element: ElementView, code: str) -> str:
    """Return the name that a docstring says is returned or set, and the code lacks.

    "Get version_info without ..." above code of which no line has `version_info`: it
    was written for other code. "" where the docstring names nothing, or what is there.
    """
    told = _OBJECT.match(summary)
    if told is None:
        return ""
    written, quoted = (
        len(re.findall(rf"(?<!\w){told[1]}(?!\w)", text))
        for text in (code, element.doc)
    )
    return told[1] if written <= quoted else ""  # the code holds the docstring


def without_absent_constants(summary: str, file: FileContext) -> str:
    """Return what a summary says before it names a constant that a class lacks.

    "Use the constants, ex. DateTime.MONDAY" outlived `MONDAY` of the class `DateTime`.
    Only what the file itself has of the class counts: nobody misses the sentence.
    """
    for told in _CONSTANT_OF_CLASS.finditer(summary):
        owner = file.elements.get(told[1])
        if owner is None or owner.type != "class" or file.language != "python":
            continue
        set_here = rf"^[ \t]+(?:(?:self|cls)\.)?{told[2]}\b[ \t]*(?::[^=\n]*)?(?:=|$)"
        set_later = rf"^{told[1]}\.{told[2]} = "
        names = {one.name for one in file.children(owner.qual)}
        code = file.code(owner)
        if told[2] in names or re.search(set_here, code, re.MULTILINE):
            continue
        if re.search(set_later.encode(), file.source, re.MULTILINE):
            continue
        return sentences_before(summary, told.start())
    return summary


def without_absent_calls(summary: str, element: ElementView, code: str) -> str:
    """Return a summary without sentences on calls of which the code has no word.

    "Calls `Cache.set` internally." above a body without `set` was written for others.
    """

    def keep(told: re.Match[str]) -> str:
        word = rf"(?<!\w){told[1]}(?!\w)"
        written, quoted = (len(re.findall(word, one)) for one in (code, element.doc))
        return told[0] if written > quoted else ""  # the code holds the docstring

    return _CALLS.sub(keep, summary).strip()


def _constructor_says(file: FileContext, element: ElementView) -> str:
    """Return what the docstring of `__init__` says that a class is for."""
    constructor = file.elements.get(f"{element.qual}.__init__")
    if element.doc or constructor is None or not constructor.doc:
        return ""
    return file.purpose(constructor, summarise(constructor.doc))


def reaches_beyond(file: FileContext, element: ElementView) -> bool:
    """Return whether a change of a function concerns more than those who call it."""
    if element.type == "class" or file.language != "python":
        return False
    return bool(_COUNTERPART.search(element.doc) or _STATE.search(file.code(element)))


def _attributes(file: FileContext, element: ElementView) -> list[str]:
    """Return the public attributes of a class in the order in which they are set."""
    children = {child.name for child in file.children(element.qual)}
    code = file.code(element) if file.language == "python" else ""
    # A class body binds them, too, but nobody can read them from its objects.
    taken = {
        name for one in _LAMBDA.findall(code) for name in re.findall(r"\w+", one)
    } - set(_SET_BY_NAME.findall(code))
    children |= taken
    return [
        name
        for name in element.row.attrs
        if name.isidentifier() and name[0] != "_" and name not in children
    ][:_MOST_ATTRIBUTES]


def _raised(code: str) -> list[str]:
    """Return the exceptions that code raises; none where a string may hold one."""
    if any(quotes in code for quotes in _LONG_STRINGS):
        return []
    return list(dict.fromkeys(_RAISE.findall(code)))[:_MOST_EXCEPTIONS]
