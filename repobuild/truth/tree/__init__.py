"""Read what the repository itself says, without the package's own analysis.

In: the bytes of one blob, or a commit. Out: definitions, sections, imports and names of
one file (`FileEvidence`), the index over all files (`TreeIndex`), and the two versions
of a definition that a commit changed (`FileVersion`). Only the standard library parses:
`ast` and `tokenize` for Python, line patterns for documents; every other language is
plain text. Read `tree_file.py` first, then `python_reader.py`, `file_evidence.py` and
`tree_index.py`.
"""
