"""The gateway of several brokers: one that is lost is told, and stops nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from genpool_core.brokers import BrokerConfig
from genpool_gateway.adapters.callback_queue import RabbitCallbackQueue
from genpool_gateway.attempts import Attempts
from genpool_gateway.factory import Callbacks


@dataclass
class FakeQueue:
    broker: str
    why: str | None = None

    def trouble(self) -> str | None:
        return self.why


def callbacks(folder: Path, **troubles: str | None) -> Callbacks:
    """One vhost on each broker, and what its trouble is."""
    brokers = []
    for name in troubles:
        (folder / name).mkdir()
        for key in ("username", "password"):
            (folder / name / key).write_text(f"{key}-of-{name}")
        brokers.append(
            BrokerConfig(name=name, host=name, management_url="http://x", credentials_path=str(folder / name))
        )
    queues = tuple(
        (cast("RabbitCallbackQueue", FakeQueue(name, why)), cast("Attempts", None))
        for name, why in troubles.items()
    )
    logins = {name: (f"username-of-{name}", f"password-of-{name}") for name in troubles}
    return Callbacks(tuple(brokers), logins, queues)


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
def test_ready_while_one_works(tmp_path: Path, troubles: dict[str, str | None], said: str | None) -> None:
    made = callbacks(tmp_path, **troubles)
    assert made.unready() == said
    assert made.unhealthy() is None


def test_new_credentials_ask_for_a_restart_only_where_they_are_needed(tmp_path: Path) -> None:
    made = callbacks(tmp_path, a="refused", b=None)
    (tmp_path / "b" / "password").write_text("new")
    assert made.unhealthy() is None, "the connection of b works"
    (tmp_path / "a" / "password").write_text("new")
    assert made.unhealthy() == "the credentials of broker a have changed."
