"""Decide for each sample: its split, or the reason why it is dropped.

In: all tables of samples (`all_samples.py` reads them as one), `licences`, `reviews`
and `balance`. Out: the table `dataset`. Start with `dataset.py`, which lists every
decision in order and the file that makes it: `quality_filter.py` (format, length,
repetition), `secrets_filter.py`, `split.py`, `copies.py`, `review_filter.py`,
`licence_filter.py` and `budget.py`. `summary.py` counts the result; `sample_schema.py`
checks rows of users' own rules.
"""
