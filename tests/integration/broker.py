"""A vhost of a real RabbitMQ that lives as long as one test, and what tests do to it from outside."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from urllib.parse import quote

import pika
import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from genpool_adapters.amqp import AmqpParameters
from genpool_core.topology.desired import Policy, Topology, Version, parse_version
from support.waiting import next_pause

T = TypeVar("T")
#: RabbitMQ 3.10 and 3.11 have the second word.
_DEFAULT_TYPE = ("default_queue_type", "defaultqueuetype")
#: Delay steps of tests.
FAST_STEP_MS = 300
#: By address of the management API.
_VERSIONS: dict[str, Version] = {}


@dataclass(frozen=True)
class Server:
    """A RabbitMQ server as this machine reaches it, with an administrator."""

    host: str
    port: int
    management_url: str
    username: str
    password: str


def quick(topology: Topology) -> Topology:
    """The same with delay steps that do not take minutes."""

    def faster(policy: Policy) -> Policy:
        if "message-ttl" not in policy.definition:
            return policy
        return replace(policy, definition={**policy.definition, "message-ttl": FAST_STEP_MS})

    return replace(topology, policies=tuple(faster(policy) for policy in topology.policies))


def until(check: Callable[[], T], what: str, seconds: float = 20) -> T:
    """The first true value of ``check``; a test failure when there is none in time."""
    began = time.monotonic()
    while not (value := check()):
        waited = time.monotonic() - began
        if waited > seconds:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(next_pause(waited, 0.02, 0.25))
    return value


def _path(*parts: str) -> str:
    return "/".join(quote(part, safe="") for part in parts)


class Vhost:
    """A throwaway vhost."""

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self.name = name
        self._http = requests.Session()
        self._http.trust_env = False
        self._http.auth = (server.username, server.password)
        # The server ends idle connections, perhaps just as one is used again. What is asked here may be asked twice.
        again = HTTPAdapter(max_retries=Retry(total=2, allowed_methods=None, status=0))
        self._http.mount("http://", again)
        self._http.mount("https://", again)
        self._users: list[str] = []

    def api(self, method: str, path: str, body: object | None = None, *, missing_ok: bool = False) -> Any:  # noqa: ANN401 - JSON
        """One call of the management API; its JSON, or None."""
        answer = self._http.request(method, f"{self.server.management_url}/api/{path}", json=body, timeout=20)
        if missing_ok and answer.status_code == 404:
            return None
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def create(self, default_queue_type: str | None = None) -> None:
        """``default_queue_type`` of queues that are declared without one; RabbitMQ 3.10 never changes it afterwards."""
        types = {} if default_queue_type is None else dict.fromkeys(_DEFAULT_TYPE, default_queue_type)
        self.api("PUT", _path("vhosts", self.name), types)
        self.permit(self.server.username)

    def delete(self) -> None:
        for user in self._users:
            self.api("DELETE", _path("users", user), missing_ok=True)
        self.api("DELETE", _path("vhosts", self.name), missing_ok=True)
        self._http.close()

    def permit(self, user: str, configure: str = ".*", write: str = ".*", read: str = ".*") -> None:
        rights = {"configure": configure, "write": write, "read": read}
        self.api("PUT", _path("permissions", self.name, user), rights)

    def add_user(self, name: str, password: str, tags: str = "") -> None:
        """A user that goes with the vhost; it may do everything in it."""
        self._users.append(name)
        self.api("PUT", _path("users", name), {"password": password, "tags": tags})
        self.permit(name)

    @property
    def version(self) -> Version:
        """The server's; it is asked once, since an overview is much to put together."""
        where = self.server.management_url
        if where not in _VERSIONS:
            _VERSIONS[where] = parse_version(self.api("GET", "overview")["rabbitmq_version"])
        return _VERSIONS[where]

    def settings(self, connection_name: str = "test", **changes: Any) -> AmqpParameters:  # noqa: ANN401 - fields of the settings
        """How the adapter connects to this vhost."""
        values: dict[str, Any] = {
            "host": self.server.host,
            "port": self.server.port,
            "vhost": self.name,
            "username": self.server.username,
            "password": self.server.password,
            "connection_name": connection_name,
        }
        return AmqpParameters(**{**values, **changes})

    def queue(self, name: str, **arguments: object) -> None:
        """Declare a durable queue."""
        self.api("PUT", _path("queues", self.name, name), {"durable": True, "arguments": arguments})

    def purge(self, name: str) -> None:
        self.api("DELETE", f"{_path('queues', self.name, name)}/contents")

    def delete_queue(self, name: str) -> None:
        self.api("DELETE", _path("queues", self.name, name))

    def exchange(self, name: str, kind: str) -> None:
        self.api("PUT", _path("exchanges", self.name, name), {"type": kind, "durable": True})

    def bind(self, exchange: str, queue: str, key: str) -> None:
        self.api("POST", f"bindings/{_path(self.name, 'e', exchange, 'q', queue)}", {"routing_key": key})

    def policy(self, name: str, pattern: str, definition: dict[str, Any], priority: int = 0) -> None:
        body = {"pattern": pattern, "definition": definition, "priority": priority, "apply-to": "queues"}
        self.api("PUT", _path("policies", self.name, name), body)

    def apply(self, topology: Topology) -> None:
        """Make a topology with the operator's names and arguments; with few requests, where the operator has many.

        A queue of no stated type by itself: in definitions RabbitMQ 3.10 heeds no default type.
        """
        for queue in topology.queues:
            if "x-queue-type" not in queue.arguments:
                self.queue(queue.name, **queue.arguments)
        lasting = {"durable": True, "auto_delete": False}
        exchanges = [
            {"name": exchange.name, "type": exchange.type, "internal": False, "arguments": {}, **lasting}
            for exchange in topology.exchanges
        ]
        queues = [
            {"name": queue.name, "arguments": dict(queue.arguments), **lasting}
            for queue in topology.queues
            if "x-queue-type" in queue.arguments
        ]
        policies = [
            {
                "name": policy.name,
                "pattern": policy.pattern,
                "definition": dict(policy.definition),
                "priority": 1000,
                "apply-to": "queues",
            }
            for policy in topology.policies
        ]
        bindings = [
            {
                "source": binding.exchange,
                "destination": binding.queue,
                "destination_type": "queue",
                "routing_key": binding.routing_key,
                "arguments": {},
            }
            for binding in topology.bindings
        ]
        everything = {"exchanges": exchanges, "queues": queues, "policies": policies, "bindings": bindings}
        self.api("POST", f"definitions/{_path(self.name)}", everything)

    def ready(self, queue: str) -> int:
        """Messages that are ready, asked by passive declare on a connection of its own."""
        with self.raw() as connection:
            return int(connection.channel().queue_declare(queue, passive=True).method.message_count)

    def get(self, queue: str) -> tuple[pika.BasicProperties, bytes] | None:
        """Take one message off a queue."""
        with self.raw() as connection:
            method, properties, body = connection.channel().basic_get(queue, auto_ack=True)
            return None if method is None else (properties, body)

    def raw(self, username: str | None = None, password: str | None = None) -> pika.BlockingConnection:
        """A plain connection, as a producer would open."""
        login = pika.PlainCredentials(username or self.server.username, password or self.server.password)
        where = pika.ConnectionParameters(self.server.host, self.server.port, self.name, login, heartbeat=0)
        return pika.BlockingConnection(where)

    def connections(self, connection_name: str) -> list[str]:
        """Broker's names of the open connections of a program."""
        found = self.api("GET", f"{_path('vhosts', self.name)}/connections")
        return [
            item["name"]
            for item in found
            if item.get("client_properties", {}).get("connection_name") == connection_name
        ]

    def cut(self, connection_name: str) -> None:
        """Have the broker close a program's connections, as soon as it knows of one."""
        for name in until(lambda: self.connections(connection_name), f"connection of {connection_name}"):
            self.api("DELETE", _path("connections", name), missing_ok=True)
