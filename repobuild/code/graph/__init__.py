"""Build the repository graph: elements, and edges between them.

In: the `facts` table, and the resolvers of `repobuild.code.resolve`. Out: the `graph`
table (format and queries: `graph.py`), its `@project` row (the folder `project`), and
two JSON exports (`analysis_export.py`). Read `graph.py` first.
"""
