"""Where the task store is, from its URL. Pure: connects to nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from genpool_core.errors import SettingsError

SQLITE = "sqlite"
POSTGRESQL = "postgresql+psycopg"
_FORMS = f"{SQLITE}:////folder/file or {POSTGRESQL}://user:password@host:5432/database"


@dataclass(frozen=True)
class DatabaseAddress:
    """Which database, and how it is named to people: never with its password."""

    url: URL
    shown: str

    @property
    def path(self) -> Path | None:
        """The file of an SQLite database; None of a PostgreSQL one."""
        return Path(str(self.url.database)) if self.url.drivername == SQLITE else None


def parse_address(url: str) -> DatabaseAddress:
    """Read the URL of a task store; raises SettingsError, which does not quote it."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise SettingsError(f"The URL of the task store is none: it must be {_FORMS}.") from None
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername=POSTGRESQL)
    if parsed.drivername == POSTGRESQL:
        return _postgresql(parsed)
    if parsed.drivername == SQLITE:
        return _sqlite(parsed)
    raise SettingsError(f"The task store cannot be kept by {parsed.drivername!r}: its URL must be {_FORMS}.")


def _postgresql(url: URL) -> DatabaseAddress:
    host = url.query.get("host", url.host) or "localhost"
    if not url.database:
        raise SettingsError(
            f"The URL of the task store names no database of PostgreSQL: it must be {_FORMS}."
        )
    port = "" if str(host).startswith("/") else f":{url.port or 5432}"
    return DatabaseAddress(url, f"the PostgreSQL database {url.database} at {host}{port}")


def _sqlite(url: URL) -> DatabaseAddress:
    name = url.database or ""
    if name in {"", ":memory:"} or name.startswith("file:") or url.query:
        raise SettingsError(
            "The task store needs a file: what is kept in memory would be gone after a restart, and no options of "
            f"SQLite are supported. Its URL must be {SQLITE}:////folder/file."
        )
    return DatabaseAddress(url, f"the SQLite file {name}")
