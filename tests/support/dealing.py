"""Which process runs which test, where several run at once: xdist's ``worksteal`` with a good first hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def deal(
    long: Sequence[T], files: Sequence[Sequence[T]], waits: Callable[[T], bool], processes: int
) -> list[T]:
    """All tests, in an order of which each process is first given an equal run, and takes from others' ends later.

    ``files``: the tests of each, those that wait before those that compute. Every other process begins with tests that
    compute, so that both always run side by side. ``long`` is in front everywhere: left to the end, such a test is
    waited for when nobody has anything else to do.
    """
    hands: list[list[Sequence[T]]] = [[] for _ in range(processes)]
    for number, tests in enumerate(files):
        turn = hands[number % processes]
        hand = turn if waits(tests[0]) else min(hands, key=lambda hand: sum(map(len, hand)))
        hand.append(tests)
    for hand in hands[1::2]:
        hand.reverse()
    rest = [test for hand in hands for tests in hand for test in tests]
    total, dealt, order = len(long) + len(rest), 0, list[T]()
    for number in range(processes):
        # As xdist shares out what is left among the processes that are left.
        share = (total - dealt) // (processes - number)
        first = long[number::processes]
        others = max(0, share - len(first))
        order += [*first, *rest[:others]]
        rest = rest[others:]
        dealt += share
    return order + rest
