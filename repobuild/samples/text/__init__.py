"""Prepare text that samples quote: prose from docstrings, code from definitions.

Input is one docstring, one file's source or one sample at a time; nothing here reads a
table. Output is plain values: a summary line, the two halves of a definition, the
import statements that code needs, the words that a sample quotes. The folder `contexts`
stores the first three in its rows; `dataset/copies.py` compares the last. The
folder `summary` finds what a docstring says its element is for. Read `quote.py` (code)
and `docstring_parts.py` (prose) first.
"""
