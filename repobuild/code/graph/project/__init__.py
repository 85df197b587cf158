"""What the project is as a whole: the row `@project` of the graph.

Counts of all files come in (counts.py); technologies, key modules and the words of
manifests and READMEs go out. Start with project.py.
"""
