"""HTTP for URLs that tasks bring: image downloads and callbacks.

A task's author may not make us ask an address inside the cluster. Host, port and scheme are checked before a name is
resolved, each address before it is connected to, and each redirect like a first request.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping, Sequence
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import requests
from urllib3 import PoolManager
from urllib3.exceptions import LocationValueError

from genpool_adapters.bounded import TimedAdapter
from genpool_adapters.guarded import Guard, Resolve, guard_connections, system_resolve
from genpool_core.api.security import HostRule
from genpool_core.egress_policy import check_url, redact
from genpool_core.errors import RefusedInput
from genpool_core.version import __version__

MAX_REDIRECTS = 3
USER_AGENT = f"GenPool/{__version__}"


#: What is raised for a URL that cannot be asked for; the last two are no errors of requests.
NO_URL = (
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
    LocationValueError,
    UnicodeError,
)
#: The other side or the network: a later request may do. All else is a fault of the request.
_OUTAGES = (
    requests.exceptions.ConnectionError,
    requests.exceptions.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)


class GuardedSession(requests.Session):
    """A session without environment, cookies, proxies and redirects of its own."""

    def __init__(self, guard: Guard) -> None:
        super().__init__()
        self._guard = guard
        adapter = _GuardedAdapter(guard)
        self.mount("http://", adapter)
        self.mount("https://", adapter)

    def close(self) -> None:
        """Close its connections."""
        super().close()
        self._guard.close()

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Prepare what is a URL at all: requests and urllib3 raise errors of several trees for what is none."""
        check_url(str(request.url), self._guard.allow)
        try:
            return super().prepare_request(request)
        except NO_URL as error:
            raise _no_url(str(request.url)) from error

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # noqa: ANN401 - as requests
        """Send what is allowed; every request comes through here, in the form in which it is sent."""
        check_url(request.url or "", self._guard.allow)
        try:
            return super().send(request, **kwargs)
        except NO_URL as error:
            raise _no_url(request.url or "") from error

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002 - requests' signature
        """No redirect is followed by itself; see :func:`get_following`."""
        return None


class _GuardedAdapter(TimedAdapter):
    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        super().__init__(guard)

    def _prepare(self, manager: PoolManager) -> None:
        guard_connections(manager, self._guard)

    def proxy_manager_for(self, proxy: str, **_kwargs: Any) -> Any:  # noqa: ANN401 - requests' signature
        raise RefusedInput(f"a proxy ({redact(proxy)}) is not used for URLs of tasks.")


def guarded_session(
    allow: Sequence[HostRule], *, deadline: float | None = None, resolve: Resolve = system_resolve
) -> requests.Session:
    """A session that reaches only allowed hosts at allowed addresses; close it after use.

    ``deadline``: seconds in which all that it does must end, redirects and a name's many addresses included, even when
    the other side sends a byte now and then; use such a session for one exchange. Give each request a ``timeout`` too.

    Raises (its requests do)
    ------------------------
    RefusedInput
        The URL, its host, port or every address of it is forbidden.
    requests.RequestException
        As usual; :func:`explain` says it in a sentence without the URL's query.
    """
    session = GuardedSession(Guard(allow, resolve, deadline))
    session.trust_env = False
    session.verify = ca_bundle(os.environ)
    session.headers["User-Agent"] = USER_AGENT
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


def get_following(
    session: requests.Session,
    url: str,
    *,
    timeout: tuple[float, float],
    headers: Mapping[str, str] | None = None,
    limit: int = MAX_REDIRECTS,
) -> requests.Response:
    """GET a URL and up to ``limit`` redirects; the body is left to be streamed, and the answer to be closed.

    Raises
    ------
    RefusedInput
        A hop is forbidden, or there are too many.
    requests.RequestException
        As usual.
    """
    for _hop in range(limit + 1):
        response = session.get(url, headers=dict(headers or {}), timeout=timeout, stream=True)
        target = response.headers.get("Location") if response.is_redirect else None
        if target is None:
            return response
        response.close()
        url = _redirected(url, target)
    raise RefusedInput(f"{redact(url)}: more than {limit} redirects.", reason="TooManyRedirects")


def _redirected(url: str, target: str) -> str:
    try:
        return urljoin(url, target)
    except ValueError as error:
        raise RefusedInput(
            f"{redact(url)} redirects to what is no URL: send a link that leads to a file."
        ) from error


def _no_url(url: str) -> RefusedInput:
    return RefusedInput(f"{redact(url)} cannot be asked for: send an http or https URL.")


def is_outage(error: requests.RequestException) -> bool:
    """Whether the network or the other side is to blame, so that a later request may do."""
    return isinstance(error, _OUTAGES)


def explain(error: requests.RequestException) -> str:
    """One sentence about a failed request. The exceptions' own texts hold the URL with its query, which is secret."""
    if isinstance(error, requests.exceptions.SSLError):
        return "its TLS certificate could not be verified."
    if isinstance(error, requests.exceptions.Timeout):
        return "it did not answer in time."
    text = str(error)
    for sign, sentence in (
        ("NameResolutionError", "its name could not be resolved."),
        ("Connection refused", "it refused the connection."),
        ("No route to host", "there is no route to it."),
        ("Network is unreachable", "there is no route to it."),
    ):
        if sign in text:
            return sentence
    if isinstance(error, requests.exceptions.ConnectionError):
        return "the connection was closed."
    return f"the request failed ({type(error).__name__})."


def ca_bundle(environ: Mapping[str, str]) -> str | bool:
    """The certificates to trust: what the environment names, else the system's, else those that requests brings."""
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        if environ.get(name):
            return environ[name]
    system = ssl.get_default_verify_paths().cafile
    return system if system and Path(system).is_file() else True
