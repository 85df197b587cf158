"""Load models and tokenizers of others as data, never as code.

In goes the folder of a model (or a hub id, whose files are downloaded first), out come
transformers' and peft's objects. `pretrained.py` holds every `from_pretrained` of the
package. Before it calls one, the folder was checked: `model_files.py` (readable JSON,
no code, no kernels, no pickles), `weight_check.py` (numbers of the configuration
against the headers of the weights) and `chat_template.py` (rendered once in a child
process, `template_child.py`). Read `pretrained.py` first.
"""
