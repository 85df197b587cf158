"""Find where in a repository a text is about: from an issue to files and functions.

In: the tables `lexicon` (the terms of every unit of code) and `touches` (what the last
commits touched), and the text. Out: files and elements, best first. No model is asked.

Read `ranking.py` first, then `evidence.py`: the signals. `ranked_files.py` keeps what
is the same for every text. `words.py` splits texts into terms, `lexicon.py` stores
them, `lexical.py` scores them, `touches.py` reads the history, `issue_text.py` reads
what the text names outright.
"""
