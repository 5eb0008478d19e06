"""A claim in hand: its worker renews it, so that no other worker takes the task for lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from types import TracebackType

import structlog

from genpool_adapters.ledger import Ledger
from genpool_core import timing
from genpool_core.errors import StorageError
from genpool_core.ledger.records import Claim, Failure
from genpool_worker.ports import Clock

_log = structlog.get_logger(__name__)


class HeldClaim:
    """The claim of the attempt in hand. Once it has failed or was released, a late renewal does not overwrite that."""

    def __init__(self, ledger: Ledger, claim: Claim, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._lock = threading.Lock()
        self._open = True
        self.claim = claim
        self.run_began: Callable[[], datetime | None] = lambda: None
        """When ComfyUI began to execute, as far as is known now: each renewal records it."""

    def renew(self) -> None:
        """Record that work goes on. A store that does not answer is no reason to stop."""
        with self._lock:
            if not self._open:
                return
            update = {"renewed_at": self._clock.now(), "started_at": self.run_began()}
            self.claim = self.claim.model_copy(update=update)
            try:
                self._ledger.save_soon(self.claim)
            except StorageError as error:
                _log.warning("claim_not_renewed", reason=error.reason, message=error.message)

    def fail(self, failure: Failure, gpu_seconds: float | None = None) -> None:
        """Record why the attempt failed; another one follows. Raises StorageError."""
        self._conclude({"failure": failure, "gpu_seconds": gpu_seconds}, self._ledger.save)

    def release(self, gpu_seconds: float | None = None) -> None:
        """Give the attempt back, in one short try: it does not count. Raises StorageError."""
        self._conclude({"released_at": self._clock.now(), "gpu_seconds": gpu_seconds}, self._ledger.save_soon)

    def _conclude(self, update: dict[str, object], save: Callable[[Claim], None]) -> None:
        with self._lock:
            self._open = False
            self.claim = self.claim.model_copy(update={"started_at": self.run_began(), **update})
            save(self.claim)


class LeaseRenewal:
    """A thread that renews one claim every ``seconds``, as long as its context is open.

    A renewal that hangs does not hold up the end of the context for longer than its time-outs: a store may send its
    answer byte by byte. What the claim says after that is safe: see :class:`HeldClaim`.
    """

    def __init__(self, held: HeldClaim, seconds: float = timing.RENEW_SECONDS) -> None:
        self._held = held
        self._seconds = seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join(timing.CLAIM_CONNECT_SECONDS + timing.CLAIM_READ_SECONDS)

    def _run(self) -> None:
        while not self._stop.wait(self._seconds):
            self._held.renew()
