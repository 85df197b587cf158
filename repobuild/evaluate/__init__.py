"""Score the base model, the parent adapter and the new adapter, and write the report.

In: the tables `dataset`, `samples`, `graph`, `contexts` and `old_answers`, the rows of
`adapter`, and the models themselves. Out: a row of the table `report` with the headline
scores, and the files that `report.py` lists (JSON, one HTML page, the models' answers).
`report.py` is the entry: it collects the questions (`question_set.py`), asks each model
(`answers.py`, with a cache across reports), marks the answers (`comparison.py`, with
`scoring/`), and draws the page (`page/`). `mentions/` finds the names and paths that an
answer mentions, `lookup/` the facts that answer a question; `repobuild ask` uses both.
Read first: `report.py`.
"""
