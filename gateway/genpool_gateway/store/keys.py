"""API keys, sessions and the audit log."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, insert, select, update

from genpool_gateway.store import rows
from genpool_gateway.store.database import Database
from genpool_gateway.store.tables import api_keys, audit, sessions
from genpool_gateway.tasks.key_ports import ApiKey, AuditEntry, Session


class SqlKeyStore:
    """See the port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def key_by_digest(self, digest: str) -> ApiKey | None:
        """As the port says."""
        with self._database.reading() as connection:
            found = connection.execute(select(api_keys).where(api_keys.c.digest == digest)).mappings().first()
        return None if found is None else rows.key_of(found)

    def keys(self) -> list[ApiKey]:
        """As the port says."""
        statement = select(api_keys).order_by(api_keys.c.created_at, api_keys.c.id)
        with self._database.reading() as connection:
            return [rows.key_of(row) for row in connection.execute(statement).mappings()]

    def add_key(self, key: ApiKey) -> None:
        """As the port says."""
        with self._database.writing() as connection:
            connection.execute(insert(api_keys).values(rows.key_row(key)))

    def revoke_key(self, key: str, at: datetime) -> ApiKey | None:
        """As the port says."""
        unrevoked = update(api_keys).where(api_keys.c.id == key, api_keys.c.revoked_at.is_(None))
        with self._database.writing() as connection:
            connection.execute(unrevoked.values(revoked_at=at))
            found = connection.execute(select(api_keys).where(api_keys.c.id == key)).mappings().first()
        return None if found is None else rows.key_of(found)

    def add_session(self, session: Session, now: datetime) -> None:
        """As the port says."""
        with self._database.writing() as connection:
            connection.execute(delete(sessions).where(sessions.c.expires_at <= now))
            connection.execute(insert(sessions).values(vars(session)))

    def session_by_digest(self, digest: str) -> Session | None:
        """As the port says."""
        with self._database.reading() as connection:
            found = connection.execute(select(sessions).where(sessions.c.digest == digest)).mappings().first()
        return None if found is None else Session(**found)

    def end_session(self, digest: str) -> None:
        """As the port says."""
        with self._database.writing() as connection:
            connection.execute(delete(sessions).where(sessions.c.digest == digest))

    def audit(self, entry: AuditEntry) -> None:
        """As the port says."""
        with self._database.writing() as connection:
            connection.execute(insert(audit).values(vars(entry)))

    def audit_log(self, *, limit: int) -> list[AuditEntry]:
        """As the port says."""
        columns = (audit.c.time, audit.c.key, audit.c.action, audit.c.subject)
        statement = select(*columns).order_by(audit.c.number.desc()).limit(limit)
        with self._database.reading() as connection:
            return [AuditEntry(*row) for row in connection.execute(statement)]
