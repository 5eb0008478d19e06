"""What deleted pools left on the broker is cleared away, each for itself."""

from __future__ import annotations

from typing import cast

from genpool_core import timing
from genpool_core.api.pool import GenerationPool
from genpool_core.errors import BrokerError
from genpool_core.workerconfig import grace_seconds
from genpool_operator.handlers.resync import Resync
from genpool_operator.reconcile.pool_reconciler import PoolReconciler
from unit.operator.pools import make_pool


class Gone:
    def __init__(self, *pools: GenerationPool) -> None:
        self.pools = list(pools)

    def take_gone(self) -> list[GenerationPool]:
        gone, self.pools = self.pools, []
        return gone


class Broker:
    """A reconciler that cannot delete the users of the pools in ``refuses``."""

    def __init__(self, *refuses: str) -> None:
        self.refuses = refuses
        self.asked: list[tuple[str, bool]] = []

    def forget(self, uid: str) -> None:
        pass

    def bury(self, pool: GenerationPool, *, overdue: bool) -> bool:
        self.asked.append((pool.metadata.name, overdue))
        if pool.metadata.name in self.refuses:
            raise BrokerError("the broker is away.", reason="BrokerUnreachable")
        return True


def pool(name: str) -> GenerationPool:
    made = make_pool()
    return made.model_copy(update={"metadata": made.metadata.model_copy(update={"name": name, "uid": name})})


def resync(gone: Gone, broker: Broker) -> Resync:
    return Resync(gone, cast("PoolReconciler", broker), lambda: None, lambda: None, timing.RESYNC_SECONDS)


def test_a_broker_that_refuses_holds_up_no_other_user() -> None:
    broker = Broker("a")
    made = resync(Gone(pool("a"), pool("b")), broker)
    made._step(1000.0)
    assert broker.asked == [("a", False), ("b", False)]
    made._step(1000.0 + timing.USER_DELETE_RETRY_SECONDS - 0.1)
    assert len(broker.asked) == 2
    made._step(1000.0 + timing.USER_DELETE_RETRY_SECONDS)
    assert broker.asked[2:] == [("a", False)]


def test_a_user_that_cannot_be_deleted_is_left_in_the_end() -> None:
    broker = Broker("a")
    made = resync(Gone(pool("a")), broker)
    made._step(0.0)
    overdue = grace_seconds(pool("a")) + timing.USER_OVERDUE_SECONDS
    made._step(overdue + 1)
    made._step(overdue + timing.USER_GIVE_UP_SECONDS + 1)
    assert broker.asked == [("a", False), ("a", True), ("a", True)]
    made._step(overdue + 2 * timing.USER_GIVE_UP_SECONDS)
    assert len(broker.asked) == 3


def test_while_nothing_is_refused_every_step_looks() -> None:
    broker = Broker()
    made = resync(Gone(), broker)
    made._step(0.0)
    made._gone = Gone(pool("a"))
    made._step(1.0)
    assert broker.asked == [("a", False)]
