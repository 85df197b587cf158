"""Ask what a colleague would, for a person to judge the answers beside the sources.

A TOML file for each repository has the questions and what its sources say. They were
written before any answer had been read. Read `ask.py`; docs/benchmarks/training.md has
the counts.
"""
