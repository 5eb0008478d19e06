"""The operator's keys: read from their Secret again and again, and made where there is no such Secret."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from genpool_core.errors import GenPoolError
from genpool_core.operatorkeys import Installation, OperatorKey, installation_tag, key_line, parse_keys
from genpool_operator.ports import KeySecret

_log = structlog.get_logger(__name__)


class OperatorKeys:
    """The newest keys that were read. ``new_key`` makes random bytes."""

    def __init__(self, secret: KeySecret, new_key: Callable[[], bytes]) -> None:
        self._secret = secret
        self._new_key = new_key
        self._lock = threading.Lock()
        self._tag: str | None = None
        self._installation: Installation | None = None
        self._trouble: str | None = "the operator's key Secret was not read yet."

    def current(self) -> Installation | None:
        """The keys as they were read last; None before the first time."""
        return self._installation

    def trouble(self) -> str | None:
        """Why the operator has no key; None when it has one, if not the newest."""
        return self._trouble if self._installation is None else None

    def refresh(self) -> bool:
        """Read the keys; whether they are others now. Where that fails, those before stay, and a log line tells."""
        with self._lock:
            return self._refresh()

    def _refresh(self) -> bool:
        try:
            found = self._read()
        except GenPoolError as error:
            if self._trouble != error.message:
                _log.warning("operator_keys_not_read", reason=error.reason, message=error.message)
            self._trouble = error.message
            return False
        self._trouble = None
        if found == self._installation:
            return False
        self._installation = found
        _log.info("operator_keys_read", key_ids=[key.id for key in found.keys], installation=found.tag)
        return True

    def _read(self) -> Installation:
        if self._tag is None:
            self._tag = installation_tag(self._secret.namespace_uid(), self._secret.name)
        text = self._secret.read()
        if text is None:
            text = self._secret.create(key_line(self._new_key()))
            _log.info("operator_key_made", object=self._secret.name)
        keys = parse_keys(text, f"Secret {self._secret.name}")
        return Installation(tuple(OperatorKey(key) for key in keys), self._tag)
