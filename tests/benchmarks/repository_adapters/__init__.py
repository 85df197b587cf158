"""Whether an adapter made for a repository is that repository's: tasks and controls.

In: a list of git repositories, each at a commit. Out: tables of every way to adapt the
base to a repository, each beside its controls (battery.py). Read first tasks.py, which
says what is asked, then ceiling.py, which says what an ordinary adapter can gain.
`python -m tests.benchmarks.repository_adapters --help` runs it.

Source: "Code2LoRA" (arXiv 2606.06492) made adapters from a repository's embedding; this
measures the same claim with controls that its tables lack.
"""
