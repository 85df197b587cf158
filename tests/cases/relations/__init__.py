"""Who uses, tests, calls or changes with what: lists that are whole, or say otherwise.

Edges of the graph go in, lists of names come out. Start with
`test_complete_relations.py`.
"""
