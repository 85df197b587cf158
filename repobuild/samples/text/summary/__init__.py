"""Summarise docstrings in whole sentences.

Input is one docstring or a paragraph of it; output is text on one line, "" where it
tells no purpose. Read `purpose.py` first: it looks for the purpose in the paragraph
that `first_paragraph.py` finds, and `sentences.py` cuts it.
"""
