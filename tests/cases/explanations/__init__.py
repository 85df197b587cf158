"""What code is for, in the words of its author, or by its code where there are none.

Docstrings, comments and documents go in, explanations and traces come out. Start with
`test_explanations.py`.
"""
