"""Make samples about commits: what changed, moved or was removed, and still is.

Input are the tables `commits` and `changes` (a few hundred items), `graph` and
`contexts`. Output are two tables: `history` holds samples to train (change_samples.py),
`old_answers` holds questions that ask a model whether it dropped an old fact
(old_answers.py). Both start from the newest change of each element: read
`latest_change.py` first.
"""
