"""Make plans of the rows of `families`: a requirement, reasons, steps and an example.

In: a row of `families`, which is a family, one sibling as the model, or the files that
changed with a file. Out: the samples of the table `plans`. Read `plan_samples.py`
first. A plan for a new sibling is put together in `plan_answer.py`, from the steps
about what it defines (`plan_contents.py`), what it needs besides itself
(`plan_companions.py`) and where it is entered (`plan_places.py`). They all take a
`PlanScope`. `plan_evidence.py` writes what the checker counts again.
"""
