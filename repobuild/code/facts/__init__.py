"""Extract from one source file what it states by itself: the `facts` table.

In: a blob and its language. Out: a facts row (format: `parse.py`) with one
`ElementRow` for each function, class, method or section (format: `element_row.py`).
`syntax.py` runs a language's query file over the tree; `generic.py` turns the captures
into facts for every language without a module of its own, `python/`, `markdown.py` and
`rest.py` are such modules. `element.py` expands a stored row for readers. Read
`parse.py` first.
"""
