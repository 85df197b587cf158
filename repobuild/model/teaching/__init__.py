"""Decide what an adapter is taught, and when.

In: samples with their splits, and what the parent adapter knows. Out: passes of facts.
teachable.py keeps the table of what may be taught, curriculum.py puts its facts in
order, lesson.py chooses those of one run, and scheduler.py plans its passes until they
are mastered. general_text.py holds what the adapter must not forget meanwhile. Nothing
here loads a model; adapter/ trains.
"""
