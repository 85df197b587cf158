"""Train the tokenizer of the bundled base model: byte-level BPE with 4,096 entries.

A small vocabulary saves most on a CPU: with hidden size 256 the embedding has 1.0 M of
5.0 M parameters, and the logits of 4,096 tokens take 64 MiB in float32.

The special tokens and the chat template follow Qwen, so that code written for a Qwen3
model runs unchanged. There is no default system prompt and no think block. The split
pattern is Qwen's with two changes:

- a line break and the following indentation are one piece ("\\n       " + " x"), which
  saves a token per line;
- the English contractions ('s, 're) are removed: in code they are ends of strings.

Every digit is a token, as in Qwen: line numbers are spelled, not memorised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from repobuild.model.load.chat_template import EMBEDDED_TEMPLATE

END_OF_TEXT = "<|endoftext|>"
TURN_START = "<|im_start|>"
TURN_END = "<|im_end|>"
FIM_PREFIX = "<|fim_prefix|>"
FIM_MIDDLE = "<|fim_middle|>"
FIM_SUFFIX = "<|fim_suffix|>"
FIM_PAD = "<|fim_pad|>"
REPO_NAME = "<|repo_name|>"
FILE_SEP = "<|file_sep|>"

# Ids 0 to 8, in this order.
SPECIAL_TOKENS = (
    END_OF_TEXT,
    TURN_START,
    TURN_END,
    FIM_PREFIX,
    FIM_MIDDLE,
    FIM_SUFFIX,
    FIM_PAD,
    REPO_NAME,
    FILE_SEP,
)

VOCABULARY = 4096

SPLIT = (
    r"[\r\n]+ *(?= \S)"  # line breaks and indentation, without the word's own blank
    r"|[^\r\n\p{L}\p{N}]?\p{L}+"  # a word with one sign before it
    r"|\p{N}"  # one digit
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*"  # operators
    r"|\s*[\r\n]+"
    r"|\s+(?!\S)"
    r"|\s+"
)


def train_tokenizer(
    texts: Iterable[str], vocabulary: int = VOCABULARY, context: int = 4096
) -> PreTrainedTokenizerFast:
    """Learn a vocabulary of `vocabulary` entries from the texts, and wrap it for Qwen.

    Special tokens inside the texts stay whole. `context` is the number of positions
    that the tokenizer reports as the model's limit.

    Source: byte-pair encoding (Sennrich et al. 2016), on bytes (Radford et al. 2019).
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return _wrap(tokenizer, context)


def _wrap(tokenizer: Tokenizer, context: int) -> PreTrainedTokenizerFast:
    """Return the transformers tokenizer; the end of a turn is its end token."""
    build: Callable[..., PreTrainedTokenizerFast] = PreTrainedTokenizerFast
    return build(
        tokenizer_object=tokenizer,
        eos_token=TURN_END,
        pad_token=FIM_PAD,
        additional_special_tokens=[
            token for token in SPECIAL_TOKENS if token not in (TURN_END, FIM_PAD)
        ],
        chat_template=EMBEDDED_TEMPLATE,
        model_max_length=context,
        clean_up_tokenization_spaces=False,
        padding_side="right",
    )
