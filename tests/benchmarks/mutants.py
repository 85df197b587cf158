"""python -m tests.benchmarks.mutants [COUNT]: the share of mutants that is caught.

Run in a repository that is built up to `samples`. COUNT samples, drawn evenly from all
kinds, get one token of their answers changed each; `verify --samples` has to call every
one of them wrong. Survivors are printed.
"""

from __future__ import annotations

import random
import sys
from collections import Counter, defaultdict
from typing import Any

from repobuild.checkout import open_checkout
from repobuild.cli.claim_audit import audit_tree
from repobuild.samples.dataset.all_samples import AllSamples
from repobuild.truth.audit import audit
from tests.mutants import Mutant, make_mutant

_SEED = 1


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    checkout = open_checkout()
    state = checkout.state()
    line = state.line("samples")
    assert line is not None, "build up to samples first"
    build = checkout.view(checkout.snapshot(line.commit), state)
    chosen = drawn(AllSamples.of(build).entries(), count)
    found = audit([(m.key, m.sample) for m in chosen], audit_tree(build))
    wrong = {w.key for w in found.wrong}
    told(chosen, [m for m in chosen if m.key not in wrong])


def drawn(samples: Any, count: int) -> list[Mutant]:
    """Mutants of samples, the same number of every kind as far as there are."""
    chance = random.Random(_SEED)
    kinds: dict[str, list[Any]] = defaultdict(list)
    for key, sample in samples:
        task, _, number = key.rpartition("#")[2].split(".")
        kinds[f"{task}.{int(number) // 10}"].append((key, sample))
    for rows in kinds.values():
        chance.shuffle(rows)
    chosen: list[Mutant] = []
    while len(chosen) < count and any(kinds.values()):
        for rows in kinds.values():
            made = make_mutant(*rows.pop(), chance) if rows else None
            if made is not None:
                chosen.append(made)
    return chosen[:count]


def told(chosen: list[Mutant], survivors: list[Mutant]) -> None:
    total, left = (Counter(m.token_kind for m in rows) for rows in (chosen, survivors))
    for what, number in sorted(total.items()):
        print(f"{what:8} {number - left[what]:5} of {number:5} caught")
    caught = len(chosen) - len(survivors)
    print(f"{caught} of {len(chosen)} caught, {100 * caught / len(chosen):.1f} %")
    for m in survivors:
        print(f"survived: {m.key}\n  {m.before!r}\n  {m.after!r}")


if __name__ == "__main__":
    main()
