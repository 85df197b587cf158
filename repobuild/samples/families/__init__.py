"""Find families of siblings, and what a new sibling has to come with.

Input are `files`, `facts`, `graph` and `additions`; output is the table `families`, of
which `plan.py` makes the samples of `plans`. Read `families.py` first. A family's
siblings are found in `membership.py`, where they are registered in `registration.py`,
and everything else of the row in `family_row.py`.
"""
