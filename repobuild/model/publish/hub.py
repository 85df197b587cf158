"""Write the files of `repobuild export adapter`, `merged` and `base`.

    adapter_model.safetensors   float32, as trained
    adapter_config.json         keys that differ from PEFT's defaults; sorted
    tokenizer, chat_template    those of the training
    README.md                   the model card (model_card.py)
    repobuild.json              the lineage (adapter/lineage.py)
    base/                       the base model, if it is on no hub (see below)

No file names a machine, a path or a time: two exports of one adapter have equal bytes.
What only the chain needs (manifest.bin) is not exported.

**Which base.** PEFT records what it loaded, which may be a folder of this machine. Here
`base_model_name_or_path` is the hub id and `revision` its commit. The bundled model is
on no hub, and anybody could publish something else under its name; so it is exported
with the adapter, 10 MB, as `base/`. Another local base is exported on request
(`--with-base`): whether it may be given away is the user's decision.

**rsLoRA** is written as the plain LoRA that it equals: alpha / sqrt(r) is alpha' / r
for alpha' = alpha sqrt(r). SGLang 0.5.23 and llama.cpp scale by alpha / r whatever the
configuration says; they would answer wrong without a warning.

**Older readers.** transformers 5 writes two things that 4 misreads: a `tokenizer_class`
that 4 does not know, and `rope_parameters`, where 4 uses its own default of
`rope_theta` and generates nonsense without a warning. Exported files have both forms.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from repobuild.errors import BuildError
from repobuild.plain_text import escape_controls
from repobuild.resources import program
from repobuild.samples.dataset.secret_detection import redact

BASE_FOLDER = "base"  # of a base model that is exported with its adapter
# The files that from_pretrained reads, and the notices that must travel with them.
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
# Keys that are written even with their default: readers would guess otherwise.
ALWAYS_WRITTEN = ("base_model_name_or_path", "bias", "fan_in_fan_out", "inference_mode",
          "lora_alpha", "lora_dropout", "peft_type", "r", "revision", "target_modules",
          "task_type", "use_dora", "use_rslora")  # fmt: skip
Json = dict[str, Any]


def write_adapter(source: Path, folder: Path, base: str, revision: str) -> None:
    """Copy the adapter in `source` to `folder`, without a model card.

    `base` and `revision` are arguments of `from_pretrained`: a hub id and a commit.
    Raises `BuildError` when `source` has no model files.
    """
    _copy_model_files(source, folder)
    named = {"base_model_name_or_path": base, "revision": revision or None}
    _rewrite_json(
        folder / "adapter_config.json", lambda body: minimal_config(body | named)
    )
    support_transformers_4(folder)


def write_model(source: Path, folder: Path) -> None:
    """Copy a whole model: a merged one, or a base with its own model card.

    Raises `BuildError` when `source` has no model files.
    """
    _copy_model_files(source, folder)
    support_transformers_4(folder)


def write_card(folder: Path, text: str) -> None:
    """Write README.md, with any secret in a name or an address removed."""
    (folder / "README.md").write_text(escape_controls(redact(text)), "utf-8")


def minimal_config(config: Json) -> Json:
    """Return an adapter's configuration without keys that only repeat a default.

    Every release of PEFT adds keys, and older releases refuse unknown keys or warn of
    them; nearly all of these are null.
    """
    config = without_rslora(config)
    kept = {
        name: sorted(value) if name == "target_modules" else value
        for name, value in config.items()
        if name in ALWAYS_WRITTEN or value not in (None, {}, [], False)
    }
    for name in (
        "megatron_core",
        "qalora_group_size",
    ):  # set although the feature is off
        kept.pop(name, None)
    return kept


def without_rslora(config: Json) -> Json:
    """Return the configuration of the plain LoRA adapter that equals an rsLoRA one.

    Source: Kalajdzievski 2023, "A Rank Stabilization Scaling Factor for Fine-Tuning
    with LoRA".
    """
    if not config.get("use_rslora"):
        return config
    alpha = config["lora_alpha"] * math.sqrt(config["r"])
    whole = int(alpha) if alpha.is_integer() else alpha
    return config | {"use_rslora": False, "lora_alpha": whole}


def support_transformers_4(folder: Path) -> None:
    """Make tokenizer and model configuration readable for transformers 4 and 5."""
    _rewrite_json(folder / "tokenizer_config.json", _tokenizer_config)
    _rewrite_json(folder / "config.json", _model_config)


def _tokenizer_config(body: Json) -> Json:
    body = {k: v for k, v in body.items() if k not in ("is_local", "local_files_only")}
    if body.get("tokenizer_class") == "TokenizersBackend":
        body["tokenizer_class"] = "PreTrainedTokenizerFast"
        # transformers 4 would add token_type_ids, which no such model accepts
        body.setdefault("model_input_names", ["input_ids", "attention_mask"])
    if isinstance(body.get("extra_special_tokens"), list):
        body["additional_special_tokens"] = body.pop("extra_special_tokens")
    return body


def _model_config(body: Json) -> Json:
    rope = body.get("rope_parameters") or {}
    if "rope_theta" in rope:  # the same for all layers
        body.setdefault("rope_theta", rope["rope_theta"])
        if rope.get("rope_type", "default") != "default":
            scaling = {k: v for k, v in rope.items() if k != "rope_theta"}
            body.setdefault("rope_scaling", scaling)
    if "dtype" in body:
        body.setdefault("torch_dtype", body["dtype"])
    return body


def _copy_model_files(source: Path, folder: Path) -> None:
    """Copy the files of a model, with the default permissions of new files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {file for pattern in MODEL_FILES for file in source.glob(pattern)}
    if not files:
        raise BuildError(
            f'"{source}" has no model files\nrun `{program()}` to make it again'
        )
    for file in sorted(files):
        shutil.copyfile(file, folder / file.name)


def _rewrite_json(path: Path, change: Callable[[Json], Mapping[str, Any]]) -> None:
    """Change a JSON file, if it exists, and write it with sorted keys."""
    if not path.is_file():
        return
    body = change(json.loads(path.read_text("utf-8")))
    text = json.dumps(body, indent=2, sort_keys=True, ensure_ascii=False)
    path.write_text(text + "\n", "utf-8")
