"""Run one stale rule: its inputs go in, the rows of its table come out.

There is one module per kind of rule: source.py, map.py, view.py and task.py; each
takes a `BuildContext` (engine/context.py) and a rule. Read view.py first, then map.py,
which computes rows in worker processes (worker.py) and skips those that the memo
knows. Users' rules come as Python source (script.py) or as programs (command.py).
"""
