"""Say what code is for: features, short phrases such as "parse option string".

In: the table `facts`. Out: the table `features`. No model takes part: phrases come from
docstrings, from the rules by which names are formed, and from what a body calls. The
words are data (`configs/features.toml`, read by `vocabulary.py`).

Read `features.py` first (the table), then `element_feature.py` (one element) and
`phrase.py` (how words become a phrase).

Method: RPG-Encoder (arXiv:2602.02084) lifts the same phrases with a language model.
"""
