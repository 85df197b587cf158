"""Build tables and artifacts incrementally from a git snapshot, like make.

Rules (rule.py), settings and a snapshot go in; up-to-date tables and artifacts come
out, together with the history that explains them. The engine knows nothing of code,
samples or models: a rule names a function, and contract.py is all that the function
sees of the engine. Read build.py first, then context.py and contract.py. The folders:
run/ runs one rule, storage/ keeps rows and artifacts on disk, explain/ answers why
something was built and what the next build would do. verify.py compares the state with
a clean build, override.py replaces an artifact (rollback).
"""
