"""Which process runs which test, where several run at once: xdist's ``worksteal`` with a good first hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def deal(long: Sequence[T], others: Sequence[T], processes: int) -> list[T]:
    """All tests, in an order of which each process is first given an equal run, and takes from others' ends later.

    ``others``: those that wait before those that compute. Every other process begins with the long ones and goes on
    with what waits; those between begin with what computes. So both always run side by side, and no long test is left
    to the end, when nobody has anything else to do.
    """
    total = len(long) + len(others)
    hands: list[list[T]] = [[] for _ in range(processes)]
    for number, test in enumerate(long):
        hands[number * 2 % (processes + processes % 2)].append(test)
    rest, dealt = list(others), 0
    for number, hand in enumerate(hands):
        # As xdist shares out what is left among the processes that are left.
        size = (total - dealt) // (processes - number)
        dealt += size
        share = min(max(0, size - len(hand)), len(rest))
        if number % 2:
            share = len(rest) - share
            rest, taken = rest[:share], rest[share:]
        else:
            taken, rest = rest[:share], rest[share:]
        hand.extend(taken)
    return [test for hand in hands for test in hand] + rest
