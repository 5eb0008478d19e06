"""Whether a program without a URL serves, from what it wrote; how often the topology is looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from genpool_cli.local.readiness import unready
from genpool_cli.local.supervision import Program
from genpool_cli.local.topology import pause
from genpool_core import timing


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (None, "has not finished its first look"),
        ("", None),
        ("RabbitMQ does not answer.", "RabbitMQ does not answer."),
    ],
)
def test_what_a_program_told(tmp_path: Path, told: str | None, expected: str | None) -> None:
    file = tmp_path / "topology"
    if told is not None:
        file.write_text(told, encoding="utf-8")
    assert unready(Program("topology", ("x",), state_file=str(file))) == expected


def test_a_program_that_says_nothing_serves_when_it_runs() -> None:
    assert unready(Program("epmd", ("x",))) is None


@pytest.mark.parametrize(
    ("said", "settled", "seconds"),
    [
        ("", True, timing.TOPOLOGY_SECONDS),
        ("away", True, timing.TOPOLOGY_UNSETTLED_SECONDS),
        ("away", False, timing.LOCAL_LOOK_SECONDS),
    ],
)
def test_looks_at_the_topology(said: str, seconds: float, *, settled: bool) -> None:
    assert pause(said, settled=settled) == seconds
