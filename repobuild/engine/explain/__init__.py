"""Explain what a build did and forecast what the next one would do; change nothing.

The recorded history of rows, tables and artifacts goes in (storage/row_changes.py,
storage/run_history.py); typed reasons and forecasts come out. The command line turns
them into sentences (cli/reason_text.py). Read reason.py first (the records), then
why.py, which answers `repobuild why`, and forecast.py, which answers `status`.
"""
