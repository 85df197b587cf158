"""Which files of a repository are read: finding it, its work tree, odd and slow files.

A commit goes in, rows of `files` and `licences` come out, or an error with its reason.
Start with `test_finding_the_repository.py`.
"""
