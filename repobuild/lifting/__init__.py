"""Let a model say what code is for, where names and docstrings say too little.

In: the tables `features` and `facts`, the hierarchy of `areas`, and an endpoint
(`graph.llm`). Out: the task table `lifted`, whose artifact is a `LiftedPhrases`: a
phrase for each element and file whose own features are weak, and a label for each node
of the hierarchy. Only readers of the graph use them (query/lifted_features.py): no
table is made from `lifted`, so no sample says what a model guessed.

    lifted_phrases.py  the artifact
    lifting_prompt.py  what is asked, and what counts as an answer
    lifted.py          the task: what is new is asked, in batches

Read `lifted.py` first.
"""
