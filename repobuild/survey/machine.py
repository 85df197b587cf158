"""Read processors, memory and graphics cards from the system, without importing torch.

Importing torch to ask for a card takes two seconds, and what counts first is whether
there is one at all. Nvidia's driver says so, and the version of the installed torch
says whether it was built for cards ("2.9.0+cpu" was not).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from repobuild.engine.context import usable_cores
from repobuild.engine.rule import installed_version

GB = 1_000_000_000
_QUERY = ("--query-gpu=name,memory.total", "--format=csv,noheader,nounits")
_DRIVER_SECONDS = 10.0  # a driver that hangs is no card
_VISIBLE = "CUDA_VISIBLE_DEVICES"
_GROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")  # of a container
_PROCESSOR = Path("/proc/cpuinfo")
_PROCESSOR_FLAGS = re.compile(r"^(?:flags|Features)\s*:(.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class GraphicsCard:
    name: str
    memory: int  # bytes


@dataclass(frozen=True, slots=True)
class Machine:
    """What a training run can use here."""

    cores: int
    memory: int  # bytes; 0 = unknown
    cards: tuple[GraphicsCard, ...]
    torch: str  # version; "" = not installed
    has_bfloat16: bool = True  # the processor, see load/libraries.py

    @classmethod
    def here(cls) -> Machine:
        torch = installed_version("torch")
        return cls(usable_cores(), _memory(), _cards(), torch, _has_bfloat16())

    @property
    def has_unused_card(self) -> bool:
        """Whether there is a card that the installed torch cannot use."""
        return bool(self.cards) and self.torch.endswith("+cpu")

    @property
    def card_memory(self) -> int:
        """Bytes of the smallest card that training would use; 0 without one."""
        if self.has_unused_card or not self.cards:
            return 0
        return min(card.memory for card in self.cards)

    @property
    def text(self) -> str:
        without = "" if self.has_bfloat16 or self.card_memory else " without bfloat16"
        parts = [f"{self.cores} core{'s' * (self.cores != 1)}{without}"]
        if self.memory:
            parts.append(f"{self.memory / GB:.0f} GB of memory")
        cards = [f"{card.name} ({card.memory / GB:.0f} GB)" for card in self.cards]
        return ", ".join([*parts, *(cards or ["no graphics card"])])


def _memory() -> int:
    """Return the bytes of memory, of the container where that has fewer."""
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return 0
    try:
        limit = _GROUP_LIMIT.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return total
    return min(total, int(limit)) if limit.isdigit() else total


def _has_bfloat16() -> bool:
    """Return whether the processor computes in bfloat16; True if it does not say."""
    try:
        text = _PROCESSOR.read_text("ascii", errors="replace")
    except OSError:
        return True
    flags = _PROCESSOR_FLAGS.search(text)
    return flags is None or computes_in_bfloat16(flags[1].split())


def computes_in_bfloat16(flags: Collection[str]) -> bool:
    """Return whether torch has kernels for a processor with these flags of Linux.

    On x86 they need AVX-512; its own instructions for bfloat16 only make them faster.
    """
    return "avx512bw" in flags or "bf16" in flags


def _cards() -> tuple[GraphicsCard, ...]:
    """Return the cards that Nvidia's driver lists and that are not hidden."""
    program = shutil.which("nvidia-smi")
    # A relative entry of PATH would run a program of the analysed repository.
    if program is None or not os.path.isabs(program):
        return ()
    try:
        done = subprocess.run(
            [program, *_QUERY],
            capture_output=True,
            text=True,
            timeout=_DRIVER_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return ()
    return visible(read_cards(done.stdout), os.environ.get(_VISIBLE))


def read_cards(output: str) -> tuple[GraphicsCard, ...]:
    """Return the cards of the driver's answer, `NAME, MIB` a line."""
    cards = []
    for line in output.splitlines():
        name, _, memory = line.rpartition(",")
        if name and memory.strip().isdigit():
            cards.append(GraphicsCard(name.strip(), int(memory) << 20))
    return tuple(cards)


def visible(
    cards: tuple[GraphicsCard, ...], chosen: str | None
) -> tuple[GraphicsCard, ...]:
    """Return the cards that CUDA_VISIBLE_DEVICES leaves; ids other than numbers count.

    As for CUDA, the first entry that names no card ends the list.
    """
    if chosen is None:
        return cards
    found: list[GraphicsCard] = []
    for entry in chosen.split(","):
        name = entry.strip()
        if name.startswith(("GPU-", "MIG-")) and len(found) < len(cards):
            found.append(cards[len(found)])
        elif name.isdigit() and int(name) < len(cards):
            found.append(cards[int(name)])
        else:
            break
    return tuple(found)
