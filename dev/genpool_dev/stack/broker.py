"""Readings of RabbitMQ through its management API, as its page shows them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

import requests
from pydantic import BaseModel, ConfigDict

from genpool_dev.stack.errors import StackError

TIMEOUT = 10


class QueueReading(BaseModel):
    """A queue. A figure that the broker does not tell (yet) is None."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str
    messages_ready: int | None = None
    messages_unacknowledged: int | None = None
    consumers: int | None = None


@dataclass(frozen=True)
class Broker:
    """The management API of a broker, as an administrator reaches it from this machine."""

    url: str
    username: str
    password: str

    def __repr__(self) -> str:
        """Without the password."""
        return f"Broker({self.url!r}, {self.username!r})"

    def queues(self, vhost: str = "/") -> dict[str, QueueReading]:
        """All queues of a vhost by name.

        The totals flags bring the counts that are about four seconds old on a quorum queue, not eight.

        Raises
        ------
        StackError
            The API does not answer, or refuses.
        """
        totals = {"disable_stats": "true", "enable_queue_totals": "true"}
        found = self._ask("GET", f"queues/{_part(vhost)}", params=totals).json()
        return {item["name"]: QueueReading.model_validate(item) for item in found}

    def queue(self, name: str, vhost: str = "/") -> QueueReading | None:
        """One queue, or None where it does not exist."""
        return self.queues(vhost).get(name)

    def delete_queue(self, name: str, vhost: str = "/") -> None:
        """Delete a queue with its messages; a missing one is as good."""
        self._ask("DELETE", f"queues/{_part(vhost)}/{_part(name)}", missing_ok=True)

    def purge(self, name: str, vhost: str = "/") -> None:
        """Drop the ready messages of a queue; a missing one is as good."""
        self._ask("DELETE", f"queues/{_part(vhost)}/{_part(name)}/contents", missing_ok=True)

    def exchanges(self, vhost: str = "/") -> list[str]:
        """Names of all exchanges of a vhost."""
        return [item["name"] for item in self._ask("GET", f"exchanges/{_part(vhost)}").json()]

    def delete_exchange(self, name: str, vhost: str = "/") -> None:
        """Delete an exchange; a missing one is as good."""
        self._ask("DELETE", f"exchanges/{_part(vhost)}/{_part(name)}", missing_ok=True)

    def policies(self, vhost: str = "/") -> list[str]:
        """Names of all policies of a vhost."""
        return [item["name"] for item in self._ask("GET", f"policies/{_part(vhost)}").json()]

    def delete_policy(self, name: str, vhost: str = "/") -> None:
        """Delete a policy; a missing one is as good."""
        self._ask("DELETE", f"policies/{_part(vhost)}/{_part(name)}", missing_ok=True)

    def users(self) -> list[str]:
        """Names of all users."""
        return [item["name"] for item in self._ask("GET", "users").json()]

    def delete_user(self, name: str) -> None:
        """Delete a user; a missing one is as good."""
        self._ask("DELETE", f"users/{_part(name)}", missing_ok=True)

    def vhosts(self) -> list[str]:
        """Names of all vhosts."""
        return [item["name"] for item in self._ask("GET", "vhosts").json()]

    def delete_vhost(self, name: str) -> None:
        """Delete a vhost with everything in it; a missing one is as good."""
        self._ask("DELETE", f"vhosts/{_part(name)}", missing_ok=True)

    def version(self) -> str:
        """The broker's version."""
        return str(self._ask("GET", "overview").json()["rabbitmq_version"])

    def _ask(
        self, method: str, path: str, *, params: dict[str, str] | None = None, missing_ok: bool = False
    ) -> requests.Response:
        try:
            with requests.Session() as session:
                session.trust_env = False
                session.auth = (self.username, self.password)
                answer = session.request(method, f"{self.url}/api/{path}", params=params, timeout=TIMEOUT)
        except requests.RequestException as error:
            raise StackError(
                f"RabbitMQ's management API at {self.url} does not answer ({type(error).__name__}): "
                "`make cluster-status` tells whether it runs."
            ) from error
        if missing_ok and answer.status_code == requests.codes["not_found"]:
            return answer
        if not answer.ok:
            raise StackError(f"RabbitMQ refused {method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer


def _part(name: str) -> str:
    return quote(name, safe="")
