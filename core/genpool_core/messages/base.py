"""What all messages of our own programs share. Their JSON is in snake_case, as producers' tasks are."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

#: Version of events, callbacks and records. Readers accept it and the one before, and ignore fields they do not know.
SCHEMA_VERSION = 1


class Message(BaseModel):
    """A message or record of ours: immutable, unknown fields ignored, so that versions can overlap."""

    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)

    schema_version: int = SCHEMA_VERSION
    """Version of this shape."""


class PoolRef(BaseModel):
    """Which pool a message is about."""

    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)

    namespace: str
    """Namespace of the GenerationPool."""
    name: str
    """Name of the GenerationPool."""
    uid: str
    """UID of the GenerationPool."""
