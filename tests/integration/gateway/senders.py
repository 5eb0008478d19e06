"""Programs that send tasks and do not give up: each task under its Idempotency-Key until the API has accepted it."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import requests

from genpool_core import timing
from integration.broker import Vhost, until
from integration.gateway.api import QUEUE

#: How the gateway may answer while a part of it is away.
PASSING = {"NotConfirmed", "BrokerUnavailable", "GatewayOverloaded", "TaskStoreUnavailable"}
_AGAIN_SECONDS = 0.02
_HELD_SECONDS = 4 * timing.TAKE_OUT_PASS_SECONDS
#: Where workers do them.
_SMALL = {"width": 64, "height": 64, "steps": 1}


@dataclass
class Senders:
    """Sends ``tasks`` tasks in several threads. ``urls``: gateways; each attempt asks the next one."""

    urls: Sequence[str]
    key: str
    tasks: int
    threads: int = 8
    accepted: dict[str, str] = field(default_factory=dict)
    """Id by idempotency key, of tasks that were accepted."""
    named: dict[str, set[str]] = field(default_factory=dict)
    """All ids that were ever answered, by idempotency key."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Of the refusals."""
    faults: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _todo: list[int] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Send while the block runs; wait at its end until all are accepted."""
        self._todo = list(range(self.tasks))
        threads = [threading.Thread(target=self._run, daemon=True) for _ in range(self.threads)]
        for thread in threads:
            thread.start()
        try:
            yield
            for thread in threads:
                thread.join(120)
            assert not any(thread.is_alive() for thread in threads), f"{len(self.accepted)} of {self.tasks}"
        finally:
            self._over.set()
        assert self.faults == []
        assert len(self.accepted) == self.tasks

    def until_accepted(self, count: int) -> None:
        """Wait until so many are accepted."""
        until(lambda: len(self.accepted) >= min(count, self.tasks), f"{count} tasks are accepted", 60)

    def _run(self) -> None:
        with requests.Session() as session:
            while not self._over.is_set():
                with self._lock:
                    if not self._todo:
                        return
                    number = self._todo.pop()
                self._send(session, number)

    def _send(self, session: requests.Session, number: int) -> None:
        name, attempt = f"key-{number}", number
        while not self._over.is_set():
            attempt += 1
            try:
                answer = self._post(session, self.urls[attempt % len(self.urls)], name, number)
            except requests.RequestException:
                # The gateway was killed: another one comes on the same port.
                self._over.wait(_AGAIN_SECONDS)
                continue
            if self._is_answered(name, answer):
                return
            self._over.wait(_AGAIN_SECONDS)

    def _post(self, session: requests.Session, url: str, name: str, number: int) -> requests.Response:
        body = {"pool": "text", "parameters": {"prompt": f"lake {number}", **_SMALL}}
        headers = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": name}
        return session.post(f"{url}/v1/tasks", json=body, headers=headers, timeout=20)

    def _is_answered(self, name: str, answer: requests.Response) -> bool:
        found = answer.json()
        with self._lock:
            if "id" in found:
                self.named.setdefault(name, set()).add(found["id"])
            if answer.status_code in {200, 202}:
                self.accepted[name] = found["id"]
                return True
            self.reasons[found.get("reason", "none")] += 1
            if (
                answer.status_code != 503
                or found["reason"] not in PASSING
                or "Retry-After" not in answer.headers
            ):
                self.faults.append(f"{answer.status_code} {answer.text}")
                return True
        return False


def consume(vhost: Vhost, wanted: Collection[str] = ()) -> Counter[str]:
    """Take all messages off the work queue; how often each task was there, by its id.

    ``wanted``: tasks that are waited for. The gateway holds messages for a moment, where it looks for cancelled ones.
    """
    found: Counter[str] = Counter()
    deadline = time.monotonic() + _HELD_SECONDS
    with vhost.raw() as connection:
        channel = connection.channel()
        for method, properties, _ in channel.consume(QUEUE, auto_ack=True, inactivity_timeout=1):
            if method is not None:
                found[properties.message_id] += 1
            elif found.keys() >= set(wanted) or time.monotonic() > deadline:
                break
        channel.cancel()
    return found
