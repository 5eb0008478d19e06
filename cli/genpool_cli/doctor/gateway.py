"""The gateway, what it says of its pools' stores, and what its pools say of themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from genpool_cli.doctor.finding import Finding
from genpool_cli.reach import Reach

Json = dict[str, Any]


def check_gateway(reach: Reach) -> Iterator[Finding]:
    """Whether it answers to this key, and each pool's trouble. Raises CliError."""
    gateway = reach.gateway
    who = gateway.get_now("/v1/session")
    yield Finding(
        "gateway", "ok", f"{gateway.way.shown} answers; the key is {who['name']}'s, role {who['role']}"
    )
    pools = gateway.get_now("/v1/pools")["pools"]
    if not pools:
        yield Finding(
            "pools", "warn", "This key sees no pool: apply a GenerationPool, or see the pools of the key."
        )
    for pool in pools:
        yield from of_pool(pool)


def of_pool(pool: Json) -> Iterator[Finding]:
    """What a pool says is wrong with it; one line where nothing is. Pure."""
    name = f"pool {pool['name']}"
    yield from of_store(pool)
    if pool["trouble"]:
        yield Finding(name, "wrong", pool["trouble"])
        return
    bad = [each for each in pool["conditions"] if each["status"] == "False"]
    for each in bad:
        yield Finding(name, "wrong", f"{each['type']} is False ({each['reason']}): {each['message']}")
    unsure = [each for each in pool["conditions"] if each["status"] == "Unknown"]
    for each in unsure:
        yield Finding(name, "unknown", f"{each['type']} is Unknown ({each['reason']}): {each['message']}")
    if dead := pool["queue"]["dead_lettered"]:
        yield Finding(name, "warn", f"{dead} dead letters: genpool dlq list --pool {pool['name']}")
    if not bad and not unsure:
        yield Finding(name, "ok", pool["scaling"]["message"] or "takes tasks")


def of_store(pool: Json) -> Iterator[Finding]:
    """What keeps the gateway from its work in a pool's bucket or folder. Pure.

    Nothing of one that is not listed, which may be meant so; nor by a gateway of a release that does not look.
    """
    store = pool.get("store") or {}
    name = f"store of pool {pool['name']}"
    if store.get("state") in {"refused", "unavailable"}:
        yield Finding(name, "wrong", store["message"])
    elif store.get("state") == "unknown":
        yield Finding(name, "unknown", "The gateway has not looked at it yet: ask again in a moment.")
