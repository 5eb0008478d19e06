"""The gateway of several brokers: one that is lost is told, and stops nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import cast

import pytest

from genpool_core.errors import SettingsError
from genpool_gateway.adapters.callback_queue import RabbitCallbackQueue
from genpool_gateway.callbacks.attempts import Attempts
from genpool_gateway.factory import Callbacks, _login


@dataclass
class FakeQueue:
    why: str | None = None

    def trouble(self) -> str | None:
        return self.why


@pytest.mark.parametrize(
    ("troubles", "said"),
    [
        ({"a": None, "b": None}, None),
        ({"a": "gone", "b": None}, None),
        ({"a": None, "b": "gone"}, None),
        ({"a": "gone", "b": "gone too"}, "gone"),
        ({"a": "gone"}, "gone"),
        ({}, None),
    ],
)
def test_ready_while_one_works(troubles: dict[str, str | None], said: str | None) -> None:
    queues = tuple(
        (cast("RabbitCallbackQueue", FakeQueue(why)), cast("Attempts", None)) for why in troubles.values()
    )
    assert Callbacks(queues, Event()).unready() == said


def test_a_login_is_read_at_each_connection_and_a_missing_one_concerns_its_broker_alone(
    tmp_path: Path,
) -> None:
    for key, value in (("eu.username", "genpool.gateway.0a1b2c3d\n"), ("eu.password", "one\n")):
        (tmp_path / key).write_text(value)
    assert _login(tmp_path, "eu") == ("genpool.gateway.0a1b2c3d", "one")
    (tmp_path / "eu.password").write_text("two")
    assert _login(tmp_path, "eu")[1] == "two"
    with pytest.raises(
        SettingsError, match=r"the gateway's login on broker us: .*us\.username cannot be read"
    ):
        _login(tmp_path, "us")
