"""Find families of siblings, and what a new sibling has to come with.

Input are `files`, `facts`, `graph` and `additions`; output is the table `families`, of
which `plans/` makes the samples of `plans`. Read `families.py` first. A family's
siblings are found in `membership.py`; its row is put together in `family_row.py`:

    sibling_members   what the siblings define
    sibling_models    which of them can be the model for a new one
    named_sites       where they are named, by the mentions of `registration.py`
    sibling_keys      by which keys they are known elsewhere, and what has these
    shared_habits     what is done for each: decorators, calls, imports
    sibling_tests     which tests cover them, which lists in tests hold all
    past_additions, together   what came along when one was added
"""
