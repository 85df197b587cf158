"""Parse the command line, call the room that does the work, and print what it returns.

In: arguments. Out: text on stdout (or one JSON object with `--json`), messages on
stderr, and an exit code. Each verb is a file of its name with a click command in it;
`main.py` finds it by that name and turns errors into exit codes. Read `main.py` first,
then `build.py`.

The other files print parts that several verbs share: `options` (flags), `output` (JSON
or text from one object), `progress` (bars), `adapter_lookup` (which adapter a verb
means), `adapter_facts` and `adapter_text` (an adapter as JSON and as text),
`reason_text` (why something was made), `dataset_counts` (`show dataset`), `claim_audit`
(`verify --samples`), `side_by_side` and `mention_list` (`ask`), `signals` (Ctrl-C and
others).
"""
