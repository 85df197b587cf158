"""Make the groups of fields that a context row consists of, one file a group.

Input are a `FileContext`, an `ElementView` and the graph; output are parts of rows, or
the whole row of a file or a section. `context_rows.py`, one folder up, describes the
fields and combines them. Read `neighbour_fields.py` first: most of the other files find
the lists in it.
"""
