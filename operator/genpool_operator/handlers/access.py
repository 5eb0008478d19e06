"""The thread that reads the operator's keys, and keeps users on the brokers and the gateway's Secret as they say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from genpool_core import timing
from genpool_operator.handlers.periodic import PeriodicThread
from genpool_operator.reconcile.broker_access import BrokerAccess
from genpool_operator.reconcile.operator_keys import OperatorKeys


class Access:
    """``on_new_keys``: has all pools looked at in full, since their logins are others now."""

    def __init__(
        self,
        keys: OperatorKeys,
        access: BrokerAccess,
        clock: Callable[[], datetime],
        on_new_keys: Callable[[], None],
    ) -> None:
        self._keys = keys
        self._access = access
        self._clock = clock
        self._on_new_keys = on_new_keys
        self.thread = PeriodicThread(
            "access", self.step, timing.ACCESS_SECONDS, events=("access_failed", "access_crashed")
        )

    def step(self) -> None:
        """One look at everything."""
        if self._keys.refresh():
            self._on_new_keys()
        installation = self._keys.current()
        if installation is not None:
            self._access.bring_up_to_date(installation, self._clock())
