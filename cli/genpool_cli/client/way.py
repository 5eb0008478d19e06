"""The way to a gateway: its address, and what each request needs to get there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import requests

from genpool_core import timing
from genpool_core.hostnames import is_loopback
from genpool_core.version import __version__


@dataclass(frozen=True)
class Way:
    """How requests get to a gateway. ``shown`` is its name for people; ``headers`` are asked for each request."""

    url: str
    shown: str
    session: requests.Session = field(repr=False)
    headers: Callable[[], Mapping[str, str]] = field(default=dict, repr=False)

    def request(  # noqa: PLR0913 - what HTTP has
        self,
        method: str,
        path: str,
        body: object | None,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        seconds: float,
        *,
        stream: bool = False,
    ) -> requests.Response:
        """One request; raises what ``requests`` raises."""
        sent = {"User-Agent": f"genpool/{__version__}", **self.headers(), **headers}
        return self.session.request(
            method,
            self.url + path,
            json=body,
            params=dict(query),
            headers=sent,
            timeout=(timing.CLI_CONNECT_SECONDS, seconds),
            stream=stream,
            allow_redirects=False,
        )


def direct(url: str, key: str | None) -> Way:
    """The way to an address that this machine reaches, under an API key; without one where a proxy knows who asks."""
    headers = {"X-API-Key": key} if key else {}
    session = requests.Session()
    # A proxy of the environment does not know what is on this machine.
    session.trust_env = not is_loopback(urlsplit(url).hostname or "")
    adapter = requests.adapters.HTTPAdapter(pool_connections=4, pool_maxsize=64)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return Way(url.rstrip("/"), url.rstrip("/"), session, lambda: headers)
