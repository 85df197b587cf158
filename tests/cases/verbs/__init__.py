"""What users run and see: verbs in small repositories, pages, and what none may show.

Commands go in, what they print, write and refuse comes out. Start with
`test_first_contact.py`.
"""
