"""Check that everything samples say is true of the tree that they were made from.

In: samples, and a git tree. Out: an `Audit` with the number of claims of each name and
every claim that is wrong. Each sample is read back into claims: its question and answer
are matched against the templates of the question file (`answer_template.py`), and each
field of the match makes one claim (`structure.py` says which). A text that no template
accounts for is wrong. Each claim is then checked against the tree (`claims/`), which
`ast` and `tokenize` parse (`tree/`). No code of `repobuild.code` or `repobuild.samples`
takes part, so that an error there cannot hide itself; a test asserts it. Read in this
order: `structure.py` (and to add a check, begin there), `answer_template.py`,
`sample_check.py`, `claims/local_claims.py`, `tree/`, and `audit.py`, which runs it all.

Proved, for Python: paths, names and that short ones are unambiguous, kinds, lines,
containers, signatures, parameters, defaults, types, example calls, quoted code token by
token, masked code, docstring quotations, members and contents and whether they are
complete, overrides, counts, commits with their subjects, what they added, removed and
moved, and the lines that they removed and added.

Checked against necessary evidence: calls (the caller names the callee, or what was
bound to it), tests, imports, bases. The name may mean something else, but a relation
without it is certainly wrong.

Not proved: that a list of callers is complete (only that "and others" can have others);
that a list of imports is complete; which folders are key modules; numbers of elements
in a project with files that `ast` cannot parse (only a minimum). For other languages,
names, signatures, code and comments must occur in the file as text, and an end line
must only be within the file.
"""
