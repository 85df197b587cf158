"""Render chat templates of others, each once and within bounds.

A chat template is a program in Jinja's language. One of a few hundred bytes can loop
for hours or make a string of 10 GB; the sandbox that transformers renders it in bounds
neither. So repobuild renders a template that is not its own in a child process
(template_child.py) with bounds on CPU time, memory and output, and uses that text: this
process never renders it. A verdict is kept for the life of the process.

Rendering takes a tenth of a second, and nothing for the embedded model.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from repobuild.errors import UsageError
from repobuild.model.load.model_files import TOKENIZER_CONFIG, read_object

# Used when a base has no chat template of its own; saved with the adapter.
PLAIN_TEMPLATE = (
    "{%- for message in messages %}"
    "{%- if message['role'] == 'user' %}"
    "{{- '### Question\\n' + message['content'] + '\\n\\n### Answer\\n' }}"
    "{%- else %}{{- message['content'] + eos_token }}{%- endif %}"
    "{%- endfor %}"
)
EMBEDDED_TEMPLATE = (
    "{%- for message in messages %}"
    "{{- '<|im_start|>' + message['role'] + '\\n'"
    " + message['content'] + '<|im_end|>\\n' }}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}"
    "{{- '<|im_start|>assistant\\n' }}"
    "{%- endif %}"
)
# For templates that put today's date into the prompt (Llama 3.2): the date that they
# use without a clock. With today's date, equal inputs would train another adapter.
DATE = "26 Jul 2024"
CPU_SECONDS = 5
WALL_SECONDS = 30  # more than CPU_SECONDS on a busy machine
MEMORY = 1 << 30  # bytes of address space; Python and Jinja take 40 MiB of them
CHARACTERS = 100_000  # of all texts; the longest published template makes 3,000
_LONGEST_TEMPLATE = 1 << 20  # characters; published ones have up to 20,000
_CHILD = Path(__file__).with_name("template_child.py")
_REMEDY = "repair the template, remove it, or set base.model to another model"

Messages = Sequence[Mapping[str, str]]


def render_template(
    template: str,
    conversations: Sequence[tuple[Messages, bool]],
    variables: Mapping[str, Any],
    name: str = "the chat template of the tokenizer",
) -> list[str]:
    """Return the text of each (messages, whether an answer is asked for).

    Thinking is switched off; templates without thinking ignore that. Raises
    `UsageError` when the template fails or goes beyond its bounds.
    """
    renders = [
        {
            **variables,
            "messages": [dict(message) for message in messages],
            "tools": None,
            "documents": None,
            "add_generation_prompt": asked,
            "enable_thinking": False,
            "date_string": DATE,
        }
        for messages, asked in conversations
    ]
    answer = _answer(template, json.dumps(renders, sort_keys=True, default=str))
    if isinstance(answer, str):
        raise UsageError(f"{name} cannot be used: {answer}\n{_REMEDY}")
    return list(answer)


@lru_cache(maxsize=64)
def _answer(template: str, renders: str) -> tuple[str, ...] | str:
    """Return the rendered texts, or in one text why there are none."""
    if len(template) > _LONGEST_TEMPLATE:
        return f"it has {len(template):,} characters"
    if template in (PLAIN_TEMPLATE, EMBEDDED_TEMPLATE):
        from repobuild.model.load import template_child

        return tuple(template_child.render(template, json.loads(renders), DATE))
    limits = {"seconds": CPU_SECONDS, "memory": MEMORY, "characters": CHARACTERS}
    request = {
        "template": template, "renders": json.loads(renders), "date": DATE,
        "limits": limits,
    }  # fmt: skip
    try:
        done = subprocess.run(
            [sys.executable, "-P", str(_CHILD)],
            input=json.dumps(request),
            capture_output=True,
            encoding="utf-8",
            timeout=WALL_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"it takes more than {WALL_SECONDS} seconds"
    if done.returncode < 0:  # a signal: SIGXCPU, or SIGKILL at the hard limit
        return f"it takes more than {CPU_SECONDS} seconds or too much memory"
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        return f"its process ended with {done.returncode}"
    return answer.get("error") or tuple(answer["texts"])


# --------------------------------------------------------------------- of a folder


def check_template(folder: Path) -> None:
    """Render the chat template of a model's folder once, if it has one.

    Raises `UsageError` that names the file of a template that fails.
    """
    path, template = find_template(folder)
    if not template:
        return
    if not isinstance(template, str):
        raise UsageError(f'the chat template in "{path}" is no text\n{_REMEDY}')
    settings = folder / TOKENIZER_CONFIG
    tokens = read_object(settings) if settings.is_file() else {}
    variables = {
        key: value["content"] if isinstance(value, dict) else value
        for key, value in tokens.items()
        if key.endswith("_token")
        and isinstance(value.get("content") if isinstance(value, dict) else value, str)
    }
    question = {"role": "user", "content": "Where is `main`?"}
    answer = {"role": "assistant", "content": "In `main.py`."}
    asked = [([question], True), ([question, answer], False)]
    render_template(template, asked, variables, f'the chat template in "{path}"')


def find_template(folder: Path) -> tuple[Path, Any]:
    """Return the file that holds the chat template, and the template, or None."""
    path = folder / "chat_template.jinja"
    if path.is_file():
        with path.open(encoding="utf-8", errors="replace") as stream:
            return path, stream.read(_LONGEST_TEMPLATE + 1)
    for name in ("chat_template.json", TOKENIZER_CONFIG):
        path = folder / name
        template = read_object(path).get("chat_template") if path.is_file() else None
        if isinstance(template, list):  # several, by name
            named = {t.get("name"): t.get("template") for t in template}
            template = named.get("default")
        if template:
            return path, template
    return path, None
