"""Make context rows: everything that samples may quote of an element or file.

Input are the tables `files`, `facts` and `graph`; output is the table `contexts`, which
`samples/tasks` turns into questions and answers. Read `contexts.py` first: it brings
the table up to date, and names the other files in the order in which it uses them.
"""
