"""How long the thread that stores events rests between two groups."""

from __future__ import annotations

import pytest

from genpool_core import timing
from genpool_gateway.events.state_events import REST, WINDOW, rest


@pytest.mark.parametrize(
    ("stored", "seconds", "expected"),
    [
        pytest.param(1, 0.002, REST * 0.002, id="as many times as long as it worked"),
        pytest.param(9, 0.0, 0.0, id="nothing after nothing"),
        pytest.param(
            WINDOW - 1, 3.0, timing.EVENT_REST_MOST_SECONDS, id="never so long that a person sees it"
        ),
        pytest.param(WINDOW, 3.0, 0.0, id="not while others wait already"),
    ],
)
def test_rest(stored: int, seconds: float, expected: float) -> None:
    assert rest(stored, seconds) == pytest.approx(expected)
