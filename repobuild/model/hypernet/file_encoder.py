"""Encode texts as mean hidden states of a frozen model.

    file    windows of 512 tokens that overlap by 64; the mean over a window's
            tokens, then over windows: (C,)
    diff    windows of 512 tokens that overlap by 64; [maximum ; mean] over windows:
            (2C,); an empty diff is zero

The model is the base model of the adapter itself, or any other that is named: a folder
or a hub id. "qwen3-embedding" is short for Qwen/Qwen3-Embedding-0.6B. The hidden states
are those of the last layer, or of the layer that is chosen.

A window goes through the model alone, without padding, so that a file has the same
vector whatever is encoded beside it: rows that are made again must come out equal.

Source: Code2LoRA (arXiv 2606.06492), with windows that fit a model of 4,096 positions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from repobuild.model.base import Base, load_model, load_tokenizer, resolve_base
from repobuild.model.load.libraries import pick_device

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

PRESETS = {"qwen3-embedding": "Qwen/Qwen3-Embedding-0.6B"}
_LEAST_TOKENS = 8  # of a last window
_LARGEST = 1 << 20  # tokens of a window, or of a file
_CHARACTERS = 12  # of a token at most, about: longer texts are cut before tokenising


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """Which model encodes, and how texts are cut."""

    model: str = ""  # "" = the adapter's base model, else a preset, folder or hub id
    revision: str = ""
    layer: int = -1  # whose hidden states; -1 = the last one's, 0 = embeddings
    window: int = 512  # tokens
    overlap: int = 64
    most_tokens: int = 4_096  # of a file, or of a diff
    diff_window: int = 512
    diff_overlap: int = 64

    def __post_init__(self) -> None:
        """Raise `ValueError` for windows that would never end or hold nothing."""
        for size, overlap in (
            (self.window, self.overlap),
            (self.diff_window, self.diff_overlap),
        ):
            if not (_LEAST_TOKENS <= size <= _LARGEST and 0 <= overlap <= size // 2):
                raise ValueError(f"windows of {size} tokens that overlap by {overlap}")
        if not _LEAST_TOKENS <= self.most_tokens <= _LARGEST:
            raise ValueError(f"{self.most_tokens} tokens of a file")

    def resolve(self, base: Base, root: str = "") -> Base:
        """Return the model that encodes; raises `UsageError` when it is missing."""
        if not self.model:
            return base
        name = PRESETS.get(self.model, self.model)
        named = {"base.model": name, "base.revision": self.revision, "root": root}
        return resolve_base(named)

    def plain(self) -> dict[str, Any]:
        """Return them as JSON."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> EncoderSettings:
        """Read what `plain` wrote."""
        return replace(cls(), **plain)


class EncodedText(NamedTuple):
    """The vector of a text, (C,) or (2C,), and the number of tokens it is made of."""

    vector: torch.Tensor
    tokens: int


class FileEncoder:
    """Encode files and diffs with one model."""

    def __init__(
        self,
        model: Any,
        tokenizer: PreTrainedTokenizerBase,
        settings: EncoderSettings = EncoderSettings(),  # noqa: B008 (frozen)
    ) -> None:
        self.model, self.tokenizer, self.settings = model, tokenizer, settings
        self.size = int(model.config.hidden_size)

    @classmethod
    def load(cls, encoder: Base, settings: EncoderSettings) -> FileEncoder:
        """Load the model that encodes, onto the device."""
        import torch

        device = pick_device()
        dtype = torch.float32 if device == "cpu" else torch.bfloat16
        model: Any = load_model(encoder, dtype)
        return cls(model.to(device), load_tokenizer(encoder), settings)

    def encode_file(self, text: str) -> EncodedText:
        """Return the mean vector of a file, (C,); zero for an empty one."""
        import torch

        chosen = self.settings
        tokens = self._tokenise(text)
        means = self._window_means(tokens, chosen.window, chosen.overlap)
        if not means:
            return EncodedText(torch.zeros(self.size), 0)
        return EncodedText(torch.stack(means).mean(0), len(tokens))

    def encode_diff(self, text: str) -> EncodedText:
        """Return the vector of a diff, (2C,); zero for an empty one."""
        import torch

        chosen = self.settings
        tokens = self._tokenise(text)
        means = self._window_means(tokens, chosen.diff_window, chosen.diff_overlap)
        if not means:
            return EncodedText(torch.zeros(2 * self.size), 0)
        rows = torch.stack(means)
        return EncodedText(torch.cat([rows.amax(0), rows.mean(0)]), len(tokens))

    def _tokenise(self, text: str) -> list[int]:
        most = self.settings.most_tokens
        found: Any = self.tokenizer(
            text[: most * _CHARACTERS], add_special_tokens=False, verbose=False
        )
        tokens: list[int] = found["input_ids"]
        return tokens[:most]

    def _window_means(
        self, tokens: list[int], size: int, overlap: int
    ) -> list[torch.Tensor]:
        """Return the mean hidden state of each window, (C,) float32 on the CPU."""
        return [self._mean_state(part) for part in cut_windows(tokens, size, overlap)]

    def _mean_state(self, tokens: list[int]) -> torch.Tensor:
        import torch

        ids = torch.tensor([tokens], device=self.model.device)
        with torch.inference_mode():
            if self.settings.layer == -1:
                states = self.model.model(ids, use_cache=False).last_hidden_state
            else:
                out = self.model.model(ids, use_cache=False, output_hidden_states=True)
                states = out.hidden_states[self.settings.layer]
            mean: torch.Tensor = states[0].float().mean(0).cpu()
        return mean.clone()  # out of inference mode, so that it may be trained on


def cut_windows(tokens: list[int], size: int, overlap: int) -> Iterator[list[int]]:
    """Yield windows of tokens; a last one that is nearly empty is left out."""
    step = size - overlap
    for start in range(0, max(1, len(tokens) - overlap), step):
        window = tokens[start : start + size]
        if len(window) >= _LEAST_TOKENS or (window and not start):
            yield window
