"""How something is called: calls that a reader can copy, found or made up.

Code, tests and documents go in, examples come out. Start with `test_usage.py`.
"""
