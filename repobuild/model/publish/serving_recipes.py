"""Write the section of the model card that says how to run an exported folder.

docs/serving.md has the same recipes, with the versions on which each was tried.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass

from repobuild.model.base import BUNDLED, HUB_ID

# Values of vLLM's --max-lora-rank, and its default.
VLLM_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
VLLM_DEFAULT_RANK = 16
DEFAULT_QUESTION = "In which file is `main` defined?"


@dataclass(frozen=True, slots=True)
class ServingFacts:
    """The facts of an adapter or merged model that decide how it is run."""

    base: str  # hub id, or the name of a local base
    revision: str  # commit on the hub
    on_hub: bool
    inside: str  # the base's folder inside the exported one, "" if it is not exported
    project: str
    commit: str
    rank: int
    dora: bool = False
    thinks: bool = False  # the chat template has the switch enable_thinking
    merged: bool = False
    question: str = DEFAULT_QUESTION

    @property
    def is_hub_id(self) -> bool:
        """Return whether the base's name has the form of a hub id."""
        return self.on_hub or HUB_ID.fullmatch(self.base) is not None

    @property
    def name(self) -> str:
        """Return the model name for a server: a new one for each commit."""
        word = re.sub(r"[^\w.-]+", "-", self.project).strip("-") or "adapter"
        return f"{word}@{self.commit[:12]}"


def serving_section(served: ServingFacts) -> str:
    """Return the card's section on how to run the exported folder."""
    parts = [python_recipe(served)]
    if served.merged:
        parts.append(
            "A plain model folder: vLLM and SGLang take it as their model, and "
            "llama.cpp's `convert_hf_to_gguf.py` as its input.\n"
        )
    else:
        parts += [_base_note(served), vllm_recipe(served), sglang_recipe(served)]
        parts.append(llama_cpp_recipe(served))
    return "\n".join(["## How to run it\n", *filter(None, parts)])


def python_recipe(served: ServingFacts) -> str:
    """Return a script for transformers and peft.

    tests/promises/test_adapter_in_use.py runs this text.
    """
    thinking = " enable_thinking=False," if served.thinks else ""
    return "\n".join(
        [
            "```python",
            *_loading_lines(served),
            f"question = {python_string(served.question)}",
            'chat = [{"role": "user", "content": question}]',
            "ids = tokenizer.apply_chat_template(",
            f"    chat, add_generation_prompt=True,{thinking}",
            '    return_dict=True, return_tensors="pt",',
            ")",
            "said = model.generate(**ids, max_new_tokens=200, do_sample=False)",
            'length = ids["input_ids"].shape[1]',
            "print(tokenizer.decode(said[0, length:], skip_special_tokens=True))",
            "```\n",
        ]
    )


def python_string(question: str) -> str:
    """Return a question as a Python string literal.

    It quotes names of the repository, which are not trusted, and readers run the text:
    nothing in it may end the string or the Markdown block.
    """
    safe = question if "`" * 3 not in question else DEFAULT_QUESTION
    return json.dumps(safe)


def _loading_lines(served: ServingFacts) -> list[str]:
    """Return the lines that load tokenizer and model."""
    head = ["from transformers import AutoModelForCausalLM, AutoTokenizer", ""]
    if served.inside:  # next to an adapter_config.json transformers takes no subfolder
        here = [
            "# this folder; from the hub: huggingface_hub.snapshot_download(ID)",
            'folder = "."',
        ]
    else:
        here = ['folder = "."  # this folder, or its id on the hub']
    tokens = ["tokenizer = AutoTokenizer.from_pretrained(folder)"]
    if served.merged:
        return [*head, *here, *tokens, f"model = {_from_pretrained('folder')}.eval()"]
    if served.inside:
        base = _from_pretrained(f'f"{{folder}}/{served.inside}"')
    elif served.revision:
        base = _from_pretrained(f'"{served.base}"', f'revision="{served.revision}"')
    else:
        base = _from_pretrained(f'"{served.base}"')
    model = "model = PeftModel.from_pretrained(base, folder).eval()"
    load = [f"base = {base}", model]
    return ["from peft import PeftModel", *head, *here, *tokens, *load]


def _from_pretrained(*arguments: str) -> str:
    return f"AutoModelForCausalLM.from_pretrained({', '.join(arguments)})"


def _base_note(served: ServingFacts) -> str:
    if served.on_hub:
        return ""
    if served.inside:
        return (
            f"The base model is on no hub; it lies in `{served.inside}/`. Servers are "
            f"given that folder as their model.\n"
        )
    return (
        f"The base model `{served.base}` is on no hub and not in this folder. "
        "`repobuild export base -o base` writes it where the adapter was made.\n"
    )


def vllm_recipe(served: ServingFacts) -> str:
    """Return the command that serves base and adapter, the adapter by its name."""
    if served.dora:
        return (
            "vLLM and SGLang serve no DoRA: use the merged model "
            "(`repobuild export merged -o merged`).\n"
        )
    module = shlex.quote(f"{served.name}=.")
    lines = [f"vllm serve {_base_path(served)} --enable-lora --lora-modules {module}"]
    if served.rank > VLLM_DEFAULT_RANK:
        rank = next((r for r in VLLM_RANKS if r >= served.rank), served.rank)
        lines.append(f"    --max-lora-rank {rank}")
    if not served.inside and served.revision:
        lines.append(f"    --revision {served.revision}")
    lines.append("    --chat-template chat_template.jinja")
    thinking = (
        "It was trained without thinking: send "
        '`"chat_template_kwargs": {"enable_thinking": false}` with each request.\n'
    )
    return _shell_block("vLLM", lines) + (thinking if served.thinks else "")


def sglang_recipe(served: ServingFacts) -> str:
    """Return the command that serves base and adapter; "" for DoRA."""
    if served.dora:
        return ""
    lines = [
        f"python -m sglang.launch_server --model-path {_base_path(served)}",
        f"    --enable-lora --lora-paths {shlex.quote(f'{served.name}=.')}",
        f"    --max-lora-rank {served.rank} --chat-template chat_template.jinja",
    ]
    return _shell_block("SGLang", lines)


def llama_cpp_recipe(served: ServingFacts) -> str:
    """Return the commands that convert base and adapter to GGUF and serve them."""
    if served.dora:
        return "llama.cpp and Ollama run no DoRA: convert the merged model.\n"
    base = served.inside or "base"
    revision = f" --revision {served.revision}" if served.revision else ""
    fetch = f"hf download {served.base}{revision} --local-dir base"
    lines = [
        *([fetch] if served.on_hub and not served.inside else []),
        f"python convert_hf_to_gguf.py {base} --outtype f16 --outfile base.gguf",
        f"python convert_lora_to_gguf.py . --base {base} --outtype f16"
        " --outfile adapter.gguf",
        "llama-server -m base.gguf --lora adapter.gguf --jinja",
    ]
    text = "```sh\n" + "\n".join(lines) + "\n```\n"
    ollama = "Ollama takes the same files: `FROM base.gguf`, `ADAPTER adapter.gguf`.\n"
    if served.base == BUNDLED:
        ollama += (
            "The first script does not know this base's tokenizer; docs/serving.md of "
            "repobuild says what to tell it.\n"
        )
    return f"llama.cpp (its two scripts come with its sources):\n\n{text}{ollama}"


def _base_path(served: ServingFacts) -> str:
    return shlex.quote(served.inside or served.base)


def _shell_block(title: str, lines: list[str]) -> str:
    body = " \\\n".join(lines)
    return f"{title}, from this folder:\n\n```sh\n{body}\n```\n"
