"""Resolve Python names.

In: chains such as `a.b().c` and the scope in which they are written. Out: the `Symbol`
that each one refers to, or None. `resolver.py` is the entry and composes the parts: the
module table (`modules.py`), imports, global names, members along the MRO, type
inference and local scopes. What a call runs that no name states is found by
`data_flow/`. Read `resolver.py` first.
"""
