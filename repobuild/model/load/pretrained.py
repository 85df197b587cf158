"""Call every `from_pretrained` of the package, with code switched off.

transformers and peft offer to run what a model brings with it; each function here
passes `trust_remote_code=False` and `use_safetensors=True`, and is given a folder that
was checked before (model_files.py, weight_check.py). Without the check transformers
asks on the terminal whether to run the model's code, and recommends it without one.

Of a hub model only data files are downloaded, at the commit that the adapter's key
names. tests/promises/test_hostile_models.py looks for a `from_pretrained` elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repobuild.errors import UsageError
from repobuild.model.load.model_files import (
    CONFIG,
    DATA_FILES,
    REMEDY,
    check_adapter,
    check_tokenizer_files,
    read_object,
)
from repobuild.model.load.weight_check import (
    LLAMA_LIKE,
    CheckedModel,
    check_model,
    check_rank,
)

if TYPE_CHECKING:
    import torch
    from transformers import (
        PreTrainedConfig,
        PreTrainedModel,
        PreTrainedTokenizerBase,
    )

# A configuration may have this many more parameters than the weights: buffers, and
# heads that a checkpoint leaves out because they are tied.
_SLACK = 1.05


def fetch_folder(source: str, commit: str) -> Path:
    """Return a model's folder; data files of a hub model are downloaded to the cache.

    Raises `UsageError` when the hub model is neither in the cache nor on the hub.
    """
    folder = Path(source)
    if folder.is_absolute():
        return folder
    from huggingface_hub import snapshot_download

    try:
        return Path(
            snapshot_download(source, revision=commit, allow_patterns=list(DATA_FILES))
        )
    except Exception as error:  # the hub client raises a dozen unrelated types
        raise UsageError(
            f'"{source}" cannot be downloaded from the hub: {type(error).__name__}\n'
            f'download it where there is a network ("hf download {source}"), '
            "or set base.model to a local folder"
        ) from error


def read_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """Load the tokenizer of a folder; raises `UsageError` when it is damaged."""
    from transformers import AutoTokenizer

    check_tokenizer_files(folder)
    with _explain(folder, "tokenizer"):
        # Not local_files_only: it would be saved in the tokenizer's configuration.
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            str(folder), trust_remote_code=False
        )
    return tokenizer


def read_config(folder: Path) -> PreTrainedConfig:
    """Load the configuration of a folder; raises `UsageError` when it is damaged."""
    from transformers import AutoConfig

    check_tokenizer_files(folder)
    with _explain(folder, "configuration"):
        config: PreTrainedConfig = AutoConfig.from_pretrained(
            folder, trust_remote_code=False, local_files_only=True
        )
    return config


def read_model(folder: Path, dtype: torch.dtype, quantize: str = "") -> PreTrainedModel:
    """Load the model of a folder with plain attention; `UsageError` when damaged.

    With `quantize` the linear layers are quantised while they are loaded ("nf4").
    """
    from transformers import AutoModelForCausalLM

    checked = check_model(folder)
    with _explain(folder, "model"):
        if checked.config["model_type"] not in LLAMA_LIKE:
            _check_size(folder, checked)
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=dtype,
            quantization_config=_quantization(quantize, dtype),
            attn_implementation="sdpa",
            trust_remote_code=False,
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
        )
    model: PreTrainedModel
    model, report = loaded
    # transformers initialises them at random, with a warning.
    if missing := sorted(report["missing_keys"]):
        raise UsageError(
            f'the weights in "{folder}" lack {len(missing)} tensors of the '
            f"architecture, such as {missing[0]}\n{REMEDY}"
        )
    return model


def _quantization(kind: str, dtype: torch.dtype) -> Any:
    """Return what bitsandbytes is to do, None without a kind.

    Source: Dettmers et al. 2023, "QLoRA: Efficient Finetuning of Quantized LLMs".
    """
    if not kind:
        return None
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(  # type: ignore[no-untyped-call]
        load_in_4bit=True,
        bnb_4bit_quant_type=kind,
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )


def convert_gguf(weights: Path, folder: Path) -> None:
    """Write the model in a GGUF file to `folder`, dequantised, as bfloat16 safetensors.

    The file is one whose content is known (packaged.py): nothing here bounds what
    another could ask for. What names the version of transformers is left out, else an
    upgrade would give the same weights another digest.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    source, name = str(weights.parent), weights.name
    # Its bar writes to stderr, whatever transformers' own setting is.
    with _explain(weights, "model"), redirect_stderr(StringIO()):
        # Without dequantize=True the weights stay packed, and cannot be saved.
        model: Any = AutoModelForCausalLM.from_pretrained(
            source,
            gguf_file=name,
            quantization_config=GgufConfig(dequantize=True),
            dtype=torch.float32,
            trust_remote_code=False,
            local_files_only=True,
        )
        tokenizer: Any = AutoTokenizer.from_pretrained(
            source, gguf_file=name, trust_remote_code=False
        )
    model.to(torch.bfloat16).save_pretrained(folder, safe_serialization=True)
    tokenizer.save_pretrained(folder)
    for path in (folder / CONFIG, folder / "generation_config.json"):
        config = read_object(path)
        config.pop("transformers_version", None)
        path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", "utf-8")


def read_adapter(model: Any, folder: Path, trainable: bool = False) -> Any:
    """Return the model with a folder's adapter beside its weights.

    Raises `UsageError` when the adapter is damaged or no plain LoRA in safetensors.
    """
    check_rank(folder, check_adapter(folder))
    from peft import PeftModel  # takes seconds

    with _explain(folder, "adapter"):
        return PeftModel.from_pretrained(
            model, str(folder), is_trainable=trainable, local_files_only=True
        )


def add_adapter(model: Any, folder: Path, name: str) -> Any:
    """Return the model with one more adapter beside its weights, by its own name.

    It is the active one when it is the first. Raises `UsageError` as `read_adapter`.
    """
    check_rank(folder, check_adapter(folder))
    from peft import PeftModel

    with _explain(folder, "adapter"):
        if isinstance(model, PeftModel):
            model.load_adapter(str(folder), name, is_trainable=False)
            return model
        return PeftModel.from_pretrained(
            model, str(folder), adapter_name=name, local_files_only=True
        )


def _check_size(folder: Path, checked: CheckedModel) -> None:
    """Compare the parameters that the configuration asks for with those stored.

    The model is built on torch's `meta` device, which allocates nothing. Under ZeRO-3
    it cannot be; the builder has loaded the base before, to ask it (adapter.py).
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM
    from transformers.integrations.deepspeed import is_deepspeed_zero3_enabled

    if is_deepspeed_zero3_enabled():  # type: ignore[no-untyped-call]
        return
    config = AutoConfig.from_pretrained(
        folder, trust_remote_code=False, local_files_only=True
    )
    with torch.device("meta"):
        make: Any = AutoModelForCausalLM.from_config
        built = make(config, trust_remote_code=False)
    asked = sum(tensor.numel() for tensor in built.parameters())
    asked += sum(tensor.numel() for tensor in built.buffers())
    stored = sum(torch.Size(shape).numel() for shape in checked.shapes.values())
    if checked.config.get("quantization_config"):
        stored *= 2  # two weights of four bits in a byte
    if asked > stored * _SLACK + (1 << 24):
        raise UsageError(
            f'"{folder / "config.json"}" asks for {asked:,} parameters, but the '
            f"weights hold {stored:,}\n{REMEDY}"
        )


@contextmanager
def _explain(folder: Path, what: str) -> Iterator[None]:
    """Turn what transformers and peft raise for damaged files into a `UsageError`.

    Errors of the machine (memory, disk) pass.
    """
    import torch

    try:
        yield
    except (UsageError, torch.OutOfMemoryError):
        raise
    except OSError as error:
        if error.errno is not None:
            raise
        raise _damaged(folder, what, error) from error
    except MemoryError:
        raise
    except Exception as error:  # any type: the files decide what fails, and how
        raise _damaged(folder, what, error) from error


def _damaged(folder: Path, what: str, error: Exception) -> UsageError:
    reason = (str(error).strip().splitlines() or [""])[0][:300]
    return UsageError(
        f'the {what} in "{folder}" cannot be loaded: {type(error).__name__}: '
        f"{reason}\n{REMEDY}"
    )
