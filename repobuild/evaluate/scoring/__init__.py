"""Turn answers and losses into scores with confidence intervals; no model runs here.

In: a question, its checked answer, a model's answer, and the names that exist in the
repository. Out: marks of single answers and means over many. `strict_score.py` marks an
answer and is read first; it uses `exact_facts.py` (which facts are right) and
`truncate.py` (where a code completion ends). `staleness.py` scores questions about
recent changes, `general_loss.py` text from outside the repository, `first_scores.py`
the scores of the first comparison reports. `confidence.py` has the bootstrap.
"""
