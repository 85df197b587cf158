"""Analyse the repository's code: from git's tree to a graph of symbols.

In: the blobs and commits of a snapshot (`repobuild.git`). Out: the tables `files`,
`facts`, `graph`, `commits`, `changes` and `licences`, from which `samples` renders
questions and answers. The folders follow the data:

    scan       which files are analysed, in which language, and as which text
    facts      what one file states: its elements, imports, calls and bindings
    resolve    what those names mean across files
    graph      nodes and edges of the repository, the project's summary, JSON exports
    changes    what each commit did to elements: added, moved, renamed, changed
    licence    the licence of every file

Read first: `facts/parse.py` (what a facts row holds), then `graph/graph.py`.

To add a language, write `configs/languages/NAME.toml` and `NAME.scm`;
`scan/language.py` documents both, docs/languages.md adds one step by step. That alone
yields elements, calls and imports as written. To link its names to other files, set
`links` to one of the rule sets of `resolve/linked` (read link_rules.py there), or add
one, with a reader of its import statements in `facts/imported_names.py`. Only when a
query file cannot state enough does a language need a module of its own, named by
`refine`, as Python (`facts/python/module.py`) and Markdown (`facts/markdown.py`) have.
"""
