"""Train a hypernetwork on a list of repositories.

In: a list of repositories and a base model. Out: a folder that `adapter.hypernet` may
name. `training_tasks.py` makes the tasks, `training_set.py` prepares what a step reads,
`objective.py` is the loss; read `hypernet_training.py` first, which is one run.
"""
