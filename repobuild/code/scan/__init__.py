"""Decide which files are analysed, in which language, and as which text.

In: the paths and blobs of a snapshot, and `configs/languages/*.toml`. Out: the `files`
table (`files.py`), and for a blob the UTF-8 source that all spans refer to
(`source_text.py`). Vendored, generated and minified files are recognised in
`generated.py`; project manifests are read in `manifest.py`, and what a setup.py
declares in `setup_script.py`. `file_roles.py` tells tests, tools and documents about
the past by their paths; `python_table.py` knows Python's own modules. Read
`language.py` first.
"""
