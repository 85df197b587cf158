"""Find the licence of every analysed file, as an SPDX expression.

In: file headers, licence files and manifests. Out: the `licences` table
(`licences.py`), which also names the file that states the licence. `detect.py`
recognises a licence in a text. Read `licences.py` first.
"""
