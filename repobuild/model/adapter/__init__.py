"""Train the adapter of a commit.

In: the commit's samples with their splits, the settings, and the adapters of earlier
commits. Out: a folder with PEFT's files, `manifest.bin` and `repobuild.json`, and the
row of the table `adapter`. Read adapter.py first: its docstring is the call map of this
folder, and its code is the step from decision to artifact. Then read train.py, which is
one training run. What a run shows is decided next door, in teaching/.
"""
