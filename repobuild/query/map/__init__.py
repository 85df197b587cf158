"""Draw the repository graph as one HTML page: a map, with a slider over commits.

In: a `GraphView`. Out: the text of a document that asks nothing of any network.

    map_nodes.py    areas, files, elements and edges as columns of numbers and names
    past_areas.py   the hierarchies of the last commits
    map_history.py  what the last commits added, removed, moved and renamed
    map_page.py     the document: data, policy, style sheet and program
    assets/         the program (`*.js`, in the order of their numbers) and its style

Read `map_page.py` first. The program is written for this page and uses no library.
"""
