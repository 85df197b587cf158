"""Whether what samples say is so: each claim against the tree that it was made from.

Question and answer are read as a reader would, by the frames of the question files
turned round (frame.py, structure.py); a text that no frame accounts for is wrong. The
tree is read by `ast` and `tokenize`. Nothing of `repobuild.code` or `repobuild.samples`
takes part; a test asserts it.

Proven, of Python: paths, names and that short ones are unambiguous, kinds, lines,
containers, signatures, parameters, defaults, types, example calls, quoted code token by
token, holes, what docstrings say, members and contents and whether they are all,
overrides, counts, commits with their subjects, what they added, removed, moved and the
lines that went and came.

Held against evidence that must be there: calls (the caller names the callee, or what
was bound to it), tests, imports, bases. Such a name may mean something else; an edge
without it is wrong for sure.

Not proven: that a list of callers is complete (only that "and others" has others to
mean); that an import list is complete; which folders are key modules; numbers of
elements in a project with files that `ast` cannot read (at least so many). Of other
languages: names, signatures, code and comments stand in the file as text; an end line
is only within the file.
"""
