"""A receiver of callbacks: checks each one's signature and writes it down.

Every delivery becomes one line of a JSONL file (:class:`Delivery`). ``PUT /control`` with
``{"unavailable_seconds": 20}`` lets it answer 503 for that long, as a receiver that is away; 0 ends that.

Run as ``python -m genpool_dev.stack.servers.receiver --bind … --ready-file … --record …``, with a folder that has the
signing secrets of each pool, where they are known.
"""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from genpool_dev.stack.callback_secrets import secret_file
from genpool_dev.stack.servers.serve import Handler, arguments, serve

MAX_BODY = 1 << 20


class Delivery(BaseModel):
    """One POST that came in."""

    time: datetime
    webhook_id: str
    """The header ``webhook-id``; empty where there was none."""
    path: str
    verified: bool | None
    """Whether the signature is that of the callback's own pool; None where no secrets were given."""
    status: int
    """What was answered."""
    body: dict[str, object] | None
    """The JSON body; None where it is no JSON object."""


class Book:
    """The record, and for how long to be away. Used by many threads."""

    def __init__(self, record: Path, secrets: Path | None) -> None:
        self._record = record
        self._secrets = secrets
        self._lock = threading.Lock()
        self._away_until = 0.0

    def be_away(self, seconds: float) -> None:
        """Answer 503 for this many seconds from now."""
        with self._lock:
            self._away_until = time.monotonic() + seconds

    def take(self, path: str, headers: dict[str, str], raw: bytes) -> int:
        """Write a delivery down and return the status to answer: 204, 401 for a wrong signature, 503 while away."""
        verified = self._verify(headers, raw)
        with self._lock:
            away = time.monotonic() < self._away_until
            status = 503 if away else 401 if verified is False else 204
            delivery = Delivery(
                time=datetime.now(UTC),
                webhook_id=headers.get("webhook-id", ""),
                path=path,
                verified=verified,
                status=status,
                body=_object(raw),
            )
            with self._record.open("a", encoding="utf-8") as lines:
                lines.write(delivery.model_dump_json() + "\n")
        return status

    def _verify(self, headers: dict[str, str], raw: bytes) -> bool | None:
        if self._secrets is None:
            return None
        return any(_fits(secret, headers, raw) for secret in _secrets_of(self._secrets, _object(raw)))


def read_record(record: Path) -> list[Delivery]:
    """All deliveries so far, in order."""
    if not record.exists():
        return []
    whole = record.read_text(encoding="utf-8").rpartition("\n")[0]
    return [Delivery.model_validate_json(line) for line in whole.splitlines()]


def _secrets_of(folder: Path, body: dict[str, object] | None) -> list[str]:
    """Secrets of the pool that a callback says it is from; none where it says none that is known."""
    match body:
        case {"pool": {"namespace": str(namespace), "name": str(name)}}:
            path = secret_file(folder, namespace, name)
            known = path.parent == folder and path.is_file()
            return path.read_text(encoding="utf-8").split() if known else []
    return []


def _fits(secret: str, headers: dict[str, str], raw: bytes) -> bool:
    try:
        Webhook(secret).verify(raw, headers)
    except (WebhookVerificationError, ValueError):
        return False
    return True


def _object(raw: bytes) -> dict[str, object] | None:
    try:
        value = json.loads(raw)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def handler_for(book: Book) -> type[Handler]:
    """A handler class that writes to ``book``."""

    class ReceiverHandler(Handler):
        """Takes callbacks by POST and the control by PUT."""

        def do_GET(self) -> None:  # noqa: N802 - the name that the library calls
            """Only ``/healthz``."""
            self.answer_json(200, {"ok": True})

        def do_POST(self) -> None:  # noqa: N802 - the name that the library calls
            """One callback."""
            headers = {name.lower(): value for name, value in self.headers.items()}
            raw = self._body()
            status = 413 if raw is None else book.take(self.path, headers, raw)
            self.answer(status, b"")

        def do_PUT(self) -> None:  # noqa: N802 - the name that the library calls
            """``/control``."""
            wanted = _object(self._body() or b"") or {}
            seconds = wanted.get("unavailable_seconds")
            if self.path != "/control" or not isinstance(seconds, (int, float)):
                self.answer_json(400, {"error": 'PUT {"unavailable_seconds": 20} to /control'})
                return
            book.be_away(seconds)
            self.answer_json(200, {"unavailable_seconds": seconds})

        def _body(self) -> bytes | None:
            """The body; None, and the connection closed, where it is larger than 1 MiB."""
            length = int(self.headers.get("Content-Length") or 0)
            if length > MAX_BODY:
                self.close_connection = True
                return None
            return self.rfile.read(length)

    return ReceiverHandler


def main() -> None:
    """Serve until told to end."""
    parser = arguments("A receiver of callbacks that writes them down.")
    parser.add_argument("--record", type=Path, required=True, help="JSONL file of the deliveries")
    parser.add_argument(
        "--secrets", type=Path, help="folder with a file NAMESPACE.POOL of secrets for each pool"
    )
    options = parser.parse_args()
    serve(options.bind, options.port, options.ready_file, handler_for(Book(options.record, options.secrets)))


if __name__ == "__main__":
    main()
