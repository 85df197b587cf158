"""Order nodes so that each comes after what it depends on.

Nodes that depend on each other in a circle form one group (Tarjan 1972: strongly
connected components). Within a group the next node is the one with the fewest
dependencies on nodes of the group that are still to come, so few of them point ahead.
Ties go to the smaller name, so equal graphs have equal orders.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping

Needs = Mapping[str, Collection[str]]  # node -> the nodes that it depends on


def ordered_groups(
    needs: Needs, rank: Callable[[str], int] = lambda node: 0
) -> list[list[str]]:
    """Return all nodes in groups, each after the groups that it depends on.

    A group of more than one is a cycle. Of the groups that may come next, the one of
    the lowest rank does.
    """
    groups = list(_components(needs))
    number = {node: n for n, group in enumerate(groups) for node in group}
    waits: list[set[int]] = [
        {number[other] for node in group for other in needs[node] if other in number}
        for group in groups
    ]
    waiting_for: dict[int, list[int]] = defaultdict(list)
    left = []
    for n, before in enumerate(waits):
        before.discard(n)
        left.append(len(before))
        for other in before:
            waiting_for[other].append(n)

    def key(n: int) -> tuple[int, str, int]:
        first = min(groups[n])
        return rank(first), first, n

    ready = [key(n) for n in range(len(groups)) if not left[n]]
    heapq.heapify(ready)
    found = []
    while ready:
        *_, n = heapq.heappop(ready)
        found.append(_within(groups[n], needs))
        for other in waiting_for[n]:
            left[other] -= 1
            if not left[other]:
                heapq.heappush(ready, key(other))
    return found


def _within(group: list[str], needs: Needs) -> list[str]:
    """Return the nodes of a cycle so that few edges point ahead."""
    members = {*group}
    inner = {node: members.intersection(needs[node]) - {node} for node in group}
    needed_by: dict[str, list[str]] = defaultdict(list)
    for node, others in inner.items():
        for other in others:
            needed_by[other].append(node)
    left = {node: len(others) for node, others in inner.items()}
    queue = [(count, node) for node, count in left.items()]
    heapq.heapify(queue)
    found = []
    while queue:
        count, node = heapq.heappop(queue)
        if left.get(node) != count:
            continue  # it was queued again with fewer, or is placed
        del left[node]
        found.append(node)
        for other in needed_by[node]:
            if other in left:
                left[other] -= 1
                heapq.heappush(queue, (left[other], other))
    return found


def _components(needs: Needs) -> Iterator[list[str]]:
    """Yield the strongly connected components, without recursion."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    path: list[str] = []
    on_path: set[str] = set()
    for start in sorted(needs):
        if start in index:
            continue
        work: list[tuple[str, Iterator[str]]] = [(start, iter(sorted(needs[start])))]
        while work:
            node, rest = work[-1]
            if node not in index:
                index[node] = low[node] = len(index)
                path.append(node)
                on_path.add(node)
            for other in rest:
                if other not in needs:
                    continue
                if other not in index:
                    work.append((other, iter(sorted(needs[other]))))
                    break
                if other in on_path:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    above = work[-1][0]
                    low[above] = min(low[above], low[node])
                if low[node] == index[node]:
                    group = [path.pop()]
                    while group[-1] != node:
                        group.append(path.pop())
                    on_path.difference_update(group)
                    yield sorted(group)
