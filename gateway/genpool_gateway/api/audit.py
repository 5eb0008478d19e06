"""The audit log's lines: who, what, when. A test demands one for every route that changes something."""

from __future__ import annotations

from genpool_gateway.api.services import Services
from genpool_gateway.keys.access import Caller
from genpool_gateway.tasks.key_ports import AuditEntry


def audit(services: Services, caller: Caller, action: str, subject: str) -> None:
    """Note what a caller has done. ``subject``: an id, or a pool and how many; nothing that a sender wrote.

    Raises TaskStoreError.
    """
    services.keys.audit(AuditEntry(services.now(), caller.id, action, subject))
