"""A gateway whose database, broker and bucket can be taken away, callers that go on, and what is seen meanwhile."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import requests

from integration.broker import until
from integration.gateway.ends.pool import Pool
from integration.gateway.senders import PASSING
from support.tcpproxy import TcpProxy

_PAUSE_SECONDS = 0.1
_PATIENCE_SECONDS = 70


@dataclass
class Outages:
    """A pool behind proxies."""

    pool: Pool
    proxies: dict[str, TcpProxy]
    """Of ``postgresql``, ``broker``, ``s3``."""

    @contextmanager
    def away(self, part: str, how: str) -> Iterator[None]:
        """Take a part away as long as the block lasts. ``how``: ``cut`` refuses connections, ``silent`` is silent."""
        proxy = self.proxies[part]
        if how == "cut":
            proxy.cut()
        else:
            proxy.stall()
        try:
            yield
        finally:
            proxy.mend()


@dataclass
class Callers:
    """Send tasks at a steady pace, each under its key, and each again until it is accepted."""

    pool: Pool
    threads: int = 4
    accepted: dict[str, str] = field(default_factory=dict)
    """Id by key."""
    named: dict[str, set[str]] = field(default_factory=dict)
    """All ids that were ever answered, by key."""
    answers: Counter[str] = field(default_factory=Counter)
    """Reasons of refusals, and ``202``."""
    faults: list[str] = field(default_factory=list)
    slowest: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Call while the block runs; at its end each task that was begun is sent until it is accepted."""
        threads = [
            threading.Thread(target=self._run, args=(name,), daemon=True) for name in range(self.threads)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
        for thread in threads:
            thread.join(2 * _PATIENCE_SECONDS)
        assert not any(thread.is_alive() for thread in threads), self.answers
        assert self.faults == []

    def accepts(self, count: int) -> bool:
        """Whether so many more are accepted than there were at the last call of ``mark``."""
        return len(self.accepted) >= self._marked + count

    _marked: int = 0

    def mark(self) -> None:
        """Count from here on, and forget the answers until now."""
        with self._lock:
            self._marked, self.answers, self.slowest = len(self.accepted), Counter(), 0.0

    def _run(self, thread: int) -> None:
        number = 0
        with requests.Session() as session:
            while not self._over.wait(_PAUSE_SECONDS):
                number += 1
                name = f"{thread}-{number}"
                until(
                    lambda name=name: self._sent(session, name), f"{name} is accepted", 2 * _PATIENCE_SECONDS
                )  # type: ignore[misc]

    def _sent(self, session: requests.Session, name: str) -> bool:
        """Whether it is over with this task: it is accepted, or the answer is a fault."""
        api, began = self.pool.api, time.monotonic()
        body = {"pool": "text", "parameters": {"prompt": name}, "callback_url": self.pool.receiver.url("200")}
        headers = {"Authorization": f"Bearer {api.key}", "Idempotency-Key": name}
        answer = session.post(f"{api.url}/v1/tasks", json=body, headers=headers, timeout=_PATIENCE_SECONDS)
        found = answer.json()
        with self._lock:
            self.slowest = max(self.slowest, time.monotonic() - began)
            if "id" in found:
                self.named.setdefault(name, set()).add(found["id"])
            if answer.status_code in {200, 202}:
                self.accepted[name] = found["id"]
                self.answers["202"] += 1
                return True
            self.answers[found.get("reason", "none")] += 1
            documented = answer.status_code == 503 and found["reason"] in PASSING
            if not documented or "Retry-After" not in answer.headers:
                self.faults.append(f"{answer.status_code} {answer.headers} {answer.text}")
                return True
        time.sleep(_PAUSE_SECONDS)
        return False
