"""Find how the code of a repository is used, and how much.

In: the tables `files`, `facts` and `graph`. Out: three tables.

    documents    what documents say of names, and how their examples call them
    call_sites   the best call of each callee in each source file
    importance   a score of every element and file, from its use

Read `importance.py` first for what counts as use, then `call_example.py` for what makes
a call a good example.
"""
