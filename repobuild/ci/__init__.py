"""What continuous integration needs beside the other verbs.

In: a commit and the commit that a pull request is based on, the state, the settings.
Out: the recipe of a CI (`ci_recipe`), what a pull request changes (`pull_request`,
printed by `summary_page`), whether an adapter passed the gate (`gate`), and enough
history in a shallow clone (`history_needs`).

A pull request never trains and writes nothing that main reads: it is built in copies of
the state. Read pull_request.py first.
"""
