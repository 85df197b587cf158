"""Find the paths and names that a text mentions, and where the repository has them.

In: the text of an answer, and what exists in the repository. Out: the paths and names
in it (`mention_parser.py`, which the scores use as well), and for `repobuild ask` their
locations by index look-ups in the tables (`mention_finder.py` on `symbol_lookup.py`).
Read first: `mention_parser.py`, for its rule of what is a path and what is a name.
"""
