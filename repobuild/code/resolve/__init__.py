"""Resolve names: which function, class or module a name in the source refers to.

In: the facts of every file (`code/facts`): its definitions, bindings and calls, as they
are written. Out: a `Symbol` for each name that the repository defines, with a
confidence, and the terms that the lookup depended on, so that an update resolves only
the files that a change can affect. `code/graph` turns the symbols into edges.

`python/` resolves Python with scopes, imports, inheritance and type inference;
`linked/` resolves all other languages, with one file of link rules a language. Read
`symbol.py` first, then `python/resolver.py` or `linked/name_resolver.py`.
"""
