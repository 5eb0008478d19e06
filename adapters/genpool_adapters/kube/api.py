"""Requests to the Kubernetes API, as JSON."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import urllib3
from kubernetes.client import Configuration

from genpool_adapters.bounded import AnswerTooLarge, join_limited, json_of, use_timed_connections
from genpool_adapters.deadline import Deadline, Exchanges
from genpool_adapters.kube.login import authorization, open_pool
from genpool_adapters.kube.watch_lines import events_of
from genpool_core import timing
from genpool_core.errors import ClusterError
from genpool_core.jsontypes import JsonObject
from genpool_core.kube.objects import Page, StatusBody, WatchEvent
from genpool_core.kube.refusals import is_refusal, is_taken
from genpool_core.version import __version__

PAGE = 500
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
JSON = "application/json"
NOT_FOUND = 404
_ERRORS = 400
#: A connection that the server closed meanwhile is made again; a request that may have arrived is not repeated.
_RETRIES = urllib3.Retry(
    total=timing.KUBE_CONNECT_TRIES - 1,
    connect=timing.KUBE_CONNECT_TRIES - 1,
    read=0,
    redirect=0,
    status=0,
    other=0,
)
_TIMEOUT = urllib3.Timeout(connect=timing.KUBE_CONNECT_SECONDS, read=timing.KUBE_READ_SECONDS)
#: For all of an exchange: a peer that sends a byte now and then is never late by a time-out of its reads.
_WHOLE_SECONDS = timing.KUBE_CONNECT_TRIES * timing.KUBE_CONNECT_SECONDS + timing.KUBE_READ_SECONDS
_CHUNK = 1 << 20


class KubeApi:
    """One API server, used by several threads.

    ``program``: who asks, for the server's audit log. ``seconds``: for one request, from connecting to the last byte of
    its answer.
    """

    def __init__(
        self, configuration: Configuration, program: str, *, seconds: float = _WHOLE_SECONDS
    ) -> None:
        self._user_agent = f"{program}/{__version__}"
        self._seconds = seconds
        self._configuration = configuration
        self._exchanges = Exchanges()
        self._lock = threading.Lock()
        self._watches: set[Deadline] = set()
        self._closed = False
        self._pool = open_pool(configuration)
        use_timed_connections(self._pool, self._exchanges)

    def close(self) -> None:
        """Close the connections and end the watches."""
        with self._lock:
            self._closed = True
            watches = list(self._watches)
        for watch in watches:
            watch.cut()
        self._pool.clear()

    def get(self, path: str) -> JsonObject | None:
        """An object, or None when there is none.

        Raises
        ------
        ClusterError
            Refused, or no answer.
        """
        try:
            return self.request("GET", path)
        except ClusterError as error:
            if error.status == NOT_FOUND:
                return None
            raise

    def delete(self, path: str) -> None:
        """Delete an object; nothing happens when it is gone.

        Raises
        ------
        ClusterError
            Refused, or no answer.
        """
        try:
            self.request("DELETE", path)
        except ClusterError as error:
            if error.status != NOT_FOUND:
                raise

    def list(self, path: str, selector: str = "") -> Iterator[JsonObject]:
        """All objects, page by page."""
        for page in self.pages(path, selector):
            yield from page.items

    def pages(self, path: str, selector: str = "") -> Iterator[Page]:
        """The pages of a list, each with the version of the whole list.

        Raises
        ------
        ClusterError
            Refused, or no answer.
        """
        token = ""
        while True:
            query = f"?limit={PAGE}&labelSelector={quote(selector)}&continue={quote(token)}"
            page = Page.read_object(self.request("GET", path + query))
            yield page
            token = page.metadata.next_page
            if not token:
                return

    def watch(self, path: str, selector: str, version: str, *, seconds: int) -> Iterator[WatchEvent]:
        """What happens to the objects after a version of their list, as it happens, for so many seconds.

        It ends sooner where the server ends it, where the version is too old for it, and when this is closed: then list
        anew.

        Raises
        ------
        ClusterError
            Refused, no answer, or an answer that breaks off.
        """
        query = f"?watch=1&timeoutSeconds={seconds}&labelSelector={quote(selector)}"
        query += f"&resourceVersion={quote(version)}"
        subject = f"watch {path}"
        whole = seconds + self._seconds
        # An idle watch sends nothing for all its time.
        timeout = urllib3.Timeout(connect=timing.KUBE_CONNECT_SECONDS, read=whole)
        headers, url = self._headers(JSON), self._configuration.host + path + query
        with self._watching(whole) as deadline:
            try:
                response = self._open("GET", url, None, headers, timeout)
                try:
                    if response.status >= _ERRORS:
                        said = join_limited(response.stream(_CHUNK), response.headers)
                        body = StatusBody.read_object(json_of(said))
                        raise _refused(subject, response.status, body, response.reason)
                    yield from events_of(response.stream(_CHUNK), subject)
                finally:
                    response.close()
            except (urllib3.exceptions.HTTPError, OSError) as error:
                if not deadline.passed:
                    message = f"Kubernetes breaks off {subject} ({type(error).__name__})."
                    raise ClusterError(message, status=0) from error

    @contextmanager
    def _watching(self, seconds: float) -> Iterator[Deadline]:
        """A watch's exchange, which ``close`` cuts off."""
        with self._exchanges.within(seconds) as deadline:
            with self._lock:
                if self._closed:
                    deadline.cut()
                self._watches.add(deadline)
            try:
                yield deadline
            finally:
                with self._lock:
                    self._watches.discard(deadline)

    def request(
        self,
        method: str,
        path: str,
        body: JsonObject | None = None,
        content_type: str = JSON,
        what: str | None = None,
    ) -> JsonObject:
        """One request; ``path`` is encoded already. ``what`` names its subject to a person who knows no paths.

        Raises
        ------
        ClusterError
            Refused, with what Kubernetes says; or no answer (status 0).
        """
        subject = what or f"{method} {path.partition('?')[0]}"
        headers = self._headers(content_type)
        url = self._configuration.host + path
        data = None if body is None else json.dumps(body).encode()
        try:
            response, said = self._exchange(method, url, data, headers)
        except AnswerTooLarge as error:
            raise ClusterError(f"Kubernetes answers {subject} with too much: {error}.", status=0) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            message = f"Kubernetes does not answer about {subject} ({type(error).__name__})."
            raise ClusterError(message, status=0) from error
        answer = json_of(said)
        if response.status >= _ERRORS:
            raise _refused(subject, response.status, StatusBody.read_object(answer), response.reason)
        if not isinstance(answer, dict):
            # Read as an object it would be one without anything, and a list without objects.
            raise ClusterError(f"Kubernetes answers {subject} with what is no JSON object.", status=0)
        return answer

    def _headers(self, content_type: str) -> dict[str, str]:
        headers = {"Accept": JSON, "Content-Type": content_type, "User-Agent": self._user_agent}
        return headers | authorization(self._configuration)

    def _open(
        self,
        method: str,
        url: str,
        data: bytes | None,
        headers: dict[str, str],
        timeout: urllib3.Timeout = _TIMEOUT,
    ) -> urllib3.BaseHTTPResponse:
        """An answer whose body is still to be read; the exchange's deadline holds for all of it."""
        return self._pool.request(
            method,
            url,
            body=data,
            headers=headers,
            timeout=timeout,
            retries=_RETRIES,
            preload_content=False,
        )

    def _exchange(
        self, method: str, url: str, data: bytes | None, headers: dict[str, str]
    ) -> tuple[urllib3.BaseHTTPResponse, bytes]:
        """A request, its answer and the whole body of that, within a time and a size."""
        with self._exchanges.within(self._seconds) as deadline:
            response = self._open(method, url, data, headers)
            try:
                said = join_limited(response.stream(_CHUNK), response.headers)
            except BaseException:
                response.close()
                raise
            response.release_conn()
            if deadline.passed:
                raise TimeoutError("the exchange took too long")
            return response, said


def _refused(subject: str, status: int, body: StatusBody, phrase: str | None) -> ClusterError:
    said = body.message or phrase or f"status {status}"
    message = f"Kubernetes refuses {subject}: {said}"
    return ClusterError(message, status=status, refusal=is_refusal(status, body), taken=is_taken(body))
