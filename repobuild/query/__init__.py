"""Answer questions of people and agents from the repository graph, reading only.

In: the tables `graph`, `features`, `cochange`, `importance`, `facts`, `files`, and the
hierarchy of `areas`. Out: replies as plain data, the same for `repobuild graph` and for
the MCP server.

    graph_view.py    the tables of one build, opened for reading
    freshness.py     which commit a reply is about, and what changed since
    reply.py         the form of a reply, and its budget of tokens
    search.py        from words to nodes
    node_facts.py    one node: what it is, where, what for
    exploration.py   callers and callees, step by step
    impact.py        who is affected by changing something, tests included
    change_summary.py  what changed between two commits
    tools.py         the tools themselves, with the parameters of the paper
    mcp_server.py    these tools for agents
    map/             all of it as one HTML page

Read `tools.py` first. Every reply says which commit it is about and whether it was cut;
nothing is visited twice; callers and callees are called so.

Method: RPG-Encoder (arXiv:2602.02084), section 4 and appendix A: SearchNode, FetchNode,
ExploreRPG.
"""
