from __future__ import annotations

import pytest

from genpool_core.backoff import Backoff


@pytest.mark.parametrize(
    ("attempt", "chance", "seconds"),
    [
        (1, 0.0, 1.0),
        (2, 0.0, 2.0),
        (3, 0.0, 4.0),
        (4, 0.0, 8.0),
        (5, 0.0, 10.0),
        (10_000, 0.0, 10.0),
        (1, 1.0, 0.5),
        (5, 1.0, 5.0),
        (0, 0.0, 1.0),
    ],
)
def test_grows_to_its_cap_and_chance_only_shortens(attempt: int, chance: float, seconds: float) -> None:
    assert Backoff(first=1.0, cap=10.0, spread=0.5).seconds(attempt, chance) == seconds
