"""The users of deleted pools are deleted, each for itself."""

from __future__ import annotations

from typing import cast

from genpool_core import timing
from genpool_core.api.pool import GenerationPool
from genpool_core.errors import BrokerError
from genpool_core.workerconfig import grace_seconds
from genpool_operator.handlers.user_cleanup import UserCleanup
from genpool_operator.reconcile.pool_reconciler import PoolReconciler
from unit.operator.pools import make_pool


class Deleted:
    def __init__(self, *pools: GenerationPool) -> None:
        self.pools = list(pools)

    def take_deleted(self) -> list[GenerationPool]:
        deleted, self.pools = self.pools, []
        return deleted


class Broker:
    """A reconciler that cannot delete the users of the pools in ``refuses``."""

    def __init__(self, *refuses: str) -> None:
        self.refuses = refuses
        self.asked: list[tuple[str, bool]] = []

    def forget(self, uid: str) -> None:
        pass

    def delete_login(self, pool: GenerationPool, *, overdue: bool) -> bool:
        self.asked.append((pool.metadata.name, overdue))
        if pool.metadata.name in self.refuses:
            raise BrokerError("the broker is away.", reason="BrokerUnreachable")
        return True


def pool(name: str) -> GenerationPool:
    made = make_pool()
    return made.model_copy(update={"metadata": made.metadata.model_copy(update={"name": name, "uid": name})})


def cleanup(deleted: Deleted, broker: Broker) -> UserCleanup:
    return UserCleanup(deleted, cast("PoolReconciler", broker))


def test_a_broker_that_refuses_holds_up_no_other_user() -> None:
    broker = Broker("a")
    made = cleanup(Deleted(pool("a"), pool("b")), broker)
    made.step(1000.0)
    assert broker.asked == [("a", False), ("b", False)]
    made.step(1000.0 + timing.USER_DELETE_RETRY_SECONDS - 0.1)
    assert len(broker.asked) == 2
    made.step(1000.0 + timing.USER_DELETE_RETRY_SECONDS)
    assert broker.asked[2:] == [("a", False)]


def test_a_user_that_cannot_be_deleted_is_left_in_the_end() -> None:
    broker = Broker("a")
    made = cleanup(Deleted(pool("a")), broker)
    made.step(0.0)
    overdue = grace_seconds(pool("a")) + timing.USER_OVERDUE_SECONDS
    made.step(overdue + 1)
    made.step(overdue + timing.USER_GIVE_UP_SECONDS + 1)
    assert broker.asked == [("a", False), ("a", True), ("a", True)]
    made.step(overdue + 2 * timing.USER_GIVE_UP_SECONDS)
    assert len(broker.asked) == 3


def test_while_nothing_is_refused_every_step_looks() -> None:
    broker = Broker()
    made = cleanup(Deleted(), broker)
    made.step(0.0)
    made._deleted = Deleted(pool("a"))
    made.step(1.0)
    assert broker.asked == [("a", False)]
