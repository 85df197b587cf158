"""What a project, a package, a file or a document is: introductions, parts, contents.

A small project goes in, the answers about the whole of it come out. Start with
`test_introductions.py`.
"""
