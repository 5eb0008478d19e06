"""A store of keys and sessions in memory."""

from __future__ import annotations

from datetime import datetime

from genpool_core.errors import TaskStoreError
from genpool_gateway.keys.secret import digest_of, new_key
from genpool_gateway.tasks.key_ports import ApiKey, AuditEntry, Session
from unit.gateway.samples import NOW

FIRST, KEY = new_key(), new_key()


class MemoryKeys:
    def __init__(self) -> None:
        self.stored = [ApiKey("key-1", "ann", digest_of(KEY), "user", ("art/text",), 10, NOW)]
        self.sessions: dict[str, Session] = {}
        self.looks = 0
        self.failing = False

    def key_by_digest(self, digest: str) -> ApiKey | None:
        if self.failing:
            raise TaskStoreError("the database is away.")
        self.looks += 1
        return next((key for key in self.stored if key.digest == digest), None)

    def keys(self) -> list[ApiKey]:
        return self.stored

    def add_key(self, key: ApiKey) -> None:
        self.stored.append(key)

    def revoke_key(self, key: str, at: object) -> ApiKey | None:
        raise NotImplementedError

    def add_session(self, session: Session, now: datetime) -> None:
        self.sessions = {key: kept for key, kept in self.sessions.items() if kept.expires_at > now}
        self.sessions[session.digest] = session

    def session_by_digest(self, digest: str) -> Session | None:
        self.looks += 1
        return self.sessions.get(digest)

    def end_session(self, digest: str) -> None:
        self.sessions.pop(digest, None)

    def audit(self, entry: AuditEntry) -> None:
        raise NotImplementedError

    def audit_log(self, *, limit: int) -> list[AuditEntry]:
        raise NotImplementedError
