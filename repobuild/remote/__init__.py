"""Share what builds have made: rows and artifacts go to a remote and come back.

`push` takes the tables and artifacts of a built commit to a folder, S3, GCS or SFTP;
a build, or `cache pull`, takes what it lacks from there, or over HTTP. What arrives is
hostile until its signature, its sizes and its digests hold; what does not hold counts
as missing. A broken remote costs a build seconds and never fails it.

Read first: cache_entry.py (what is stored under which name, and what is signed), then
row_chunks.py (how a table is cut), push.py and pull.py. cache_files.py reads and writes
files by fsspec, circuit_breaker.py bounds what that may cost.
"""
