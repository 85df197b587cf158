"""Make questions and answers about one element: one module for each task type.

In: a row of `contexts`, all that is known about an element. Out: its row of `samples`,
`{"#TASK.LANGUAGE.NUMBER": sample}`. A task module yields facts; `facts.py` asks each
fact in several phrasings, which `phrases.py` reads from `configs/questions/*.toml`;
`answer_parts.py` and `trace.py` render what answers share. Start with `registry.py`,
which lists the task types and the steps for a new one.
"""
