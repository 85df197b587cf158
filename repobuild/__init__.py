"""Keep a LoRA adapter of a git repository current, as make does a program.

In: a git repository and its settings (`repobuild.toml`). Out: tables of facts, a graph,
samples and a dataset, and from them the adapter and its report, all kept in
`.git/repobuild` and rebuilt only where a commit changed something.

The folders in the order of the data: `git` reads commits, `code` extracts facts and
their graph, `samples` makes the dataset, `model` trains the adapter, `evaluate` scores
it. `engine` decides what must be built again, `truth` checks every sample against the
repository by independent code, and `cli` is the command line. Read `checkout.py` first:
every verb starts from it.
"""

__version__ = "0.1.0"
