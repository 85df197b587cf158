"""How an exported folder is run: the part of the card that users copy from.

The same recipes, with what was tried on which versions, stand in docs/serving.md.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass

# What vLLM takes for --max-lora-rank; its default is 16.
RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
VLLM_RANK = 16
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
EMBEDDED = "repobuild/tiny"  # what adapters of the embedded base call it
QUESTION = "In which file is `main` defined?"


@dataclass(frozen=True, slots=True)
class ServingFacts:
    """What of an adapter matters to who runs it."""

    base: str  # hub id, or the name of a local base
    revision: str  # commit on the hub
    on_hub: bool
    inside: str  # the base's folder beside the adapter, "" = not there
    project: str
    commit: str
    rank: int
    dora: bool = False
    thinks: bool = False  # the chat template knows enable_thinking
    merged: bool = False
    question: str = QUESTION

    @property
    def is_hub_id(self) -> bool:
        """Whether the base's name is one that a hub could have."""
        return self.on_hub or HUB_ID.fullmatch(self.base) is not None

    @property
    def name(self) -> str:
        """What a server calls it: a new name for each commit."""
        word = re.sub(r"[^\w.-]+", "-", self.project).strip("-") or "adapter"
        return f"{word}@{self.commit[:12]}"


def page(served: ServingFacts) -> str:
    """Return the section."""
    parts = [python(served)]
    if served.merged:
        parts += [_merged_servers()]
    else:
        parts += [_base_note(served), vllm(served), sglang(served), llama_cpp(served)]
    return "\n".join(["## How to run it\n", *filter(None, parts)])


def python(served: ServingFacts) -> str:
    """Plain transformers and peft; a test runs this very text."""
    thinking = " enable_thinking=False," if served.thinks else ""
    return "\n".join(
        [
            "```python",
            *_loading(served),
            f"question = {literal(served.question)}",
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


def literal(question: str) -> str:
    """A question as Python has it. It quotes names of the repository, which are not to
    be trusted, and readers run this text: nothing may end the string or the block."""
    safe = question if "`" * 3 not in question else QUESTION
    return json.dumps(safe)


def _loading(served: ServingFacts) -> list[str]:
    head = ["from transformers import AutoModelForCausalLM, AutoTokenizer", ""]
    if served.inside:  # transformers takes no subfolder beside an adapter_config.json
        here = [
            "# this folder; from the hub: huggingface_hub.snapshot_download(ID)",
            'folder = "."',
        ]
    else:
        here = ['folder = "."  # this folder, or its id on the hub']
    tokens = ["tokenizer = AutoTokenizer.from_pretrained(folder)"]
    if served.merged:
        return [*head, *here, *tokens, f"model = {_load('folder')}.eval()"]
    if served.inside:
        base = _load(f'f"{{folder}}/{served.inside}"')
    elif served.revision:
        base = _load(f'"{served.base}"', f'revision="{served.revision}"')
    else:
        base = _load(f'"{served.base}"')
    model = "model = PeftModel.from_pretrained(base, folder).eval()"
    load = [f"base = {base}", model]
    return ["from peft import PeftModel", *head, *here, *tokens, *load]


def _load(*arguments: str) -> str:
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


def vllm(served: ServingFacts) -> str:
    """Serve by name, and add the next commit's adapter to a running server."""
    if served.dora:
        return (
            "vLLM and SGLang serve no DoRA: use the merged model "
            "(`repobuild export merged -o merged`).\n"
        )
    module = shlex.quote(f"{served.name}=.")
    lines = [f"vllm serve {_model(served)} --enable-lora --lora-modules {module}"]
    if served.rank > VLLM_RANK:
        lines.append(f"    --max-lora-rank {_vllm_rank(served.rank)}")
    if not served.inside and served.revision:
        lines.append(f"    --revision {served.revision}")
    lines.append("    --chat-template chat_template.jinja")
    return _block("vLLM", lines) + _thinking(served)


def sglang(served: ServingFacts) -> str:
    if served.dora:
        return ""
    lines = [
        f"python -m sglang.launch_server --model-path {_model(served)}",
        f"    --enable-lora --lora-paths {shlex.quote(f'{served.name}=.')}",
        f"    --max-lora-rank {served.rank} --chat-template chat_template.jinja",
    ]
    return _block("SGLang", lines)


def llama_cpp(served: ServingFacts) -> str:
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
    if served.base == EMBEDDED:
        ollama += (
            "The first script does not know this base's tokenizer; docs/serving.md of "
            "repobuild says what to tell it.\n"
        )
    return f"llama.cpp (its two scripts come with its sources):\n\n{text}{ollama}"


def _merged_servers() -> str:
    return (
        "A plain model folder: vLLM and SGLang take it as their model, and llama.cpp's "
        "`convert_hf_to_gguf.py` as its input.\n"
    )


def _model(served: ServingFacts) -> str:
    return shlex.quote(served.inside or served.base)


def _vllm_rank(rank: int) -> int:
    return next((known for known in RANKS if known >= rank), rank)


def _thinking(served: ServingFacts) -> str:
    if not served.thinks:
        return ""
    return (
        "It was trained without thinking: send "
        '`"chat_template_kwargs": {"enable_thinking": false}` with each request.\n'
    )


def _block(title: str, lines: list[str]) -> str:
    body = " \\\n".join(lines)
    return f"{title}, from this folder:\n\n```sh\n{body}\n```\n"
