"""Look at a repository and at a machine before anything is trained.

In: the files of a commit, the settings, the tables of a build, and what the system says
of its processors, memory and graphics cards. Out: which languages are read and which
lack a grammar, whether there is enough to train on, the settings that `repobuild init`
proposes, and the checks of `repobuild doctor`. Nothing here imports torch. Read
source_survey.py first.
"""
