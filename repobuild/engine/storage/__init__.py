"""Keep a build's tables and artifacts on disk, safely against kills and damage.

Rows, digests and artifact folders go in; tables, artifacts and the history that `why`
needs come out. Read state.py first (the layout on disk), then database_schema.py (the
tables of the database), table.py and table_writer.py (reading and writing rows) and
artifact_store.py. damage_check.py and integrity.py find damage; garbage_collection.py
and memo_gc.py remove what is no longer needed.
"""
