"""Render `report.json` as one HTML page without scripts, fonts or network access.

In: the report as plain data, also one that an earlier version stored. Out: the text of
the document. `page.py` is read first: it has the document, its head and its foot, and
joins the sections `score_section.py`, `history_section.py` and `question_list.py`.
`bar_plots.py` (HTML) and `line_plots.py` (SVG) draw the plots, `html_format.py` formats
numbers and names, `css.py` is the style sheet.
"""
