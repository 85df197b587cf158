"""Write what is needed to build a repository again: an outline in dependency order.

In: the tables `facts`, `graph` and `features`, and the hierarchy of `areas`. Out: the
files of `repobuild export reconstruction`.

    dependency_order.py  what comes before what; cycles are groups
    skeleton.py          a file's source without bodies, from its facts
    reconstruction.py    the export as JSON, step by step
    round_trip.py        read the skeletons back: are the elements the same?
    reconstruction_page.py  the same for reading, as Markdown

Read `reconstruction.py` first.

Method: RPG-Encoder (arXiv:2602.02084), section 5 (reconstruction from the graph).
"""
