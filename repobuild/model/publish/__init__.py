"""Write folders that can be published: an adapter, a merged model, a base model.

In go the current adapter of a commit and the tables that it was made from; out come the
model's files, readable by current and older libraries, and a model card. Read
`publication.py` first: it collects the facts and writes the folder. `model_card.py` and
`serving_recipes.py` turn facts into the text of README.md, `hub.py` writes the files.
"""
