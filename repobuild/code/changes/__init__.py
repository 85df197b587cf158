"""Work out what each commit did to elements.

In: the last commits along first parents (`commits.py`) and the blobs that each changed.
Out: the `changes` table (format: `change.py`): elements added, removed, moved, renamed
or changed. `revision.py` compares two versions of one element, `rename_detection.py`
pairs elements that were removed with elements that were added. Read `change.py` first.
"""
