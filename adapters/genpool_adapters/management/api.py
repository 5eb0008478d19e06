"""Requests to a broker's management API, and its refusals in sentences."""

from __future__ import annotations

import os
from typing import TypeVar
from urllib.parse import quote

import requests
from requests.auth import HTTPBasicAuth

from genpool_adapters.bounded import AnswerTooLarge, BoundedSession, json_of, read_limited
from genpool_adapters.brokerfile import credentials
from genpool_adapters.causes import root_cause
from genpool_adapters.http import ca_bundle, is_outage
from genpool_adapters.management.rows import Refusal
from genpool_core import timing
from genpool_core.brokers import BrokerConfig
from genpool_core.errors import BrokerError, SettingsError
from genpool_core.jsontypes import JsonObject, JsonValue
from genpool_core.loose import LooseModel

Row = TypeVar("Row", bound=LooseModel)

UNREACHABLE = "BrokerUnreachable"
REFUSED = "BrokerRefused"
CONFLICT = "TopologyConflict"
#: How RabbitMQ's 400 says that something exists with other properties.
_DIFFERENT = "inequivalent arg"
_WHOLE_SECONDS = timing.MANAGEMENT_CONNECT_SECONDS + timing.MANAGEMENT_READ_SECONDS
_BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TRIPPED = 400, 401, 403, 404, 500
#: RabbitMQ (seen with 4.3) trips over a user that is deleted while it lists them all, and answers 500 without a word: 3
#: of 100 lists beside a few clients that make and delete users. Nothing is wrong with it, and the next list is right.
_TRIES = 4


class ManagementApi:
    """One broker's management API. A session is not safe to share: one thread at a time.

    ``seconds``: for one request, from connecting to the last byte of its answer.
    """

    def __init__(self, broker: BrokerConfig, *, seconds: float = _WHOLE_SECONDS) -> None:
        self.broker = broker
        self._seconds = seconds
        self._base = broker.management_url.rstrip("/") + "/api"
        # Without the environment: its proxies are for the outside, and its CA bundle would overrule ours.
        self._session = BoundedSession()
        self._verify = broker.ca_file or ca_bundle(os.environ)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    @property
    def username(self) -> str:
        """Our user.

        Raises
        ------
        BrokerError
            The file with it cannot be read.
        """
        return self._login()[0]

    def get(self, *parts: str, query: str = "") -> JsonValue:
        """JSON of a resource, or None when there is none.

        Raises
        ------
        BrokerError
            Refused, or no answer.
        """
        return self._request("GET", parts, query=query)

    def rows(self, model: type[Row], *parts: str, query: str = "") -> list[Row]:
        """A list of objects; empty when there is none."""
        return model.read_list(self.get(*parts, query=query))

    def put(self, *parts: str, body: JsonObject) -> None:
        """Make or change a resource."""
        self._request("PUT", parts, body)

    def post(self, *parts: str, body: JsonObject) -> None:
        """Make a resource that the broker names."""
        self._request("POST", parts, body)

    def delete(self, *parts: str) -> None:
        """Delete a resource; nothing happens when there is none."""
        self._request("DELETE", parts)

    def _login(self) -> tuple[str, str]:
        try:
            return credentials(self.broker)
        except SettingsError as error:
            raise BrokerError(error.message, reason=REFUSED) from error

    def _request(
        self, method: str, parts: tuple[str, ...], body: JsonObject | None = None, query: str = ""
    ) -> JsonValue:
        # Not quote_plus: the vhost / is %2F, a space is %20.
        url = "/".join([self._base, *(quote(part, safe="") for part in parts)]) + query
        login = self._login()
        for _ in range(_TRIES if method == "GET" else 1):
            status, said = self._exchange(method, url, body, login)
            if (status, said) != (_TRIPPED, b""):
                break
        if status == _NOT_FOUND and method in {"GET", "DELETE"}:
            return None
        if status >= _BAD_REQUEST:
            reason = Refusal.read_object(json_of(said)).reason
            raise self._refusal(status, reason, f"{method} {'/'.join(parts)}", login[0])
        return json_of(said)

    def _exchange(
        self, method: str, url: str, body: JsonObject | None, login: tuple[str, str]
    ) -> tuple[int, bytes]:
        """Status and body of an answer."""
        try:
            with self._session.exchange(
                method,
                url,
                seconds=self._seconds,
                json=body,
                # As bytes: of text requests makes Latin-1, and RabbitMQ reads UTF-8.
                auth=HTTPBasicAuth(*(part.encode() for part in login)),
                timeout=(timing.MANAGEMENT_CONNECT_SECONDS, timing.MANAGEMENT_READ_SECONDS),
                verify=self._verify,
                allow_redirects=False,
            ) as answer:
                return answer.status_code, read_limited(answer)
        except requests.RequestException as error:
            reason = UNREACHABLE if is_outage(error) else REFUSED
            raise BrokerError(self._no_answer(error), reason=reason) from error

    def _no_answer(self, error: requests.RequestException) -> str:
        api = f"The management API at {self.broker.management_url}"
        if isinstance(error, requests.exceptions.SSLError):
            return (
                f"{api} cannot be trusted ({root_cause(error)}): check the name in its certificate, and that the "
                "broker's ca in the chart's values names the certificates that signed it."
            )
        if isinstance(error, AnswerTooLarge):
            return f"{api} cannot be used ({error}): check that managementUrl leads to RabbitMQ."
        if not is_outage(error):
            return f"{api} cannot be asked ({type(error).__name__}): correct managementUrl of the broker."
        return (
            f"{api} does not answer ({type(error).__name__}): check that RabbitMQ runs and that its plugin "
            "rabbitmq_management is on."
        )

    def _refusal(self, status: int, said: str, what: str, user: str) -> BrokerError:
        if status in {_UNAUTHORIZED, _FORBIDDEN}:
            return BrokerError(
                f"RabbitMQ refuses user {user} ({what}: {status} {said}): check the broker's Secret, "
                "and that the user has the tag administrator.",
                reason=REFUSED,
            )
        if status == _BAD_REQUEST:
            return BrokerError(_conflict(what, said), reason=CONFLICT)
        words = f"{status} {said}" if said else f"{status}, and does not say why"
        return BrokerError(f"RabbitMQ answers {what} with {words}.", reason=UNREACHABLE)


def _conflict(what: str, said: str) -> str:
    """A 400: something exists with other arguments, or RabbitMQ does not take the request at all (a limit, a policy).

    It says what it is about; only the first is anything that a person could take away, and never without a look.
    """
    sentence = f"RabbitMQ does not accept {what}: {said or 'it does not say why'}. Nothing was changed."
    if _DIFFERENT not in said:
        return sentence
    return (
        f"{sentence} It exists with other properties than are needed. If it is a queue, deleting it deletes the "
        "messages in it: look first who made it and what is in it; or give the pool another queue or vhost."
    )
