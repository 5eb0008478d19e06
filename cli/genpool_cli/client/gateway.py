"""Calls of the API: answers are JSON as it came, refusals are sentences."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import requests

from genpool_cli.client.sse import Event, events_of
from genpool_cli.client.way import Way
from genpool_cli.errors import Away, CliError, Refused
from genpool_core import timing

Json = dict[str, Any]
#: Status of "not now".
_LATER = frozenset({429, 502, 503, 504})
_ERRORS = 400
#: Statuses of a task that has ended.
ENDED = frozenset({"succeeded", "failed", "canceled", "expired"})
#: What trying again does not mend.
_NEVER = (
    requests.exceptions.SSLError,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidHeader,
)
#: Rows of a page of a list.
PAGE = 200


class Gateway:
    """A gateway. Safe to use from several threads."""

    def __init__(
        self,
        way: Way,
        *,
        told: Callable[[str], None] = lambda _text: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.way = way
        self._told = told
        self._sleep = sleep

    def get(
        self, path: str, query: Mapping[str, str] | None = None, *, seconds: float = timing.CLI_READ_SECONDS
    ) -> Json:
        """An object. Raises Refused and Away, as all calls."""
        return self._json(self._again("GET", path, query=query, seconds=seconds))

    def get_now(self, path: str) -> Json:
        """An object, or at once Away where the gateway is: for somebody who asks whether it is there."""
        return self._json(self._once("GET", path))

    def post(self, path: str, body: object | None = None, *, again: bool = False, **headers: str) -> Json:
        """What a POST answers. ``again``: it may be repeated, since it says by a key that it is the same."""
        send = self._again if again else self._once
        return self._json(send("POST", path, body=body, headers=headers))

    def delete(self, path: str) -> Json:
        """What a DELETE answers; an empty object where that is nothing."""
        answer = self._once("DELETE", path)
        return self._json(answer) if answer.content else {}

    def task(self, task: str, *, wait: int = 0) -> Json:
        """A task: at its end, or as it stands after ``wait`` seconds (at most what the gateway lets one wait)."""
        query = {"wait": str(wait)} if wait else {}
        return self.get(_task(task), query, seconds=wait + timing.CLI_READ_SECONDS)

    def pages(self, path: str, field: str, **query: str) -> Iterator[list[Json]]:
        """The pages of a list."""
        cursor: str | None = ""
        while cursor is not None:
            more = {"cursor": cursor} if cursor else {}
            page = self.get(path, {"limit": str(PAGE)} | query | more)
            yield page[field]
            cursor = page.get("next")

    def watch(self, task: str) -> Iterator[Event]:
        """The events of a task to its end, over broken connections too: those that are stored come once each.

        A task that was replayed tells of the ends of its earlier runs, too: whether it has ended is in the task alone.

        Raises
        ------
        Refused, Away
            The task cannot be watched, or the gateway has been away for long.
        """
        last, failed_since = "", 0.0
        while True:
            heard = False
            try:
                for event in self._stream(task, last):
                    heard = True
                    last = event.id or last
                    yield event
                if self.task(task)["status"] in ENDED:
                    return
            except Away:
                failed_since = time.monotonic() if heard or not failed_since else failed_since
                if time.monotonic() - failed_since > timing.CLI_AWAY_SECONDS:
                    raise
            self._sleep(timing.CLI_RETRY_SECONDS)

    def _stream(self, task: str, last: str) -> Iterator[Event]:
        headers = {"Last-Event-ID": last} if last else {}
        seconds = 2 * timing.STREAM_COMMENT_SECONDS
        answer = self._once("GET", f"{_task(task)}/events", headers=headers, seconds=seconds, stream=True)
        with answer:
            try:
                yield from events_of(answer.iter_lines(chunk_size=1))
            except requests.RequestException as error:
                raise self._away(error) from error

    def _again(self, method: str, path: str, **request: Any) -> requests.Response:  # noqa: ANN401 - as _once
        """Send a request until it is answered; what says "not now" is waited for, as long as it is worth it."""
        deadline = time.monotonic() + timing.CLI_AWAY_SECONDS
        told = False
        while True:
            try:
                return self._once(method, path, **request)
            except Away as error:
                pause = error.after if isinstance(error, _Later) else timing.CLI_RETRY_SECONDS
                if time.monotonic() + pause > deadline:
                    raise
                if not told:
                    self._told(f"{error.message} Trying again …")
                    told = True
            self._sleep(pause)

    def _once(  # noqa: PLR0913 - what HTTP has
        self,
        method: str,
        path: str,
        *,
        body: object | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = timing.CLI_READ_SECONDS,
        stream: bool = False,
    ) -> requests.Response:
        try:
            answer = self.way.request(method, path, body, query or {}, headers or {}, seconds, stream=stream)
        except _NEVER as error:
            raise self._unreachable(error) from error
        except requests.RequestException as error:
            raise self._away(error) from error
        if answer.status_code < _ERRORS:
            return answer
        raise self._refusal(answer)

    def _unreachable(self, error: requests.RequestException) -> CliError:
        if isinstance(error, requests.exceptions.SSLError):
            text = (
                f"The certificate of {self.way.shown} is not trusted here: see whose it is, and add its CA."
            )
            return CliError(text, reason="NotTrusted")
        text = f"{self.way.shown} is no address of a gateway: write it as https://host, or http://host:port."
        return CliError(text, reason="NoAddress")

    def _away(self, error: requests.RequestException) -> Away:
        return Away(
            f"The gateway at {self.way.shown} does not answer ({type(error).__name__}): see that the address is right "
            "and that it runs (genpool doctor)."
        )

    def _refusal(self, answer: requests.Response) -> Refused | Away:
        try:
            problem = answer.json()
        except ValueError:
            problem = {}
        if not isinstance(problem, dict):
            problem = {}
        detail = str(problem.get("detail") or "")
        reason = str(problem.get("reason") or f"Http{answer.status_code}")
        if answer.status_code in _LATER:
            text = detail or f"{self.way.shown} answers {answer.status_code}: it cannot do it now."
            return _Later(text, reason=reason, after=_retry_after(answer))
        text = detail or (
            f"{self.way.shown} answers {answer.status_code}, and not as a gateway of GenPool does: see that the "
            "address is right."
        )
        return Refused(text, reason=reason, status=answer.status_code, problem=problem)

    def _json(self, answer: requests.Response) -> Json:
        try:
            found = answer.json()
        except ValueError:
            found = None
        if not isinstance(found, dict):
            text = (
                f"What answers at {self.way.shown} is no gateway of GenPool: see that the address is right."
            )
            raise Refused(text, reason="NoGateway", status=answer.status_code, problem={})
        return found


class _Later(Away):
    """The gateway answers, and says that it cannot now; ``after`` seconds it can perhaps."""

    def __init__(self, message: str, *, reason: str, after: float) -> None:
        super().__init__(message, reason=reason)
        self.after = after


def _retry_after(answer: requests.Response) -> float:
    said = answer.headers.get("Retry-After", "")
    return float(said) if said.isdecimal() else timing.CLI_RETRY_SECONDS


def _task(task: str) -> str:
    return f"/v1/tasks/{quote(task, safe='')}"
