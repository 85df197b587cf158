"""Sort the files of a repository into a functional hierarchy, commit by commit.

In: the tables `features`, `graph` and `cochange`. Out: the task table `areas`, whose
artifact is an `AreaMap` (`area_map.py`): areas, categories and subcategories, and the
subcategory of each file.

    file_words.py   what a file is compared by: the words of its path and features
    clustering.py   group directories and files by their words and edges
    encode.py       the hierarchy of a repository, from nothing
    evolve.py       the same after a commit: what was removed, changed and added
    labels.py       a name for a group of files
    directory_scopes.py  the fewest directories that hold a group of files

Read `areas.py` first, then `encode.py` and `evolve.py`.

Method: RPG-Encoder (arXiv:2602.02084), section 3 and appendix A, without a model.
"""
