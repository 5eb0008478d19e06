"""What the gateway's readiness means to Kubernetes. Pure."""

from __future__ import annotations

from collections.abc import Callable

Check = Callable[[], str | None]


class ServiceReadiness:
    """Whether the Service shall send requests here. See ``docs/adr/0018``.

    Until all of the gateway worked once, its troubles count: a new pod that cannot work replaces none that does. From
    then on only the API's own do: while broker or database are away every pod has the same trouble, and a Service
    without pods would refuse callers who could be told why, and those who only ask.
    """

    def __init__(self, *, whole: Check, api: Check) -> None:
        self._whole = whole
        self._api = api
        self._worked = False

    def __call__(self) -> str | None:
        """Why no request should come here; None when they may."""
        if not self._worked:
            trouble = self._whole()
            if trouble is not None:
                return trouble
            self._worked = True
        return self._api()
