"""Rows of the management API: an odd one hides no other, and what is absent is what most objects have."""

from __future__ import annotations

from typing import Any

import pytest

from genpool_adapters.management.api import ManagementApi
from genpool_adapters.management.read_topology import read_topology
from genpool_core.jsontypes import JsonValue
from genpool_core.topology.desired import Binding
from genpool_core.topology.password import UserFact
from genpool_core.topology.plan import PolicyFact, QueueFact, VhostFacts


class Answers(ManagementApi):
    """A management API that answers from a table by path; None where there is nothing."""

    def __init__(self, table: dict[str, Any]) -> None:
        self._table = table

    @property
    def username(self) -> str:
        return "admin"

    def get(self, *parts: str, query: str = "") -> JsonValue:
        assert query == "" or parts[0] == "queues"
        found: JsonValue = self._table.get("/".join(parts))
        return found


TABLE: dict[str, Any] = {
    "overview": {"rabbitmq_version": "4.3.6"},
    "vhosts/v": {"name": "v"},
    "exchanges/v": [{"name": "a", "type": "topic"}, None, {"name": "b", "type": 5}],
    "policies/v": [
        "odd",
        {
            "name": "p",
            "pattern": "^q$",
            "apply-to": "queues",
            "priority": 1000,
            "definition": {"max-length": 5},
        },
        {"name": "o", "priority": "high", "definition": ["max-length"]},
    ],
    "bindings/v": [
        {"source": "a", "destination": "q", "destination_type": "queue", "routing_key": "k"},
        {"source": "a", "destination": "b", "destination_type": "exchange", "routing_key": "k"},
        {"source": "a", "destination": "q", "destination_type": None},
    ],
    "users": [
        {"name": "u", "password_hash": "h", "hashing_algorithm": "a", "tags": ["t", "s"]},
        {"name": "w", "tags": 5},
        {"name": "x", "tags": "t,s"},
    ],
    "vhosts/v/permissions": [{"user": "u", "configure": "", "write": ".*", "read": None}],
    "queues/v": [
        {
            "name": "q",
            "type": "quorum",
            "durable": False,
            "exclusive": True,
            "auto_delete": True,
            "policy": "p",
        },
        5,
        {"name": "r", "type": "classic", "durable": None, "exclusive": 1, "auto_delete": "yes", "policy": ""},
        {"name": "s"},
    ],
}


def test_a_topology_with_odd_rows() -> None:
    assert read_topology(Answers(TABLE), "v") == VhostFacts(
        version=(4, 3, 6),
        admin="admin",
        exchanges={"a": "topic", "b": ""},
        policies={
            "p": PolicyFact("^q$", "queues", 1000, {"max-length": 5}),
            "o": PolicyFact("", "", 0, {}),
        },
        bindings=frozenset({Binding("a", "q", "k")}),
        users={
            "u": UserFact("h", "a", ("t", "s")),
            "w": UserFact("", ""),
            "x": UserFact("", "", ("t", "s")),
        },
        permissions={"u": {"configure": "", "write": ".*", "read": ""}},
        queues={
            "q": QueueFact("quorum", durable=False, exclusive=True, auto_delete=True, policy="p"),
            "r": QueueFact("classic"),
            "s": QueueFact(""),
        },
    )


@pytest.mark.parametrize("overview", [None, [], {}, {"rabbitmq_version": None}])
def test_a_broker_that_does_not_say_its_version(overview: object) -> None:
    seen = read_topology(Answers({"overview": overview}), "v")
    assert seen == VhostFacts(version=(0, 0, 0), admin="admin", exists=False)


def test_answers_that_are_no_lists() -> None:
    odd = {key: {"error": "odd"} for key in TABLE.keys() - {"overview"}}
    assert read_topology(Answers({**TABLE, **odd}), "v") == VhostFacts(version=(4, 3, 6), admin="admin")
