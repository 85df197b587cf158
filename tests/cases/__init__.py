"""Cases: a small repository goes in, and what is made of it is compared with the truth.

The folders follow the way of the data: `repository/`, `code/`, then samples by their
kind, `overviews/`, `explanations/`, `usage/`, `relations/`, plans (`test_plans*.py`)
and, of all kinds, what readers found, `readings/`; last `verbs/`, what users run.
`sampled.py` builds and checks samples, `commands.py` runs git and the product. Start
with `sampled.py`.
"""
