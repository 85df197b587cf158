"""Extract the facts of a Python module beyond what its query file can state.

In: the outline of a module (`facts/syntax.py`). Out: a facts row with parameter kinds,
docstrings, cyclomatic complexity, and the bindings from which `resolve/python` works
out what a name means. Read `module.py` first, then `binding.py`; what containers hold
is `contents.py`'s, where values go `flow.py`'s.
"""
