"""Resolve names in the languages other than Python.

In: the facts of a file. Out: the imports, calls and inheritance edges that leave it,
and the index terms that they depend on. What the languages share is in
`name_resolver.py`; what differs is in the link rules, one file a language (`go.py`,
`rust.py`, ...). To add a language, subclass `LinkRules` (`link_rules.py`) in a file of
its own, list it in `rules_by_language.py`, and name it as `links` in the language's
`configs/languages/*.toml`. Read `link_rules.py` first, then `name_resolver.py`;
the edges are made in `graph/linked_edges.py`.
"""
