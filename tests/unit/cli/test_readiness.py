"""Whether a program without a URL serves, from what it wrote; how often the topology is looked at."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from genpool_cli.client.gateway import Gateway
from genpool_cli.client.way import direct
from genpool_cli.errors import Away
from genpool_cli.local.readiness import unready, wait_told
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


def test_the_api_is_waited_for_until_it_says_that_the_pool_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who was told that it serves reads nothing else in the next moment."""
    monkeypatch.setattr(timing, "LOCAL_LOOK_SECONDS", 0.0)
    not_yet = {"type": "Ready", "status": "False", "message": "does not answer"}
    answers: list[dict[str, object] | Exception] = [
        Away("no answer", reason="GatewayUnreachable"),
        {"ready": None, "conditions": []},
        {"ready": False, "conditions": [not_yet]},
        {"ready": True, "conditions": []},
    ]
    wait_told(_gateway(answers), "art/text")
    assert answers == []


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({"ready": None, "conditions": []}, "pool art/text: its status is not known yet."),
        (
            {"ready": False, "conditions": [{"type": "Ready", "status": "False", "message": "no GPU"}]},
            "pool art/text: no GPU",
        ),
        (Away("no answer", reason="GatewayUnreachable"), "pool art/text: no answer"),
    ],
)
def test_what_the_api_said_last_is_told(
    answer: dict[str, object] | Exception, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "LOCAL_UP_SECONDS", -1.0)
    with pytest.raises(Away) as told:
        wait_told(_gateway([answer]), "art/text")
    assert told.value.message == sentence


def _gateway(answers: list[dict[str, object] | Exception]) -> Gateway:
    """One that gives these answers."""

    def get_now(_path: str) -> dict[str, object]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return cast("Gateway", SimpleNamespace(get_now=get_now))


def test_no_proxy_is_asked_for_what_is_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    assert not direct("http://127.0.0.1:8000", None).session.trust_env
    assert direct("https://genpool.example", None).session.trust_env
