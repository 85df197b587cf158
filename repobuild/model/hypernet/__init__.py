"""Generate a LoRA adapter from a repository, without training on it (Code2LoRA).

In: the repository's file vectors (`vectors.py`) or commit vectors, and a trained
hypernetwork, a folder of `hypernet.json` and safetensors (`folder.py`). Out: the
matrices of an adapter (`lora_weights.py`), as PEFT files. Read `strategy.py` for what a
build does, then `repository_input.py` and `residual_head.py`. `paper_head.py` and
`commit_state.py` have the published networks beside ours, `linear_generator.py` the
baseline without deep training, `training/` trains them.

Sources: Code2LoRA (arXiv 2606.06492), Text-to-LoRA (2506.06105), Zhyper (2510.19733).
"""
