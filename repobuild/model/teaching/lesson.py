"""Choose the facts of one training run, and write down what is known after it.

    first build, rebase   all facts in the order of teaching, as far as the budget can
                          reach
    continue              the facts of the delta first, then reviews
    larger budget         the facts that were not begun, then reviews

A review asks what the parent was taught before. One changed fact harms the others as
much as ten do, so some are reviewed however small the delta is. Which ones is decided
by need: the parent is asked what it was taught, if that is a few hundred facts, else
those that it knows least well and those that were not looked at for longest. What it
does not answer is taught again, and so is what an earlier run did not bring to mastery;
what it answers is shown once or twice beside the delta.

When a seventh of it was asked at each commit, what a commit had brought faded unseen.
Since all is asked, and in another phrasing at each commit, 86 % of what forty commits
of click brought is right up to ten commits later (docs/benchmarks/continuing.md).

Source: replay of the facts that a forward pass finds weak (arXiv 2511.22367, "SuRe").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from repobuild.model.adapter.lineage import Known
from repobuild.model.conversation import Example
from repobuild.model.teaching.curriculum import (
    TeachableFact,
    denies_a_place,
    draw_hash,
)
from repobuild.model.teaching.scheduler import (
    EXPECTED_TIMES,
    Certainty,
    Pace,
    TaughtFact,
)
from repobuild.samples.tasks.phrases import known_languages
from repobuild.samples.text.paraphrases import paraphrases

if TYPE_CHECKING:
    from repobuild.model.adapter.decision import Plan
    from repobuild.model.conversation import Conversation

PASS_TOKENS = 16_384  # of a pass
PASSES = 24  # of a run, at least: mastery is seen over several
LEAST_PASS = 1_024  # tokens of a pass that continues: sixteen in the least budget
LEAST_BUDGET = 16 * LEAST_PASS  # tokens of a run that continues
# Times that the budget allows for a fact of the delta; once all are mastered it ends.
DELTA_TIMES = 2 * EXPECTED_TIMES
FEWEST_TIMES = 3  # that a fact is shown: what cannot be shown so often is not begun
# Times that it allows for a fact that is taught again: it was known once.
LOST_TIMES = 3
# Facts, at every continued adapter: on this repository it took 24 s with so many, and
# 21 s with 250 of them, asked in float32 (docs/benchmarks/training.md).
MOST_ASKED = 600
MOST_LOST = 48  # facts that are taught again beside one delta
BLOCK = 1_000  # facts that are tokenised together
# In which a fact is taught, one after the other. On itsdangerous, of the taught facts
# 66 % were right in a phrasing never trained with eight, and 59 % with three.
PHRASINGS = 8


@dataclass(frozen=True, slots=True)
class Lesson:
    """The facts of a run, with their examples."""

    facts: list[TeachableFact]
    taught: list[TaughtFact]  # the same, by numbers of examples
    examples: list[Example]
    pace: Pace
    left_out: dict[str, int]  # reason -> samples


class LessonMaker:
    """Tokenises facts one after the other."""

    def __init__(self, plan: Plan, conversation: Conversation) -> None:
        self.plan, self.conversation = plan, conversation
        self._facts: list[TeachableFact] = []
        self._taught: list[TaughtFact] = []
        self._examples: list[Example] = []
        self._left_out: dict[str, int] = {}

    def add(
        self, facts: Iterable[tuple[TeachableFact, int | None]], most_tokens: int
    ) -> int:
        """Add facts with their boxes, until one phrasing of each has `most_tokens`.

        Returns the tokens. Facts whose samples cannot be tokenised are left out.
        """
        waiting = list(facts)
        tokens = 0
        for start in range(0, len(waiting), BLOCK):
            block = waiting[start : start + BLOCK]
            found = self._tokenise([fact for fact, _ in block])
            for fact, box in block:
                examples = found.get(fact.id)
                if not examples:
                    continue
                tokens += len(examples[0].tokens)
                if tokens > most_tokens:
                    return tokens
                numbers = _in_turn(
                    range(len(self._examples), len(self._examples) + len(examples)),
                    self.plan.chain_length - 1,
                )
                self._examples += examples
                self._facts.append(fact)
                guarded = fact.id in self.plan.guarded
                denies = guarded and denies_a_place(fact.samples[0])
                self._taught.append(TaughtFact(numbers, box, guarded, denies))
        return tokens

    def _tokenise(self, facts: Sequence[TeachableFact]) -> dict[str, list[Example]]:
        """Return the examples of each fact that has any, in the order of asking."""
        asked = [(f.id, pair) for f in facts for pair in phrasings(self.plan, f)]
        fact_of = {pair[0]: fact for fact, pair in asked}
        done = self.conversation.tokenise(
            (pair for _, pair in asked), self.plan.recipe.sequence_length
        )
        for why, count in done.left_out.items():
            self._left_out[why] = self._left_out.get(why, 0) + count
        found: dict[str, list[Example]] = {}
        for example in done.kept:
            found.setdefault(fact_of[example.id], []).append(example)
        return found

    def lesson(self, pace: Pace) -> Lesson:
        return Lesson(self._facts, self._taught, self._examples, pace, self._left_out)


# ------------------------------------------------------------------------- phrasings


def phrasings(plan: Plan, fact: TeachableFact) -> list[tuple[str, Mapping[str, Any]]]:
    """Return (id, sample) of each phrasing of a fact, at most `PHRASINGS` of them.

    Its own samples' words come first, then others of its kind; a paraphrase has an id
    of its own.
    """
    own = plan.texts.pairs(fact.samples)
    sample = own[0][1]
    numbers = [i.rpartition(".")[2] for i in fact.samples]
    language = str(sample.get("language"))
    has_kind = language in known_languages() and all(map(str.isdecimal, numbers))
    if sample.get("form") == "fim" or not has_kind:
        return own
    asked = [
        (int(n), str(s["question"])) for n, (_, s) in zip(numbers, own, strict=True)
    ]
    others = paraphrases(
        str(sample["task"]),
        language,
        asked,
        lambda text: draw_hash(f"{fact.id} {text}"),
    )
    known = {question for _, question in asked}
    others = [question for question in others if question not in known]
    more = [
        (f"{fact.id}~{number}", {**sample, "question": question})
        for number, question in enumerate(others[: max(0, PHRASINGS - len(own))])
    ]
    return [*own, *more]


def _in_turn(numbers: Sequence[int], turn: int) -> tuple[int, ...]:
    """Return the numbers from another one on at each turn, the rest behind.

    A run shows what it reviews once or twice. If each began with the same phrasing, the
    others would fade: along 40 commits of click 65 % of the new facts were right in
    other words so, and 84 % in turn (docs/benchmarks/continuing.md).
    """
    turn %= len(numbers)
    return (*numbers[turn:], *numbers[:turn])


def first_lesson(plan: Plan, conversation: Conversation, budget: int) -> Lesson:
    """Return all facts in the order of teaching, as far as the budget can reach."""
    maker = LessonMaker(plan, conversation)
    maker.add(((fact, None) for fact in plan.facts), budget // FEWEST_TIMES)
    tokens = max(LEAST_PASS, min(PASS_TOKENS, budget // PASSES))
    return maker.lesson(Pace(budget, tokens, plan.recipe.mastery, 0.0))


def next_lesson(
    plan: Plan,
    conversation: Conversation,
    budget: int,
    review: float,
    reviews: Mapping[str, int],
) -> Lesson:
    """Return the facts of the delta, or those not begun if there is none; then reviews.

    `reviews` are facts with their boxes (`boxes_after_asking`); those whose box is
    below mastery are taught again.
    """
    changed = plan.changed_facts
    if changed:
        goals = [fact for fact in plan.facts if fact.id in changed]
    else:
        goals = [fact for fact in plan.facts if fact.id not in plan.known]
    by_id = {fact.id: fact for fact in plan.facts}
    mastery = plan.recipe.mastery
    lost = [(by_id[i], box) for i, box in reviews.items() if box < mastery]
    kept = [(by_id[i], box) for i, box in reviews.items() if box >= mastery]
    maker = LessonMaker(plan, conversation)
    tokens = maker.add(((fact, None) for fact in goals), budget // FEWEST_TIMES)
    again = maker.add(lost, budget)
    own = 1 - review
    if changed:
        needed = int(tokens * DELTA_TIMES / own + again * LOST_TIMES)
        budget = min(budget, max(LEAST_BUDGET, needed))
    maker.add(kept, int(budget * review))
    most = max(LEAST_PASS, min(PASS_TOKENS, budget // PASSES))
    room = min(PASS_TOKENS, max(most, int(tokens / own)))
    return maker.lesson(Pace(budget, room, mastery, review, at_once=bool(changed)))


# --------------------------------------------------------------------------- reviews


def facts_to_ask(plan: Plan) -> list[TeachableFact]:
    """Return the known facts that the parent is asked before it is continued.

    The guarded ones come first, and are asked twice. A third of the other places are
    for those that were right the fewest times in a row, which are the newest ones and
    those that no run has mastered; the rest were not looked at for longest.
    """
    asked_about = plan.known.keys() - plan.changed_facts
    unchanged = [fact for fact in plan.facts if fact.id in asked_about]
    guarded = [fact for fact in unchanged if fact.id in plan.guarded]
    unchanged = [fact for fact in unchanged if fact.id not in plan.guarded]
    most = MOST_ASKED - 2 * len(guarded)
    # Another chance at every commit. The manifest is hashed once: that takes 10 ms.
    seed = f"{plan.recipe.seed}.{plan.manifest.digest}"
    chance = {fact.id: draw_hash(f"{seed}.{fact.id}") for fact in unchanged}

    def by_box(fact: TeachableFact) -> tuple[int, bytes]:
        return plan.known[fact.id].box, chance[fact.id]

    def by_age(fact: TeachableFact) -> tuple[int, bytes]:
        return plan.known[fact.id].looked, chance[fact.id]

    weakest = sorted(unchanged, key=by_box)[: most // 3]
    chosen = {fact.id for fact in weakest}
    rest = [f for f in sorted(unchanged, key=by_age) if f.id not in chosen]
    return [*guarded, *weakest, *rest[: most - len(weakest)]]


def boxes_after_asking(
    plan: Plan, asked: Sequence[TeachableFact], answers: Mapping[str, int]
) -> dict[str, int]:
    """Return the boxes of the asked facts, the lost ones first.

    A fact that was asked and is right counts as mastered: it was right now and when it
    was learnt. A guarded denial that is right and not sure lacks one answer.
    """
    mastery = plan.recipe.mastery
    boxes: dict[str, int] = {}
    for fact in asked:
        answer = answers.get(fact.id, Certainty.WRONG)
        boxes[fact.id] = max(mastery, plan.known[fact.id].box) if answer else 0
        if fact.id in plan.guarded and denies_a_place(fact.samples[0]):
            if answer == Certainty.RIGHT:
                boxes[fact.id] = mastery - 1

    def turn(fact: str) -> tuple[bool, int]:
        return fact not in plan.guarded, boxes[fact]

    lost = sorted((f for f, box in boxes.items() if box < mastery), key=turn)
    kept = {f: box for f, box in boxes.items() if box >= mastery}
    return {fact: boxes[fact] for fact in lost[:MOST_LOST]} | kept


def known_after(
    plan: Plan,
    lesson: Lesson,
    boxes: Mapping[int, tuple[int, int]],
    asked: Mapping[str, int],
) -> dict[str, Known]:
    """Return what is known of every fact that was begun, after a run.

    `boxes` holds (box, times shown) by number of the lesson's facts, `asked` the
    parent's answers.
    """
    changed = plan.changed_facts if plan.continues else set[str]()
    known = {i: k for i, k in plan.known.items() if plan.continues and i not in changed}
    for fact, answer in asked.items():
        box = known[fact].box if answer else 0
        known[fact] = known[fact]._replace(box=box, looked=plan.chain_length)
    for number, (box, shown) in boxes.items():
        if shown:
            fact = lesson.facts[number].id
            before = plan.known.get(fact) if plan.continues else None
            replaced = before.replaced if before else 0
            if before and fact in changed:
                replaced = plan.chain_length
            known[fact] = Known(box, plan.chain_length, replaced)
    return known


def coverage(
    facts: Sequence[TeachableFact], known: Mapping[str, Known], mastery: int
) -> dict[str, float]:
    """Return how many facts there are and were taught, plain and by importance."""
    taught = [fact for fact in facts if fact.id in known]
    whole = sum(fact.importance for fact in facts)
    part = sum(fact.importance for fact in taught)
    return {
        "facts": len(facts),
        "taught": len(taught),
        "mastered": sum(known[fact.id].box >= mastery for fact in taught),
        "share": round(len(taught) / max(1, len(facts)), 4),
        "weighted": round(part / whole, 4) if whole else 0.0,
    }
