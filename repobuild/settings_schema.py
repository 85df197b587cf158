"""Every setting: its default, type, range and meaning, and what it can reach.

A section of `repobuild.toml` is a class below. Checks, error messages, the file that
`repobuild init` writes and the tables of docs/configuration.md are made from it.

A setting with a `power` can reach the machine beyond the repository: files, hosts,
programs, processes, models, servers. From a repository's own file such a value holds
only after `repobuild trust` (repobuild/powers.py); `harmless` values hold always.

msgspec does the checks: importing it takes 20 ms, pydantic 33 ms before it has seen a
single class. The path with nothing to do imports neither.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta, Struct
from msgspec.inspect import (
    BoolType,
    FloatType,
    IntType,
    ListType,
    LiteralType,
    Metadata,
    StrType,
    StructType,
    UnionType,
    type_info,
)

from repobuild.errors import nearest
from repobuild.resources import data_folder


def _doc(text: str, **bounds: Any) -> Meta:
    """Return a setting's description with its bounds, unit and powers.

    `files` is a folder of configs/ whose files are the allowed names, `takes` says in
    words what a pattern lets pass.
    """
    names = ("power", "harmless", "unit", "files", "takes")
    extra = {n: bounds.pop(n) for n in names if n in bounds}
    return Meta(description=text, extra=extra or None, **bounds)


# One line of text, as long as a path may be: no control characters, not even those that
# turn the direction of writing.
# `\Z`, because `$` would let a line end pass.
_LINE = r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]{0,4096}\Z"
_Line = Annotated[str, Meta(pattern=_LINE)]
_NAMESPACE = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z"
_NAMESPACE_TAKES = 'letters, digits, dots and hyphens, such as "pr-12"'
_TIME = r"([01]\d|2[0-3]):[0-5]\d"
_HOURS = f"{_TIME}-{_TIME}"
_Count = Annotated[int, Meta(ge=0, le=10**12)]
_Positive = Annotated[int, Meta(ge=1, le=10**12)]
_Share = Annotated[float, Meta(ge=0, le=1)]
_Names = Annotated[list[_Line], Meta(max_length=10_000)]

Task = Literal[
    "api_usage",
    "architecture_understanding",
    "assertion_completion",
    "code_change",
    "code_completion",
    "code_explanation",
    "code_location",
    "implementation_path",
    "import_completion",
    "project_overview",
    "relations",
]


class ProjectSection(Struct, kw_only=True):
    """What is read."""

    name: Annotated[
        _Line, _doc('"" = from pyproject.toml or the like, else the README\'s title')
    ] = ""
    languages: Annotated[
        Literal["auto"] | _Names,
        _doc(
            'files in configs/languages; "auto" takes all whose grammar is installed',
            files="languages",
        ),
    ] = "auto"
    only: Annotated[
        _Names,
        _doc("globs of paths outside of which nothing is read; [] = all of them"),
    ] = []
    exclude: Annotated[
        _Names,
        _doc(
            "globs of paths that are left out, beside vendored and generated files",
        ),
    ] = []
    include: Annotated[
        _Names,
        _doc(
            "globs of paths to read although they look vendored, generated, "
            "minified or like templates; `project.exclude` wins",
        ),
    ] = []
    max_file_bytes: Annotated[
        _Positive, _doc("larger sources are reported and skipped", unit="bytes")
    ] = 1_000_000


class SamplesSection(Struct, kw_only=True):
    """Which samples are made."""

    languages: Annotated[
        Literal["auto"] | _Names,
        _doc(
            'of questions: files in configs/questions; "auto" takes those in which '
            "README and documents are written",
            files="questions",
        ),
    ] = "auto"
    tasks: Annotated[list[Task], _doc("[] = all", max_length=100)] = []
    min_code_lines: Annotated[
        _Count, _doc("code blocks outside these bounds are not quoted")
    ] = 5
    max_code_lines: Annotated[_Count, _doc("")] = 40
    max_code_characters: Annotated[
        _Count, _doc("longer code is not quoted, whatever its lines")
    ] = 900
    max_characters: Annotated[_Count, _doc("of question and answer together")] = 6000
    min_answer: Annotated[
        _Count, _doc("characters; paths, lists and completions may be shorter")
    ] = 50
    max_answer: Annotated[_Count, _doc("characters")] = 1000
    near_duplicate: Annotated[
        _Share,
        _doc(
            "similarity of two questions with one answer, or of two quotations, "
            "that drops one",
        ),
    ] = 0.97
    max_tokens: Annotated[
        _Count,
        _doc("of all trained samples, shared out by task and file; 0 = no budget"),
    ] = 0
    deny_licences: Annotated[
        _Names,
        _doc(
            'globs of SPDX ids, "AGPL-*": samples that rely on such files are dropped; '
            '"NOASSERTION" denies an unknown licence'
        ),
    ] = []


# One setting for each task, so that each is checked, listed and named as others are.
ProportionsSection = msgspec.defstruct(
    "ProportionsSection",
    [
        (
            task,
            Annotated[_Share, _doc("share of the trained samples that it may have")],
            1.0,
        )
        for task in get_args(Task)
    ],
    namespace={"__doc__": "At most which share of the dataset each task has."},
    kw_only=True,
)


class HistorySection(Struct, kw_only=True):
    """Which commits samples about changes are made from."""

    commits: Annotated[int, _doc("along first parents; 0 = none", ge=0, le=10_000)] = 20
    plan_commits: Annotated[
        int,
        _doc(
            "commits that plans look back on for what a new sibling brought along",
            ge=0,
            le=4096,
        ),
    ] = 200


class LocateSection(Struct, kw_only=True):
    """What `locate` looks back on."""

    commits: Annotated[
        int,
        _doc("along first parents; 0 = none", ge=0, le=4096),
    ] = 500


class GraphLlmSection(Struct, kw_only=True):
    """A model that says what code is for, where names and docstrings say too little."""

    url: Annotated[
        _Line,
        _doc(
            'of an OpenAI-compatible endpoint, up to `/v1`; "" = no model',
            power="sends names, signatures and docstrings to a server",
            harmless=[""],
        ),
    ] = ""
    model: Annotated[_Line, _doc("its name there")] = ""


class SplitSection(Struct, kw_only=True):
    """What is trained and what is held out."""

    generalise: Annotated[
        _Share, _doc("share of elements of which nothing is trained")
    ] = 0.06
    salt: Annotated[_Line, _doc("another salt is another split")] = "1"


class BaseSection(Struct, kw_only=True):
    """The model under the adapter."""

    model: Annotated[
        _Line,
        _doc(
            '"tiny" (embedded), "smollm2" (from a package), a folder (from the root), '
            "or a hub id",
            min_length=1,
            power="loads a model from a folder or from a hub",
            harmless=["tiny", "smollm2"],
        ),
    ] = "tiny"
    revision: Annotated[
        _Line,
        _doc(
            "of a hub id: a branch, tag or commit",
            power="chooses another version of a hub's model",
            harmless=[""],
        ),
    ] = ""
    quantize: Annotated[
        Literal["", "nf4"],
        _doc('"nf4" = its weights in four bits, for a small card (QLoRA); "" = as is'),
    ] = ""
    fim: Annotated[
        bool, _doc("use fill-in-the-middle tokens where the tokenizer has them")
    ] = True


class AdapterSection(Struct, kw_only=True):
    """LoRA, its training, and how an adapter is kept current."""

    strategy: Annotated[
        Literal["lora", "code2lora-static", "code2lora-evo"],
        _doc(
            "how an adapter is made: trained, or generated by a hypernetwork, from "
            "HEAD's files or from a state that follows the commits"
        ),
    ] = "lora"
    hypernet: Annotated[
        _Line,
        _doc(
            "the hypernetwork that generates: a folder, or a hub id; see "
            "`repobuild hypernet train`",
            power="loads a hypernetwork",
            harmless=[""],
        ),
    ] = ""
    start: Annotated[
        Literal["base", "hypernet"],
        _doc('what "lora" starts a new adapter from: nothing, or a generated one'),
    ] = "base"
    reset_state: Annotated[
        bool,
        _doc('start the state of "code2lora-evo" anew from the files of each commit'),
    ] = False
    rank: Annotated[int, _doc("of the two matrices of LoRA", ge=1, le=4096)] = 64
    alpha: Annotated[
        int, _doc("scale: their product counts alpha / rank", ge=1, le=65_536)
    ] = 128
    dropout: Annotated[float, _doc("of the adapter's input", ge=0, lt=1)] = 0.0
    rslora: Annotated[
        bool, _doc("scale by alpha / sqrt(rank) instead of alpha / rank")
    ] = False
    dora: Annotated[
        bool,
        _doc("train the length of each row of a weight beside its direction; slower"),
    ] = False
    targets: Annotated[
        _Names, _doc("names of the layers that get LoRA matrices", min_length=1)
    ] = msgspec.field(
        default_factory=lambda: [
            "down_proj",
            "gate_proj",
            "k_proj",
            "o_proj",
            "q_proj",
            "up_proj",
            "v_proj",
        ]
    )
    learning_rate: Annotated[
        float, _doc("of a model this small; see the presets for others", gt=0, le=1)
    ] = 1.4e-3
    continue_rate: Annotated[
        float,
        _doc(
            "peak rate of a continued adapter, as a share of learning_rate", gt=0, le=10
        ),
    ] = 0.35
    budget: Annotated[
        _Positive,
        _doc("trained tokens of one step at most; what is most used is taught first"),
    ] = 1_250_000
    teach: Annotated[
        _Names,
        _doc("tasks, or kinds of questions, that are taught, in this order; [] = all"),
    ] = msgspec.field(default_factory=list)
    longest_answer: Annotated[
        _Count,
        _doc("characters; a longer one is cut at a paragraph, or left out; 0 = any"),
    ] = 0
    mastery: Annotated[
        int,
        _doc("right answers in a row until a fact counts as mastered", ge=1, le=20),
    ] = 2
    review: Annotated[
        float,
        _doc(
            "share of a continued step that reviews what was taught before", ge=0, lt=1
        ),
    ] = 0.5
    keep: Annotated[
        float,
        _doc(
            "share of the tokens that are general text, on which the adapter is held "
            "to its base; 0 = none",
            ge=0,
            lt=1,
        ),
    ] = 0.12
    keep_weight: Annotated[
        float, _doc("of the distance to the base in the loss", ge=0, le=1000)
    ] = 1.0
    sequence_length: Annotated[
        int,
        _doc("tokens; longer samples are left out and counted", ge=16, le=1_048_576),
    ] = 512
    batch_tokens: Annotated[
        int,
        _doc(
            "of one step: equal tokens teach 97 % of the paths, at 2,048 35 %",
            ge=16,
            le=100_000_000,
        ),
    ] = 512
    packing: Annotated[
        Literal["auto", "bucketed", "packed"],
        _doc('"bucketed" (CPU) or "packed" rows; auto = by device'),
    ] = "auto"
    checkpointing: Annotated[
        bool, _doc("recompute activations: less memory, a third slower")
    ] = False
    recomputed: Annotated[
        _Share, _doc("share of the layers that checkpointing recomputes")
    ] = 1.0
    attention: Annotated[
        Literal[
            "auto",
            "eager",
            "flash_attention_2",
            "flash_attention_3",
            "sdpa",
            "short",
            "varlen",
        ],
        _doc("how attention is computed; auto = by device and packing"),
    ] = "auto"
    loss_tokens: Annotated[
        _Positive, _doc("answer tokens whose logits are in memory at once")
    ] = 8192
    compile: Annotated[
        bool,
        _doc(
            "torch.compile of the layers: pays for runs of many minutes, "
            "needs a C++ compiler",
            power="runs a C++ compiler",
            harmless=[False],
        ),
    ] = False
    warmup: Annotated[_Share, _doc("share of the steps in which the rate rises")] = 0.05
    weight_decay: Annotated[float, _doc("of AdamW", ge=0, le=10)] = 0.0
    max_grad_norm: Annotated[
        float, _doc("gradients above it are scaled down", ge=0, le=1e6)
    ] = 1.0
    bf16: Annotated[
        bool,
        _doc(
            "base weights and products in bfloat16, where the processor computes in it"
        ),
    ] = True
    seed: Annotated[int, _doc("of every draw", ge=0, le=2**31 - 1)] = 1
    evaluations: Annotated[
        int,
        _doc(
            "times that a run measures held-out loss, at a fiftieth of its cost; "
            "0 = never",
            ge=0,
            le=10_000,
        ),
    ] = 8
    patience: Annotated[
        int,
        _doc(
            "stop after so many without gain and keep the best weights; "
            "0 = train to the end",
            ge=0,
            le=10_000,
        ),
    ] = 0
    keep_checkpoints: Annotated[
        int,
        _doc(
            "weights along a run that are kept with its adapter, evenly over its steps",
            ge=0,
            le=100,
        ),
    ] = 0
    line_numbers: Annotated[
        bool,
        _doc("train answers that quote line numbers; every edit moves those below it"),
    ] = False
    min_delta: Annotated[
        _Count, _doc("fewer changed samples wait for the next commit")
    ] = 1
    rebase_after: Annotated[
        _Positive, _doc("commits in a chain; then it starts from the base again")
    ] = 40
    rebase_delta: Annotated[
        float,
        _doc("share of samples changed since the base that starts it again", ge=0),
    ] = 0.5
    margin: Annotated[
        float,
        _doc("how much worse on held-out loss a promoted adapter may be", ge=0, le=100),
    ] = 0.05
    deepspeed: Annotated[
        _Line,
        _doc(
            "a file in configs/deepspeed, or a path",
            min_length=1,
            power="reads a DeepSpeed configuration",
            harmless=["zero0", "zero1", "zero2", "zero3", "zero3-offload"],
        ),
    ] = "zero0"
    processes: Annotated[
        int,
        _doc(
            "of one training run, a device each",
            ge=1,
            le=1024,
            power="starts processes",
            harmless=[1],
        ),
    ] = 1
    hostfile: Annotated[
        _Line,
        _doc(
            "DeepSpeed's list of machines, `NAME slots=N` a line",
            power="starts processes on other hosts",
            harmless=[""],
        ),
    ] = ""


class LogSection(Struct, kw_only=True):
    """Where a training run can be watched. Enters no key: nothing is trained again."""

    to: Annotated[
        list[Literal["tensorboard", "wandb"]],
        _doc(
            '"tensorboard" (files of the state) and "wandb"; [] = nowhere',
            max_length=2,
            power="sends numbers to a server",
            harmless=[["tensorboard"], []],
        ),
    ] = msgspec.field(default_factory=lambda: ["tensorboard"])
    project: Annotated[_Line, _doc("of W&B")] = ""


class MergedSection(Struct, kw_only=True):
    """The full model."""

    dtype: Annotated[
        Literal["base", "bfloat16", "float16", "float32"],
        _doc('"base" = as the base model is stored'),
    ] = "float32"
    tolerance: Annotated[
        float,
        _doc(
            "difference to the adapter's logits, as a share of the largest", ge=0, le=1
        ),
    ] = 1e-4


class OwnQuestion(Struct, forbid_unknown_fields=True):
    """A question of `[[report.questions]]`."""

    question: Annotated[str, Meta(min_length=1, max_length=8000)]
    answer: Annotated[str, Meta(min_length=1, max_length=8000)]
    files: Annotated[list[_Line], Meta(max_length=100)] = []


class ReportSection(Struct, kw_only=True):
    """How much is asked."""

    questions: Annotated[
        int,
        _doc(
            "generated answers for each track, half of them on paths; recall asks as "
            "many again about what the adapter was taught",
            ge=0,
            le=100_000,
        ),
    ] = 60
    grounded: Annotated[
        bool, _doc("ask base and adapter also with facts before the question")
    ] = True
    seed_questions: Annotated[
        int, _doc("of the first comparison report", ge=0, le=100_000)
    ] = 16
    loss_samples: Annotated[int, _doc("for each track", ge=0, le=1_000_000)] = 100
    stale_questions: Annotated[
        int,
        _doc(
            "on what was moved, removed or changed in the last commits",
            ge=0,
            le=100_000,
        ),
    ] = 30
    general_pieces: Annotated[
        int,
        _doc(
            "of the standard library, whose loss shows what is forgotten", ge=0, le=60
        ),
    ] = 60
    own_questions: Annotated[
        list[OwnQuestion],
        _doc(
            "questions of your own; in a file also `[[report.questions]]`",
            max_length=1000,
        ),
    ] = []
    questions_file: Annotated[
        _Line, _doc("a JSONL file of the repository with more of them")
    ] = ""
    max_new_tokens: Annotated[
        int, _doc("longer answers are cut, and cannot be exact", ge=1, le=100_000)
    ] = 128


class JudgeSection(Struct, kw_only=True):
    """A model that compares answers to your own questions."""

    url: Annotated[
        _Line,
        _doc(
            'of an OpenAI-compatible endpoint, up to `/v1`; "" = no judge',
            power="sends questions and answers to a server",
            harmless=[""],
        ),
    ] = ""
    model: Annotated[_Line, _doc("its name there")] = ""


class CacheSection(Struct, kw_only=True):
    """What is kept for branch switches and reverts.

    Every build collects what is beyond it, in time that does not depend on how much is
    stored.
    """

    max_size: Annotated[
        str,
        _doc(
            "of all artifacts; what a branch's newest adapter needs stays",
            pattern=r"^\s*\d{1,12}(\.\d{1,6})?\s*[kKmMgGtT]?[iI]?[bB]?\s*\Z",
            takes='a size such as "500M" or "2G"',
        ),
    ] = "2G"
    keep_builds: Annotated[
        int,
        _doc(
            "results of rows that left within so many builds stay", ge=0, le=1_000_000
        ),
    ] = 20
    remote: Annotated[
        _Line,
        _doc(
            "a folder, s3://, gs://, sftp:// or http(s):// with what others have built",
            power="reads and, with cache.push, writes at this address",
            harmless=("",),
        ),
    ] = ""
    push: Annotated[
        bool,
        _doc(
            "let every build push what it made; else only `repobuild cache push` does",
            power="sends what is built to cache.remote",
            harmless=(False,),
        ),
    ] = False
    namespace: Annotated[
        str,
        _doc(
            "part of the remote that is written, and read first",
            pattern=_NAMESPACE,
            takes=_NAMESPACE_TAKES,
            power="decides what of a shared cache is written",
            harmless=("main",),
        ),
    ] = "main"
    read: Annotated[
        list[Annotated[str, Meta(pattern=_NAMESPACE)]],
        _doc(
            "further namespaces that are read, unless cache.namespace is protected",
            max_length=20,
            power="decides what of a shared cache is read",
            harmless=(["main"],),
        ),
    ] = msgspec.field(default_factory=lambda: ["main"])
    protected: Annotated[
        list[Annotated[str, Meta(pattern=_NAMESPACE)]],
        _doc(
            "namespaces that no job of a pull request writes, and that read no other",
            max_length=100,
            power="decides who may write to a shared cache",
            harmless=(["main"],),
        ),
    ] = msgspec.field(default_factory=lambda: ["main"])
    trusted_keys: Annotated[
        list[_Line],
        _doc(
            "public keys whose entries are read, as `repobuild cache key` prints them",
            max_length=1_000,
            power="decides whose rows and adapters are believed",
            harmless=([],),
        ),
    ] = msgspec.field(default_factory=list)
    required: Annotated[
        bool, _doc("end a build with exit code 5 where the remote cannot be used")
    ] = False
    timeout: Annotated[
        float,
        _doc(
            "without an answer the remote is given up",
            gt=0,
            le=600,
            unit="seconds",
        ),
    ] = 5.0
    days: Annotated[
        int, _doc("an entry that is pushed holds for so long", ge=1, le=3_650)
    ] = 90


class BuildSection(Struct, kw_only=True):
    """What a plain `repobuild` builds, and where. Enters no key."""

    goals: Annotated[list[_Line], _doc("tables", min_length=1, max_length=100)] = (
        msgspec.field(default_factory=lambda: ["report", "merged", "areas"])
    )
    backend: Annotated[
        Literal["loky", "dask", "ray"],
        _doc(
            "what computes large maps: processes of this machine, or a cluster",
            power="has other machines compute, and takes their results",
            harmless=["loky"],
        ),
    ] = "loky"
    scheduler: Annotated[
        _Line,
        _doc(
            'of the cluster: "tcp://host:8786" (dask), "auto" or "ray://host:10001"',
            power="connects to a server",
            harmless=[""],
        ),
    ] = ""
    repository: Annotated[
        _Line,
        _doc(
            'URL or path from which workers fetch blobs; "" = the repository\'s own '
            "folder, on a shared file system",
            power="has other machines fetch from a server",
            harmless=[""],
        ),
    ] = ""


class PublishSection(Struct, kw_only=True):
    """Where a promoted adapter is put. Enters no key."""

    to: Annotated[
        _Line,
        _doc(
            'a folder, a URL such as s3://bucket/path, hf://owner/name; "" = nowhere',
            power="sends the adapter to a folder, a store or a hub",
            harmless=[""],
        ),
    ] = ""


class HookSection(Struct, kw_only=True):
    """When git hooks build in the background. Enters no key."""

    when: Annotated[
        str,
        _doc(
            '"always", "22:00-07:00" of the local clock, "ac" = not on battery; '
            "of several words all must hold",
            pattern=rf"^ *(always|ac|{_HOURS})( +(always|ac|{_HOURS}))* *\Z",
            takes='"always", "ac" or hours such as "22:00-07:00"',
        ),
    ] = "ac"
    nice: Annotated[
        int, _doc("how much other programs go first; 0 = not at all", ge=0, le=19)
    ] = 10


class ServeSection(Struct, kw_only=True):
    """Where `repobuild serve` answers. Enters no key."""

    host: Annotated[
        _Line,
        _doc(
            "the address to listen at; another than this machine's own is for others",
            min_length=1,
            power="opens a server to other machines",
            harmless=["127.0.0.1", "localhost", "::1"],
        ),
    ] = "127.0.0.1"
    port: Annotated[
        int,
        _doc(
            "0 = any that is free",
            ge=0,
            le=65535,
            power="chooses the port of a server",
            harmless=[8000],
        ),
    ] = 8000
    engine: Annotated[
        Literal["auto", "transformers", "vllm"],
        _doc(
            "the server that answers; auto = vLLM where it is installed with a GPU",
            power="chooses the program that serves",
            harmless=["auto"],
        ),
    ] = "auto"


SECTIONS: Mapping[str, type[Struct]] = {
    "project": ProjectSection,
    "samples": SamplesSection,
    "samples.proportions": ProportionsSection,
    "history": HistorySection,
    "locate": LocateSection,
    "graph.llm": GraphLlmSection,
    "split": SplitSection,
    "base": BaseSection,
    "adapter": AdapterSection,
    "log": LogSection,
    "merged": MergedSection,
    "report": ReportSection,
    "report.judge": JudgeSection,
    "cache": CacheSection,
    "build": BuildSection,
    "publish": PublishSection,
    "hook": HookSection,
    "serve": ServeSection,
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of `repobuild.toml`, as its section declares it."""

    name: str  # dotted
    annotation: Any
    default: Any
    description: str
    power: str  # what it reaches beyond the repository; "" for nothing
    harmless: tuple[Any, ...]  # values of a power that reach nothing
    unit: str = ""
    names: tuple[str, ...] = ()  # the allowed texts, where files of configs/ are named

    def problem(self, value: Any) -> str:
        """Return what is wrong with a value, in words; "" when it fits."""
        try:
            msgspec.convert(value, self.annotation)
            _check_encoding(value)
            fits = _has_kind_of(value, self.default)
        except (msgspec.ValidationError, OverflowError, RecursionError, ValueError):
            fits = False
        if not fits:
            return self._refusal(value)
        for name in value if isinstance(value, list) else [value]:
            if self.names and name not in (*self.names, *_choices(self.annotation)):
                known = ", ".join(self.names)
                hint = nearest(name[:80], self.names)
                some = "some" if isinstance(value, list) else "one"
                return f"must name {some} of {known}, not {shown(name)}{hint}"
        return ""

    def _refusal(self, value: Any) -> str:
        hint = ""
        choices = _choices(self.annotation)
        texts = value if isinstance(value, list) else [value]
        unknown = [t for t in texts if isinstance(t, str) and t not in choices]
        if choices and unknown:
            hint = nearest(unknown[0][:80], choices)
        if isinstance(value, str) and not self.problem([value]):
            hint = f": write {shown([value])}"
        unit = f" {self.unit}" if self.unit else ""
        return f"must be {wanted(self.annotation)}{unit}, not {shown(value)}{hint}"

    def is_power(self, value: Any) -> bool:
        """Tell whether a value reaches the machine beyond the repository."""
        return bool(self.power) and value not in self.harmless


@cache
def settings() -> Mapping[str, Setting]:
    """Return every setting by dotted name, `preset` first."""
    preset = Annotated[_Line, _doc("a file in configs/presets", files="presets")]
    found = [_setting("preset", preset, "tiny")]
    for section, kind in SECTIONS.items():
        for field in msgspec.structs.fields(kind):
            default = (
                field.default_factory()
                if field.default is msgspec.NODEFAULT
                else field.default
            )
            found.append(_setting(f"{section}.{field.name}", field.type, default))
    return {setting.name: setting for setting in found}


def _setting(name: str, annotation: Any, default: Any) -> Setting:
    meta = _metadata(annotation)
    extra = meta.extra or {}
    return Setting(
        name,
        annotation,
        default,
        meta.description or "",
        extra.get("power", ""),
        tuple(extra.get("harmless", ())),
        extra.get("unit", ""),
        _names_of_files(extra["files"]) if "files" in extra else (),
    )


def _names_of_files(folder: str) -> tuple[str, ...]:
    """Return the names that a folder of configs/ offers.

    A language with `part_of` or `always` is chosen by another's name or in any case.
    """
    paths = sorted((data_folder("configs") / folder).glob("*.toml"))
    if folder != "languages":
        return tuple(path.stem for path in paths)
    chosen = re.compile(r"^(part_of|always)\s*=", re.MULTILINE)
    return tuple(p.stem for p in paths if not chosen.search(p.read_text("utf-8")))


def _metadata(annotation: Any) -> Meta:
    """Return the `Meta` that holds a setting's description: the last one."""
    found = getattr(annotation, "__metadata__", ())
    return next(
        m for m in reversed(found) if isinstance(m, Meta) and m.description is not None
    )


def defaults() -> dict[str, Any]:
    """Return a copy of every default by dotted name, in the order of the schema."""
    return {name: deepcopy(setting.default) for name, setting in settings().items()}


def settings_file(
    preset: str,
    values: Mapping[str, Any],
    chosen: Mapping[str, Any] = {},
    notes: Sequence[str] = (),
) -> str:
    """Return a repobuild.toml with a preset, and every setting commented out.

    `values` are the settings of the preset. What is `chosen` beside it is written as
    a setting that holds; `notes` are comments at the top.
    """
    lines = [
        "# Settings of repobuild for this repository. Every setting is listed,",
        "# commented out, with the value that it has by this preset.",
        *(f"# {note}".rstrip() for note in notes),
        f"preset = {toml(preset)}",
    ]
    for section, kind in SECTIONS.items():
        lines += ["", f"[{section}]", f"# {(kind.__doc__ or '').splitlines()[0]}"]
        for setting in settings().values():
            table, _, name = setting.name.rpartition(".")
            if table == section:
                value = values.get(setting.name, setting.default)
                mark = "" if setting.name in chosen else "# "
                line = f"{mark}{name} = {toml(chosen.get(setting.name, value))}"
                note = f"  # {setting.description}" if setting.description else ""
                lines.append(line.ljust(32) + note if note else line)
    return "\n".join(lines) + "\n"


def toml(value: Any) -> str:
    """Return a default as TOML: text, number, true or false, or a list of texts."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 10_000:
        return f"{value:_}"
    return json.dumps(value)


def _choices(annotation: Any) -> tuple[str, ...]:
    """Return the texts that a setting, or an entry of its list, may be; () for any."""
    kind = type_info(annotation)
    while isinstance(kind, Metadata | ListType | UnionType):
        match kind:
            case UnionType():
                kind = kind.types[0]
            case ListType():
                kind = kind.item_type
            case _:
                kind = kind.type
    return tuple(map(str, kind.values)) if isinstance(kind, LiteralType) else ()


def _has_kind_of(value: Any, default: Any) -> bool:
    """Return whether a value is what its default is; an int also fits a float.

    msgspec would take 4.0 for a whole number too.
    """
    if isinstance(default, float):
        return not isinstance(value, bool) and math.isfinite(value)
    # A list in place of a text: the annotation allowed it.
    is_list = isinstance(default, str) and isinstance(value, list)
    return is_list or type(value) is type(default)


def _check_encoding(value: Any) -> None:
    """Raise `ValueError` for text that is no UTF-8, as the environment may hold."""
    if isinstance(value, str):
        value.encode("utf-8")
    elif isinstance(value, list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            _check_encoding(part)


def shown(value: Any) -> str:
    """Return a value as an error message quotes it: short, and on one line."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
        if not text.isprintable():  # what a terminal obeys or cannot encode
            text = json.dumps(value, default=str)
    except (ValueError, RecursionError):  # an integer of thousands of digits
        return f"a value of type {type(value).__name__} that is too large to show"
    return text if len(text) <= 80 else f"{text[:77]}..."


def wanted(annotation: Any) -> str:
    """Return in words which values a setting takes: `a number above 0 to 1`."""
    return _in_words(type_info(annotation))


def _in_words(kind: Any) -> str:
    while isinstance(kind, Metadata):
        if takes := (kind.extra or {}).get("takes", ""):
            return str(takes)
        kind = kind.type
    match kind:
        case BoolType():
            return "true or false"
        case IntType():
            return "a whole number" + _range(kind)
        case FloatType():
            return "a number" + _range(kind)
        case UnionType():
            return " or ".join(map(_in_words, kind.types))
        case LiteralType():
            return " or ".join(f'"{value}"' for value in kind.values)
        case ListType():
            some = "one or more " if kind.min_length else ""
            return f"a list of {some}entries, each {_in_words(kind.item_type)}"
        case StructType():
            return f"a table of {', '.join(field.name for field in kind.fields)}"
        case StrType():
            return "one line of text" + (
                " that is not empty" if kind.min_length else ""
            )
    raise TypeError(f"no words for {kind}")


def _range(kind: Any) -> str:
    low = kind.ge if kind.ge is not None else kind.gt
    high = kind.le if kind.le is not None else kind.lt
    above = "above" if kind.ge is None else "from"
    below = "below" if kind.le is None else "to"
    if low is None:
        return "" if high is None else f" {below} {high:,}"
    if high is None:
        return f" {above} {low:,}"
    return f" {above} {_plain(low)} {below} {_plain(high)}"


def _plain(number: float) -> str:
    return f"{int(number):,}" if number == int(number) else f"{number:g}"
