"""Whether the cookie of a session is for encrypted connections alone. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

from genpool_core.hostnames import is_loopback

NAME = "genpool_session"


def is_secure(*, scheme: str, host: str, forwarded: str | None, public_url: str) -> bool:
    """Whether the cookie gets ``Secure``: always, but for plain HTTP at a loopback address.

    A browser then sends it over HTTPS alone. At a loopback address (``kubectl port-forward``, a gateway on this
    machine) nothing leaves the machine, and not every browser takes a ``Secure`` cookie from there.

    Parameters
    ----------
    scheme
        Of the connection to the gateway.
    host
        The request's ``Host``.
    forwarded
        ``X-Forwarded-Proto`` of a trusted proxy, which took the caller's connection; None from anybody else.
    public_url
        The gateway's setting, which tells the scheme at that host where a proxy in front is not a trusted one.
    """
    public = urlsplit(public_url)
    if forwarded is not None:
        scheme = forwarded
    elif public.netloc == host:
        scheme = public.scheme
    return not (scheme == "http" and is_loopback(_name(host)))


def _name(host: str) -> str:
    """Without the port; empty where it cannot be read."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
