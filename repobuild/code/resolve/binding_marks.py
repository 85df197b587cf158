"""Define the marks with which facts write bindings and chains (element_row.py).

They are plain strings: comparing with an enum's member costs 40 ns more in Python 3.11
(its class resolves the attribute on every access), in the innermost loop.
"""

from __future__ import annotations

from typing import Final

# The first character of a binding; the rest is its text.
DEFINITION: Final = "#"  # a qualified name of the same file
ALTERNATIVE: Final = "|"  # the same, instead of the definition before
IMPORTED_NAME: Final = "@"  # `module:name`
IMPORTED_MODULE: Final = "!"
ASSIGNED_NAME: Final = "="  # a chain
ASSIGNED_CALL: Final = "("  # the chain that is called
ANNOTATED: Final = ":"  # the annotation's source text
IN_FUNCTION: Final = "$"  # `qual:binding`: as the function `qual` binds it
DECORATED: Final = "^"  # `i:qual`: `qual`, decorated by its decorators from i on
LAMBDA: Final = "&"  # the number of a lambda among those of its scope
LAMBDA_PARAMETER: Final = "%"  # `i:k:name`: parameter k of lambda i

# Segments of a chain, after its first name and its `.attribute` segments.
CALL: Final = "()"
SUBSCRIPT: Final = "[]"
ITERATE: Final = "*"
AWAIT: Final = "!"
ENTER: Final = "~"  # the `with` statement
