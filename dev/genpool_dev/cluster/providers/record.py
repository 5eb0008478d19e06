"""What was put on somebody's cluster, on disk before it is put there: it alone is taken away again."""

from __future__ import annotations

import uuid
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from genpool_dev.cluster import handover

#: On the namespace of RabbitMQ and S3: the record that it belongs to.
LABEL = "genpool.dev/made-for"
FILE = "made.json"


class Record(BaseModel):
    """One cluster on which RabbitMQ and S3 were put."""

    model_config = ConfigDict(frozen=True)

    id: str
    """Value of :data:`LABEL`: a namespace with another value, or none, is somebody else's."""
    context: str
    server: str
    """URL of its API server. A context of the same name may mean another cluster by now."""

    @property
    def labels(self) -> dict[str, str]:
        """The labels by which the namespace is known."""
        return {LABEL: self.id}


def load(state: Path) -> Record | None:
    """Read the record of a state folder; a file that cannot be read is none."""
    try:
        return Record.model_validate_json((state / FILE).read_text())
    except (OSError, ValidationError):
        return None


def ensure(state: Path, context: str, server: str) -> Record:
    """Return the record of a cluster, written now if there is none. The one before is of the same cluster."""
    found = load(state)
    if found is not None:
        return found
    made = Record(id=uuid.uuid4().hex, context=context, server=server)
    handover.write(state / FILE, made.model_dump_json())
    return made
