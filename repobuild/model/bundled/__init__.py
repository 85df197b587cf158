"""Train `tiny`, the base model that ships with repobuild, and put it into the cache.

In go the standard library and the permissively licensed packages on this machine; out
comes a Qwen3 model of 5 million parameters with its own tokenizer, which knows code and
what is asked about a repository. The order of the data:

    packages.py          packages become git repositories, some under invented names,
                         with commits that never were (invented_history.py)
    question_facts.py    each repository is built; its facts are kept
    question_texts.py    facts are asked, in every phrasing that is not held out
    grounded.py          facts are asked below facts, so that the model reads its prompt
    corpus.py            code is cut into pieces, some with a hole
    training_rows.py     the texts of an epoch are drawn, tokenised and packed
    tokenizer.py         the vocabulary is learnt, once
    pretrain.py          the weights are trained
    bundle.py            the result becomes the default model

Read `pretrain.py` first. Nothing here runs during a build.
"""
