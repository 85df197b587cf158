"""Look up the facts that answer a question, in the tables of a build.

In: a question in a user's words. Out: facts, the best first, or that something is not
there, or not known. `retrieval.py` finds them by what the question names
(`name_marker.py` finds names in plain words) and by the kind of fact that it asks for
(`question_reader.py`, which reads `asked.py` beside the taught phrasings).
`unsampled.py` answers what no sample tells. Read first: `retrieval.py`.
"""
