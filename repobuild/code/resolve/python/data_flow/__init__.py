"""Follow functions through data, to calls that no name in them states.

In: a called chain and its scope. Out: the functions that it may run.

    data_flow.py      the values of chains, names, members, results and items
    arguments.py      what calls pass to a parameter
    passing_sites.py  where something is passed, by the name of what is called
    landing.py        in which parameter an argument lands
    record_fields.py  the parameters that a class has from its fields
    value_sets.py     sets of values
    fixed_point.py    the equations between such sets, and their solution

Read `data_flow.py` first.
"""
