"""Prepare the repositories that a hypernetwork is trained on, and store them.

    LIST        one repository or folder a line; after a tab, a file of tasks instead
                of those that training_tasks.py makes
    tasks       JSON lines: {"prompt", "answer"}, a text to complete, or {"question",
                "answer"}, a question, as `repobuild export dataset` writes them
    prepared    NAME.DIGEST.safetensors: the tensors of every window; NAME.DIGEST.bin:
                msgpack, the tokens of its tasks; the digest is of what was read

A window is what one training step reads: a snapshot with its tasks, or for Evo a
snapshot and up to `commits` commits after it, each with its diff's vector and the tasks
that the commit made. A repository is encoded again when its HEAD has moved, its files
(of a folder that is none) or its file of tasks have changed.
"""

from __future__ import annotations

import glob
import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any

import msgpack
import torch
from safetensors.torch import load_file, save_file

from repobuild.errors import MissingObjectError, UsageError, system_reason
from repobuild.model.conversation import FILE, Conversation, Example
from repobuild.model.hypernet.file_encoder import EncodedText, FileEncoder
from repobuild.model.hypernet.repository_input import (
    FileVector,
    RepositoryInput,
    pool,
)
from repobuild.model.hypernet.sources import (
    Sources,
    decode_source,
    diff_text,
    is_encoded,
    is_repository,
    read_sources,
    state_of,
)
from repobuild.model.hypernet.training.training_tasks import (
    CompletionTask,
    assertion_tasks,
    defined_names,
    make_tasks,
    name_tasks,
)

_LONGEST_LIST = 4 << 20  # bytes
_HISTORY = 500  # commits that are read of a repository at most


@dataclass(frozen=True, slots=True)
class SetSettings:
    """How much of each repository is trained on."""

    prompt_tokens: int = 256
    longest_target: int = 64  # tokens
    most_tasks: int = 256  # of a snapshot
    evo: bool = False
    commits: int = 12  # of a window: 8 to 16 are followed by one gradient
    windows: int = 8  # of a repository
    commit_tasks: int = 8  # of a commit
    seed: int = 1


@dataclass(frozen=True, slots=True)
class ListedRepository:
    """A line of the list."""

    place: Path
    tasks: Path | None = None
    digest: str = ""  # of what is read of it

    @classmethod
    def of(cls, place: Path, tasks: Path | None) -> ListedRepository:
        """Note which state of a repository and of its tasks is read."""
        read = blake2b(str(place.resolve()).encode(), digest_size=8)
        for part in (state_of(place), tasks.read_bytes() if tasks else b""):
            read.update(blake2b(part).digest())
        return cls(place, tasks, read.hexdigest())


@dataclass(frozen=True, slots=True)
class Window:
    """What one training step reads of a repository."""

    own: RepositoryInput
    tasks: list[list[Example]]  # of the snapshot, or of each commit
    diffs: torch.Tensor | None = None  # (T, 2C)


@dataclass(frozen=True, slots=True)
class TrainingRepository:
    """A prepared repository."""

    name: str
    windows: list[Window] = field(default_factory=list)

    def save(self, folder: Path, digest: str) -> None:
        """Write both files; a reader finds them only when they are whole."""
        stem = f"{self.name}.{digest}"
        tensors: dict[str, torch.Tensor] = {}
        for number, window in enumerate(self.windows):
            own = window.own
            parts = {"vector": own.vector, "files": own.files, "weights": own.weights}
            if window.diffs is not None:
                parts["diffs"] = window.diffs
            tensors |= {f"{number}.{n}": t.contiguous() for n, t in parts.items()}
        rows = [
            [[[e.id, e.task, e.answer_start, e.tokens] for e in group] for group in w]
            for w in (window.tasks for window in self.windows)
        ]
        (folder / f"{stem}.bin").write_bytes(msgpack.packb(rows))
        new = folder / f"{stem}.new"
        save_file(tensors, new)
        new.rename(folder / f"{stem}.safetensors")

    def with_tasks(self) -> TrainingRepository:
        """Return it without windows in which nothing is asked."""
        return TrainingRepository(self.name, [w for w in self.windows if any(w.tasks)])

    @classmethod
    def load(cls, folder: Path, name: str, digest: str) -> TrainingRepository:
        """Read what `save` wrote."""
        tensors = load_file(folder / f"{name}.{digest}.safetensors")
        rows = msgpack.unpackb((folder / f"{name}.{digest}.bin").read_bytes())
        windows = []
        for number, groups in enumerate(rows):
            own = RepositoryInput(
                *(tensors[f"{number}.{n}"] for n in ("vector", "files", "weights"))
            )
            tasks = [[Example(i, t, ids, a) for i, t, a, ids in g] for g in groups]
            windows.append(Window(own, tasks, tensors.get(f"{number}.diffs")))
        return cls(name, windows)


# ----------------------------------------------------------------------------- list


def read_list(path: Path) -> list[ListedRepository]:
    """Read a list; paths are relative to its folder. Raises `UsageError`."""
    try:
        with path.open(encoding="utf-8") as stream:
            lines = stream.read(_LONGEST_LIST).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = system_reason(error) if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(
            f'"{path}" cannot be read: {why}\nname a file with one folder a line'
        ) from error
    found = []
    for line in lines:
        if not (text := line.strip()) or text.startswith("#"):
            continue
        place, _, tasks = text.partition("\t")
        folder = path.parent / Path(place.strip()).expanduser()
        given = path.parent / Path(tasks.strip()).expanduser() if tasks else None
        try:
            found.append(ListedRepository.of(folder, given))
        except OSError as error:
            raise UsageError(
                f'"{error.filename}" cannot be read: {system_reason(error)}\n'
                f'"{path}" names it'
            ) from error
    if len(found) < 2:
        raise UsageError(
            f'"{path}" names too few repositories, training needs 2 at least: '
            "each is told apart from another\nwrite one folder a line"
        )
    return found


def prepare(
    listed: Sequence[ListedRepository],
    folder: Path,
    load_encoder: Callable[[], FileEncoder],
    conversation: Conversation,
    settings: SetSettings,
    report: Callable[[str], None] = lambda line: None,
) -> list[TrainingRepository]:
    """Return the prepared repositories; encode those that are not there yet.

    One without tasks is reported and left out. Raises `UsageError` if fewer than 2 are
    left.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for number, one in enumerate(listed):
        name = f"{number:04d}-{one.place.resolve().name}"
        if not (folder / f"{name}.{one.digest}.safetensors").is_file():
            for old in folder.glob(f"{glob.escape(name)}.*"):
                old.unlink()
            maker = _Preparation(load_encoder(), conversation, settings)
            made = TrainingRepository(name, list(maker.windows(one)))
            made.save(folder, one.digest)
        ready = TrainingRepository.load(folder, name, one.digest).with_tasks()
        tasks = sum(len(group) for window in ready.windows for group in window.tasks)
        report(f"{one.place.name}: {len(ready.windows)} windows, {tasks} tasks")
        if tasks:
            found.append(ready)
    if len(found) < 2:
        raise UsageError(
            f"only {len(found)} repositories have tasks to train on\n"
            "tasks are made of Python sources and tests; or name a file of tasks after "
            "a tab"
        )
    return found


# --------------------------------------------------------------------- one repository


class _Preparation:
    """The preparation of one repository; a blob is encoded once."""

    def __init__(
        self, encoder: FileEncoder, conversation: Conversation, settings: SetSettings
    ) -> None:
        self.encoder, self.conversation, self.settings = encoder, conversation, settings
        self.known: dict[str, EncodedText] = {}

    def windows(self, one: ListedRepository) -> Iterator[Window]:
        if self.settings.evo:
            yield from self._histories(one)
            return
        sources = read_sources(one.place)
        if one.tasks is None:
            tasks = self.encode_tasks(make_tasks(sources), self.settings.most_tasks)
        else:
            tasks = self.read_tasks(one.tasks)
        yield Window(self.pool(sources), [tasks])

    def pool(self, sources: Sources) -> RepositoryInput:
        """Return the input of a snapshot."""
        vectors = []
        for path, text in sources.encoded.items():
            blob = sources.blobs[path]
            if blob not in self.known:
                self.known[blob] = self.encoder.encode_file(text)
            made = self.known[blob]
            lines = text.count("\n") + 1
            vectors.append(FileVector(path, made.vector, made.tokens, lines))
        return pool(vectors)

    # ------------------------------------------------------------------------ history

    def _histories(self, one: ListedRepository) -> Iterator[Window]:
        """Yield windows of consecutive commits, spread evenly over the history."""
        from repobuild.git.commit_diffs import commit_row, kept_commits
        from repobuild.git.repository import open_repository
        from repobuild.git.snapshot import at_commit

        if not is_repository(one.place):
            raise UsageError(f'"{one.place}" is no git repository: it has no commits')
        snapshot = at_commit(open_repository(one.place))
        rows: list[Mapping[str, Any]] = []
        for step in islice(
            kept_commits(snapshot.repository, snapshot.commit), _HISTORY
        ):
            try:
                rows.append(commit_row(snapshot.repository, step))
            except MissingObjectError:
                break
        rows.reverse()  # oldest first
        size = self.settings.commits
        starts = list(range(0, len(rows) - size + 1, size))
        for start in _spread(starts, self.settings.windows):
            part = rows[start : start + size]
            sources = read_sources(one.place, part[0]["parent"])
            yield self._history(sources, part, snapshot.blob)

    def _history(
        self,
        sources: Sources,
        rows: Sequence[Mapping[str, Any]],
        read: Callable[[str], bytes],
    ) -> Window:
        defined = defined_names(sources.encoded)
        tasks, diffs = [], []
        for row in rows:
            text = diff_text(row["changes"], read)
            diffs.append(self.encoder.encode_diff(text).vector)
            made = _new_tasks(row["changes"], read, defined)
            tasks.append(self.encode_tasks(made, self.settings.commit_tasks))
        return Window(self.pool(sources), tasks, torch.stack(diffs))

    # -------------------------------------------------------------------------- tasks

    def encode_tasks(self, tasks: Sequence[CompletionTask], most: int) -> list[Example]:
        """Return at most `most` tasks as tokens, drawn at random."""
        drawn = list(tasks)
        random.Random(self.settings.seed).shuffle(drawn)
        found: list[Example] = []
        for task in drawn:
            if len(found) == most:
                break
            example = self.encode(task.kind, task.path, task.prompt, task.target)
            if example is not None:
                found.append(example)
        return found

    def encode(self, kind: str, path: str, prompt: str, target: str) -> Example | None:
        """Return a completion as tokens: the end of the prompt, target, line end."""
        plain, files = self.conversation.plain, self.conversation.has_file_token
        head = f"{FILE}{plain(path)}\n" if files and path else ""
        texts = [head, plain(prompt), plain(target) + "\n"]
        begin, before, answer = self.conversation.encode(texts)
        before = [*begin, *before[-self.settings.prompt_tokens :]]
        if not before or len(answer) > self.settings.longest_target:
            return None
        return Example(f"{path}::{target}", kind, [*before, *answer], len(before))

    def read_tasks(self, path: Path) -> list[Example]:
        """Read a file of tasks; raises `UsageError` for a line that is none."""
        found: list[Example] = []
        with path.open(encoding="utf-8") as stream:
            for number, line in enumerate(stream, 1):
                try:
                    found += self._read_task(number, json.loads(line))
                except (ValueError, KeyError, TypeError, AttributeError) as error:
                    raise UsageError(
                        f'"{path}" line {number} is no task: {error!r}\n'
                        'write {"prompt": ..., "answer": ...} there'
                    ) from error
        random.Random(self.settings.seed).shuffle(found)
        return found[: self.settings.most_tasks]

    def _read_task(self, number: int, row: Mapping[str, Any]) -> list[Example]:
        """Return the example of a task; none when it is too long."""
        answer = str(row["answer"])
        if (prompt := row.get("prompt")) is not None:
            made = self.encode("given", str(row.get("path", "")), str(prompt), answer)
            return [made] if made else []
        sample = {"task": "given", "form": "chat", "element": ""}
        sample |= {"question": str(row["question"]), "answer": answer}
        longest = self.settings.prompt_tokens + self.settings.longest_target
        return self.conversation.tokenise([(str(number), sample)], longest).kept


def _spread(starts: Sequence[int], most: int) -> Iterable[int]:
    """Return at most `most` of the starts, evenly."""
    step = max(1, len(starts) / most) if starts else 1
    return dict.fromkeys(starts[int(i * step)] for i in range(min(most, len(starts))))


def _new_tasks(
    changes: Sequence[Sequence[Any]],
    read: Callable[[str], bytes],
    defined: frozenset[str],
) -> list[CompletionTask]:
    """Return the tasks of a commit's changed files that the files did not have."""
    found: list[CompletionTask] = []
    for _, _, old_blob, path, blob in changes:
        if not path.endswith(".py") or not blob:
            continue
        texts = []
        for one in (blob, old_blob):
            try:
                texts.append((decode_source(read(one)) or "") if one else "")
            except MissingObjectError:
                texts.append("")
        names = defined | defined_names({path: texts[0]})
        new = _tasks_of(path, texts[0], names)
        old = {task.identity[1:] for task in _tasks_of(path, texts[1], names)}
        found += [task for task in new if task.identity[1:] not in old]
    return list({task.identity: task for task in found}.values())


def _tasks_of(path: str, text: str, defined: frozenset[str]) -> list[CompletionTask]:
    if is_encoded(path):
        return list(name_tasks(path, text, defined))
    return list(assertion_tasks(path, text))
