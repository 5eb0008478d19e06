"""API keys, sessions of browsers and the audit log, and the port of where they are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class ApiKey:
    """Who may do what. Only a hash of the key is kept."""

    id: str
    name: str
    digest: str = field(repr=False)
    """SHA-256 of the key, hexadecimal."""
    role: str
    """``user``, ``operator``, ``admin``."""
    pools: tuple[str, ...] | None
    """``namespace/name`` of the pools that it is for; None: all."""
    max_queued: int | None
    """Most unfinished tasks; None: no cap."""
    created_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True)
class Session:
    """A browser that showed an API key once. Neither the key nor the cookie is kept, only their hashes."""

    digest: str = field(repr=False)
    """SHA-256 of the cookie's value, hexadecimal."""
    key_digest: str = field(repr=False)
    """SHA-256 of the key: the session is over when the key is revoked."""
    expires_at: datetime


@dataclass(frozen=True)
class AuditEntry:
    """Something that a key did and that a person may ask about."""

    time: datetime
    key: str
    action: str
    subject: str


class KeyStore(Protocol):
    """For API keys, sessions and the audit log."""

    def key_by_digest(self, digest: str) -> ApiKey | None:
        """The key with this SHA-256, revoked or not."""

    def keys(self) -> list[ApiKey]:
        """All, the oldest first."""

    def add_key(self, key: ApiKey) -> None:
        """Store a new one."""

    def revoke_key(self, key: str, at: datetime) -> ApiKey | None:
        """Revoke by id; None: no such key. One that is revoked stays as it is."""

    def add_session(self, session: Session, now: datetime) -> None:
        """Store a new one, and drop those that are over."""

    def session_by_digest(self, digest: str) -> Session | None:
        """The session whose cookie has this SHA-256, over or not."""

    def end_session(self, digest: str) -> None:
        """Drop it; nothing where there is none."""

    def audit(self, entry: AuditEntry) -> None:
        """Append to the audit log."""

    def audit_log(self, *, limit: int) -> list[AuditEntry]:
        """The newest entries."""
