"""Read commits, trees and blobs from git's object database; never run code from them.

In: a repository that pygit2 opens, and a revision. Out: a `Snapshot` (the files of one
commit or of the work tree, and how they differ from an earlier tree), the differences
that each commit made (`commit_diffs`), the nearest ancestor that qualifies
(`ancestors`), and the repository's public address (`remote`). Nothing here knows of
tables, samples or adapters, and nothing writes to the repository.

Read `snapshot.py` first; `tree_objects.py` is its fast path for raw tree objects.
"""
