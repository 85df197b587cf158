"""Train `tiny`, the base model that ships with repobuild, and put it into the cache.

In goes the standard library of the running Python; out comes a Qwen3 model of 5 million
parameters with its own tokenizer. The order of the data: `corpus.py` cuts the files
into texts and writes questions about them, `tokenizer.py` learns the vocabulary,
`pretrain.py` trains the weights, `bundle.py` makes the result the default model. Read
`pretrain.py` first. Nothing here runs during a build.
"""
