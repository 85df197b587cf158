"""Resolve Python names.

In: chains such as `a.b().c` and the scope in which they are written. Out: the `Symbol`
that each one refers to, or None. `resolver.py` is the entry and composes the parts: the
module table (`modules.py`), imports, global names, members along the MRO, type
inference and local scopes. What a call runs that no name states is `data_flow.py`'s, by
equations that `fixed_point.py` solves, with what `arguments.py` finds that calls pass.
Read `resolver.py` first.
"""
