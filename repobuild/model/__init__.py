"""Train a LoRA adapter on the base model; compare, merge and publish it.

In go the `dataset` table and the base model that `base.model` names; out come the
adapter of each commit (`adapter/`), a merged model (`merge.py`), answers and losses
(`generate.py`) and folders to publish (`publish/`). `compute/` has faster ways to
compute the same training step, `bundled/` trains the base model that ships with
repobuild, `packaged.py` takes another out of a package, and `token_budget.py` counts
tokens for `samples.max_tokens`. Read
`adapter/adapter.py` first: it is the task that decides whether a commit continues,
retrains or keeps its parent's adapter. Then `base.py` (which model) and
`conversation.py` (from a sample to tokens).
"""
