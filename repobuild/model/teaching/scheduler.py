"""Decide which facts a training run shows, pass by pass, until they are mastered.

    fact        what is learnt: its answer is the same in each of its phrasings
    pass        some hundred facts, each shown once, in its next phrasing; planned as a
                whole from the results of the passes before
    box         right answers in a row; a wrong one halves it (Leitner's boxes)
    mastered    the box has reached `mastery`; until then an introduced fact is open
    due         the pass in which a fact is shown again: 1, 3, 9, 27, ... passes after
                a right answer, the next one after a wrong answer
    slow        still in box 0 after `SLOW_AFTER` times: it waits longer and longer, so
                that it does not keep others from being introduced
    set aside   still in box 0 after `MOST_SHOWN` times: it is not shown any more
    guarded     its answer replaces another one (guarded.py): it waits `GUARDED_WAIT`
                passes at most, and comes before others that were lost or are reviewed.
                One that denies is mastered only by answers that are sure

An answer is right when the model, about to be trained on it, would have given it word
for word, and sure when each of its tokens leads by a margin (compute/loss.py). The fact
was last shown a pass ago or earlier, in another phrasing if it has several, so an echo
of what was just trained does not count.

Facts are introduced in the given order, as many as a pass has room for beside those
that are due. So the first ones are mastered when the budget ends, and the last ones
were not begun. In the last part of the budget nothing is introduced.

A run ends when all that can be begun is mastered, or with its budget. One that teaches
all from nothing ends with the curve of its rate, too, if nearly all is mastered: the
last facts cost several times as much, and what they need unlearns others.

The scheduler is pure: equal facts, settings and results give equal passes, on any
number of processes and in a resumed run.

Sources: spaced repetition (Leitner 1972, "So lernt man lernen"; Settles and Meeder
2016, "A Trainable Spaced Repetition Model for Language Learning").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NamedTuple

SLOW_AFTER = 12  # times; a path takes 4 to 6, a list of callers 2 to 7
MOST_SHOWN = 40  # times
NEVER = 1 << 30  # the pass in which a fact is due that was set aside
# Share of the tokens in which facts are introduced, as many as can still be mastered;
# the rest masters those, at falling rates. With 0.7 and no condition a build had spent
# the last quarter of its tokens on reviews, 1,677 of 1,680 facts being mastered.
INTRODUCING = 0.9
# How often a fact is shown until it is mastered, where others are known or come later.
EXPECTED_TIMES = 8
# The same where a run teaches all from nothing, for the length of the rate's curve. The
# facts of a small project are mastered while the rate falls. At 8 times it rose to its
# peak before, and 33 of 171 mastered ones were lost (docs/benchmarks/training.md).
FIRST_TIMES = 12
# A run from nothing ends with its curve if so many of its facts are mastered: of 283,
# the last fifteen take 5,000 tokens each and more, the others 1,100.
ENOUGH = 0.95
# Of its curve: it ends then, whatever is mastered. A few facts have these tokens at
# least, as they are learnt in steps rather than times; they cost half a minute at most.
LONGEST, LEAST_END = 4 / 3, 32_768
_LEAST_SHARE = 0.05
# How often a fact is expected to be shown before a run has told, and at most: a few
# hundred facts, all mastered, took 12 to 17 times each, reviews and relapses included.
_PRIOR_FACTS, _PRIOR_TIMES, _MOST_TIMES = 10, 10, 16
# Each right answer makes the wait so many times as long. With 2, and 9 expected times,
# facts were shown 10.9 times in 300,000 tokens and 518 were taught; with 3, and 8, 9.9
# times and 566, of which as many were right in a phrasing never trained (81 %).
WAIT_GROWTH = 3
LONGEST_WAIT = 1 << 20  # passes: more than any run has
# Passes. With 4, new facts of click were right at once less often: 119 of 129 at five
# commits of one seed, with 9 123, unguarded 124.
GUARDED_WAIT = 9
STARTUP = 10.0  # seconds to import torch, load the model and measure the gate


class Certainty(IntEnum):
    """How a fact was answered."""

    WRONG = 0
    RIGHT = 1
    SURE = 2


@dataclass(frozen=True, slots=True)
class TaughtFact:
    """A fact: numbers of the examples that ask it, and what an earlier run knew of
    it."""

    examples: tuple[int, ...]
    box: int | None = None  # None = not introduced yet
    guarded: bool = False
    denies: bool = False  # it is guarded, and tells that something is gone


@dataclass(frozen=True, slots=True)
class Pace:
    """The settings of a run."""

    budget: int  # tokens
    pass_tokens: int  # at most, unless there are fewer to show
    mastery: int  # right answers in a row
    review: float  # share of a pass that due reviews get, however many facts are open
    at_once: bool = False  # begin every fact in the first pass, as those of a delta are


class FactState(NamedTuple):
    """Where a fact stands that was introduced."""

    box: int
    due: int
    shown: int = 0  # times in this run; it chooses the phrasing


class Shown(NamedTuple):
    """A fact of a pass, and the example that asks it."""

    fact: int
    example: int


@dataclass(slots=True)
class Scheduler:
    """Plans the passes of one run and takes their results."""

    facts: Sequence[TaughtFact]
    sizes: Sequence[int]  # tokens of each example
    pace: Pace
    passes: int = 0  # planned so far
    spent: int = 0  # tokens of these
    planned_tokens: int = field(init=False)  # of the run, about: the rate's curve
    states: dict[int, FactState] = field(default_factory=dict)  # of introduced facts
    _last_tokens: int = 0  # of the last pass
    _goal_share: float = 0.0  # of the last passes' tokens: facts not mastered yet

    def __post_init__(self) -> None:
        """Spread the reviews of what was mastered before over the first passes."""
        self.planned_tokens = self._plan_tokens()
        room = max(1, int(self.pace.pass_tokens * self.pace.review))
        tokens = 0
        for number, fact in enumerate(self.facts):
            if fact.box is None and not self.pace.at_once:
                continue
            box = fact.box or 0
            mastered = box >= self.pace.mastery
            self.states[number] = FactState(box, 1 + tokens // room if mastered else 1)
            tokens += self._size(number) if mastered else 0

    # ----------------------------------------------------------------------- passes

    def next_pass(self) -> list[Shown]:
        """Plan the next pass; an empty one ends the run."""
        if not self._is_open():
            return []
        self.passes += 1
        room = min(self.pace.pass_tokens, self.pace.budget - self.spent)
        due = sorted((s.due, n) for n, s in self.states.items() if s.due <= self.passes)
        waiting = [n for _, n in due if not self._is_mastered(n)]
        waiting.sort(key=self._turn)
        reviews = [n for _, n in due if self._is_mastered(n)]
        reviews.sort(key=lambda n: not self.facts[n].guarded)
        taken = self._take(waiting, room - int(room * self.pace.review))
        taken += self._take(reviews, room - self._tokens(taken))
        fresh = min(room - self._tokens(taken), self._affordable())
        taken += self._take(self._new_facts(), fresh)
        if not taken and due:  # the budget is spent
            return []
        self.spent += self._tokens(taken)
        self._note_share(taken)
        return [self._show(number) for number in taken] or self.next_pass()

    def record(self, results: Mapping[int, int]) -> None:
        """Take the results of the planned pass: the `Certainty` to each fact."""
        for number, answer in sorted(results.items()):
            state, longest = self.states[number], LONGEST_WAIT
            box = state.box + 1 if answer else state.box // 2
            if self.facts[number].guarded:
                longest = GUARDED_WAIT
            if self.facts[number].denies and answer == Certainty.RIGHT:
                box = min(box, self.pace.mastery - 1)
            wait = min(WAIT_GROWTH ** (box - 1), longest) if answer and box else 1
            due = self.passes + wait
            if not box and state.shown >= SLOW_AFTER:
                due += state.shown // SLOW_AFTER
            if not box and state.shown >= MOST_SHOWN:
                due = NEVER
            self.states[number] = state._replace(box=box, due=due)

    def _turn(self, number: int) -> int:
        """Return which open facts come first: new ones, guarded ones, others."""
        fact = self.facts[number]
        return 0 if fact.box is None else 1 if fact.guarded else 2

    def _show(self, number: int) -> Shown:
        state = self.states.get(number, FactState(0, 0))
        self.states[number] = state._replace(shown=state.shown + 1)
        examples = self.facts[number].examples
        return Shown(number, examples[state.shown % len(examples)])

    def _take(self, numbers: Iterable[int], tokens: int) -> list[int]:
        """Return the first facts that fit into the tokens."""
        taken = []
        for number in numbers:
            tokens -= self._size(number)
            if tokens < 0:
                break
            taken.append(number)
        return taken

    def _new_facts(self) -> Iterator[int]:
        return (n for n in range(len(self.facts)) if n not in self.states)

    # ------------------------------------------------------------------ what is left

    def _is_mastered(self, number: int) -> bool:
        return self.states[number].box >= self.pace.mastery

    def _affordable(self) -> int:
        """Return the tokens of new facts that can be mastered beside the open ones."""
        if self.spent >= INTRODUCING * self.pace.budget:
            return 0
        waiting = (
            number
            for number, state in self.states.items()
            if state.due < NEVER and not self._is_mastered(number)
        )
        left = self.pace.budget - self.spent
        return max(0, left // EXPECTED_TIMES - self._tokens(waiting))

    def _is_open(self) -> bool:
        """Return whether anything is left but reviews, which alone are no goal."""
        new = next(self._new_facts(), None)
        if new is not None and self._size(new) <= self._affordable():
            return True
        open_facts = [n for n in self.states if not self._is_mastered(n)]
        if not self.pace.at_once and self.spent >= self.planned_tokens:
            goals = sum((fact.box or 0) < self.pace.mastery for fact in self.facts)
            is_enough = len(open_facts) <= (1 - ENOUGH) * goals
            if is_enough or self.spent >= self._most_tokens:
                return False
        return any(self.states[n].due < NEVER for n in open_facts)

    # ------------------------------------------------------------------------ tokens

    def _plan_tokens(self) -> int:
        """Return the budget, or about what all facts need."""
        mastery = self.pace.mastery
        goals = (n for n, f in enumerate(self.facts) if (f.box or 0) < mastery)
        times = EXPECTED_TIMES if self.pace.at_once else FIRST_TIMES
        needed = times * self._tokens(goals) / (1 - self.pace.review)
        return max(1, min(self.pace.budget, int(needed)))

    @property
    def _most_tokens(self) -> int:
        """Tokens after which the run ends, whatever is mastered by then."""
        if self.pace.at_once:
            return self.pace.budget
        most = max(LEAST_END, int(LONGEST * self.planned_tokens))
        return min(self.pace.budget, most)

    @property
    def expected_tokens(self) -> int:
        """Tokens that the run will need after the planned passes, for the time left.

        How often a fact is shown until it is mastered, this run has told by now.
        """
        mastery = self.pace.mastery
        right, shown = _PRIOR_FACTS * mastery, _PRIOR_FACTS * _PRIOR_TIMES
        for state in self.states.values():
            if state.shown:
                right, shown = right + min(state.box, mastery), shown + state.shown
        times = min(mastery * shown / right, _MOST_TIMES)
        needed = sum(
            self._size(n) * max((mastery - s.box) * times / mastery, times - s.shown)
            for n, s in self.states.items()
            if s.due < NEVER and not self._is_mastered(n)
        )
        new = list(self._new_facts())
        if new and self._size(new[0]) <= self._affordable():
            needed += times * self._tokens(new)
        share = max(self._goal_share, _LEAST_SHARE)
        # The last facts take passes, which reviews fill; one that needed long needs
        # half as long again.
        passes = max(
            (
                max(mastery - s.box, times - s.shown, s.shown / 2)
                for n, s in self.states.items()
                if s.due < NEVER and not self._is_mastered(n)
            ),
            default=0.0,
        )
        expected = max(needed / share, passes * self._last_tokens)
        return max(0, min(self._most_tokens - self.spent, int(expected)))

    def _note_share(self, taken: Sequence[int]) -> None:
        """Note which share of a pass's tokens is not spent on reviews."""
        goal = self._tokens(
            n for n in taken if n not in self.states or not self._is_mastered(n)
        )
        self._last_tokens = self._tokens(taken)
        share = goal / max(1, self._last_tokens)
        before = self._goal_share or 1 - self.pace.review
        self._goal_share = before + 0.05 * (share - before)

    def _size(self, number: int) -> int:
        """Return the tokens of a fact in the phrasing that is next."""
        state, examples = self.states.get(number), self.facts[number].examples
        return self.sizes[examples[(state.shown if state else 0) % len(examples)]]

    def _tokens(self, numbers: Iterable[int]) -> int:
        return sum(map(self._size, numbers))

    # ------------------------------------------------------------------------- state

    def dump(self) -> dict[str, Any]:
        """Return the state as JSON."""
        states = [[number, *state] for number, state in sorted(self.states.items())]
        return {"passes": self.passes, "spent": self.spent, "states": states}

    def load(self, state: Mapping[str, Any]) -> None:
        """Continue from a state that `dump` returned, of the same facts and pace."""
        self.passes, self.spent = state["passes"], state["spent"]
        self.states = {number: FactState(*rest) for number, *rest in state["states"]}
