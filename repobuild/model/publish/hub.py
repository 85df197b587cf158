"""Folders that can be published: `repobuild export adapter`, `merged` and `base`.

    adapter_model.safetensors   float32, as trained
    adapter_config.json         what differs from PEFT's defaults, keys and lists sorted
    tokenizer, chat_template    what it was trained with
    README.md                   the model card (card.py)
    repobuild.json              lineage.py
    base/                       the base model, when it is on no hub (see below)

Nothing in it tells of a machine, a path or a time: two exports of one adapter are equal
bytes. What the chain needs and others do not (manifest.bin, rehearsal.bin)
stays behind.

**Which base.** PEFT notes what it loaded, which may be a folder of this machine. Here
`base_model_name_or_path` is the hub id and `revision` its commit. The embedded model is
on no hub, and whoever takes its name there could give out anything; so it goes along,
10 MB, as `base/`. Another local base goes along when asked (`--with-base`): whether it
may be given away is not ours to say.

**rsLoRA** is written as the plain LoRA that it equals: alpha / sqrt(r) is alpha' / r
for alpha' = alpha sqrt(r). SGLang 0.5.23 and llama.cpp scale by alpha / r whatever the
configuration says, and would answer wrong without a word.

**Older readers.** transformers 5 writes what 4 misreads: a `tokenizer_class` that 4
does not know, and `rope_parameters`, where 4 takes its own default for `rope_theta`
and answers nonsense without a word. Exported files have both forms.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from repobuild.errors import BuildError
from repobuild.samples.dataset.secret_detection import withheld

BASE = "base"  # the folder of a base that goes along
# What from_pretrained reads, and what must not be lost on the way.
MODEL_FILES = (
    "*.safetensors",
    "*.json",
    "*.jinja",
    "*.txt",
    "*.model",
    "README*",
    "LICENSE*",
    "LICENCE*",
    "NOTICE*",
)
# Without these a reader would guess.
ALWAYS = ("base_model_name_or_path", "bias", "fan_in_fan_out", "inference_mode",
          "lora_alpha", "lora_dropout", "peft_type", "r", "revision", "target_modules",
          "task_type", "use_dora", "use_rslora")  # fmt: skip
Json = dict[str, Any]


def write_adapter(source: Path, folder: Path, base: str, revision: str) -> None:
    """Write the files of an adapter that lies in `source`, all but the card.

    `base` and `revision` are what `from_pretrained` takes: a hub id and a commit.
    """
    _copy(source, folder)
    named = {"base_model_name_or_path": base, "revision": revision or None}
    _edit(folder / "adapter_config.json", lambda body: canonical(body | named))
    portable(folder)


def write_model(source: Path, folder: Path) -> None:
    """Write the files of a whole model: a merged one, or a base with its own card."""
    _copy(source, folder)
    portable(folder)


def write_card(folder: Path, text: str) -> None:
    """Write README.md; a secret that a name or an address holds is not told."""
    (folder / "README.md").write_text(withheld(text), "utf-8")


def canonical(config: Json) -> Json:
    """An adapter's configuration without what says nothing.

    Every release of PEFT adds keys, and older ones refuse or warn of what they do not
    know; nearly all of these are null.
    """
    config = plain_scale(config)
    kept = {
        name: sorted(value) if name == "target_modules" else value
        for name, value in config.items()
        if name in ALWAYS or value not in (None, {}, [], False)
    }
    for name in ("megatron_core", "qalora_group_size"):  # defaults of what is off
        kept.pop(name, None)
    return kept


def plain_scale(config: Json) -> Json:
    """The same adapter without rsLoRA, which not every reader knows."""
    if not config.get("use_rslora"):
        return config
    alpha = config["lora_alpha"] * math.sqrt(config["r"])
    whole = int(alpha) if alpha.is_integer() else alpha
    return config | {"use_rslora": False, "lora_alpha": whole}


def portable(folder: Path) -> None:
    """Make tokenizer and configuration readable for transformers 4 as for 5."""
    _edit(folder / "tokenizer_config.json", _tokenizer)
    _edit(folder / "config.json", _config)


def _tokenizer(body: Json) -> Json:
    body = {k: v for k, v in body.items() if k not in ("is_local", "local_files_only")}
    if body.get("tokenizer_class") == "TokenizersBackend":
        body["tokenizer_class"] = "PreTrainedTokenizerFast"
        # 4 would add token_type_ids, which no such model takes
        body.setdefault("model_input_names", ["input_ids", "attention_mask"])
    if isinstance(body.get("extra_special_tokens"), list):
        body["additional_special_tokens"] = body.pop("extra_special_tokens")
    return body


def _config(body: Json) -> Json:
    rope = body.get("rope_parameters") or {}
    if "rope_theta" in rope:  # one for all layers
        body.setdefault("rope_theta", rope["rope_theta"])
        if rope.get("rope_type", "default") != "default":
            scaling = {k: v for k, v in rope.items() if k != "rope_theta"}
            body.setdefault("rope_scaling", scaling)
    if "dtype" in body:
        body.setdefault("torch_dtype", body["dtype"])
    return body


def _copy(source: Path, folder: Path) -> None:
    """Copy the files of a model, with the rights that new files have here."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {file for pattern in MODEL_FILES for file in source.glob(pattern)}
    if not files:
        raise BuildError(f'"{source}" holds no model\nrun repobuild to make it again')
    for file in sorted(files):
        shutil.copyfile(file, folder / file.name)


def _edit(path: Path, change: Callable[[Json], Mapping[str, Any]]) -> None:
    """Write a JSON file anew, keys sorted, where it is there."""
    if not path.is_file():
        return
    body = change(json.loads(path.read_text("utf-8")))
    text = json.dumps(body, indent=2, sort_keys=True, ensure_ascii=False)
    path.write_text(text + "\n", "utf-8")
