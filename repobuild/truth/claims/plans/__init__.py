"""Check plans: siblings are siblings, and every count and quotation is counted again.

In: a `PlanSubject`, which is a sample of `plans` with the tree to check it against.
Out: the `CheckedClaim`s of its text. A plan's `evidence` names all that its numbers
count: the siblings, those that a place or a test names, and the commits. The tree has
to show each of them, and the text has to have just these numbers. Read
`plan_claims.py` first: it reads each step by `step_readings.py` and hands it to the
check of its kind. The table at the end of each `..._steps.py` maps kinds of steps to
their checks: what a new sibling defines (`definition_steps.py`), what it needs of its
own besides (`companion_steps.py`), where it is entered (`place_steps.py`), where it is
tested (`coverage_steps.py`), and what commits touched (`history_steps.py`).
`sibling_claims.py` checks the siblings themselves.
"""
