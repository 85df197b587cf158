"""Tell the heading of a group of functions from the documentation of the first one.

__init__, destructor and __next__       a heading
pool_take(), pool_give(): both count    a heading
Opens, reads and closes                 no heading: words, and no name among them
"""

from __future__ import annotations

import re

_NAME = r"[\w$]+(?:\(\))?"
_NAMES = re.compile(rf"{_NAME}(?:(?:, and |, | and | & ){_NAME})+")
_NO_WORD = re.compile(r"\w_|_\w|\(\)")
_END = re.compile(r"(?: (?:functions|methods|slots|callbacks))?(?:[.:](?= |$)|$)")
_SPECIAL_FIRST = re.compile(r"__\w+__(?:\(\))?(?:,| and )")
_LONGEST = 400


def is_group_heading(comment: str) -> bool:
    """Return whether a comment begins by naming several functions."""
    text = " ".join(comment[:_LONGEST].split())
    if _SPECIAL_FIRST.match(text):
        return True
    names = _NAMES.match(text)
    if names is None or not _NO_WORD.search(names[0]):
        return False
    return bool(_END.match(text, names.end()))
