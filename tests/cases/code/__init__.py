"""What facts and the graph say of code: bindings, imports, branches, other languages.

Files go in, names and edges come out, and claims about them that hold. Start with
`test_imports.py`.
"""
