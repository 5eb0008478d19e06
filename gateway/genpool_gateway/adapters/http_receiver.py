"""The receiver of a callback, over guarded HTTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import requests
import structlog

from genpool_adapters.guarded import Resolve, system_resolve
from genpool_adapters.http import explain, guarded_session, is_outage
from genpool_core import timing
from genpool_core.errors import RefusedInput, SettingsError
from genpool_gateway.adapters.signing import Signer
from genpool_gateway.callbacks.disposition import Answered, Away, Forbidden, Outcome
from genpool_gateway.callbacks.ports import WebhookRequest

_log = structlog.get_logger(__name__)


class HttpReceiver:
    """POSTs callbacks. The answer's body is not read."""

    def __init__(
        self,
        signer: Signer,
        *,
        now: Callable[[], datetime],
        timeout: float = timing.CALLBACK_TIMEOUT_SECONDS,
        resolve: Resolve = system_resolve,
    ) -> None:
        self._signer = signer
        self._now = now
        self._timeout = timeout
        self._resolve = resolve

    def send(self, request: WebhookRequest) -> Outcome:
        """One attempt; raises nothing."""
        try:
            signed = self._signer.headers(request.id, request.body, request.pool_uid, self._now())
        except SettingsError as error:
            _log.exception("callback_not_signed", message=error.message)
            return Away("GenPool could not sign it.")
        headers = {**request.headers, **signed, "Content-Type": "application/json"}
        connect = min(timing.CALLBACK_CONNECT_SECONDS, self._timeout)
        whole = connect + self._timeout
        try:
            with (
                guarded_session(request.allow, deadline=whole, resolve=self._resolve) as session,
                session.post(
                    request.url,
                    data=request.body,
                    headers=headers,
                    timeout=(connect, self._timeout),
                    stream=True,
                ) as response,
            ):
                return Answered(response.status_code, _seconds(response.headers.get("Retry-After")))
        except RefusedInput as error:
            return Forbidden(error.reason, error.message)
        except requests.RequestException as error:
            if not is_outage(error):
                # Tried again it would fail again.
                return Forbidden("InvalidUrl", explain(error))
            return Away(explain(error))


def _seconds(text: str | None) -> int | None:
    """A Retry-After in seconds; its other form, a date, is not used."""
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 7 else None  # noqa: PLR2004 - no wish of weeks
