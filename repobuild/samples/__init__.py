"""Make training samples from the graph, and decide which of them a model trains on.

In: the tables `facts`, `graph`, `commits`, `changes` and `files` of `repobuild.code`.
Out: the tables `contexts` (what is known about each element), `samples` (questions and
answers about it), `dataset` (each sample's split or drop reason), and exported files.
`contexts/` joins the facts, `text/` reads quoted text, `tasks/` makes the samples,
`changes/` makes samples about recent commits, `dataset/` filters and splits, `export/`
writes files. Start with `tasks/registry.py`, then `dataset/dataset.py`.
"""
