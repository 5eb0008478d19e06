"""Uploads: a place in a pool's bucket for a sender's file, and the link by which it is put there."""

from __future__ import annotations

from dataclasses import dataclass, field

from genpool_core import timing
from genpool_core.errors import RefusedInput
from genpool_core.tasks.uploads import upload_key, upload_value
from genpool_gateway.pools.directory import require_serving
from genpool_gateway.pools.errors import BucketNotListed
from genpool_gateway.pools.links import Buckets, SigningStore
from genpool_gateway.pools.pool import ServedPool


@dataclass(frozen=True)
class Upload:
    """A place for a file."""

    id: str
    """What a parameter of a task says for it."""
    key: str
    """Of the object in the pool's bucket."""
    url: str = field(repr=False)
    """PUT the file here."""


def new_upload(  # noqa: PLR0913 - what an upload is
    pool: ServedPool,
    buckets: Buckets,
    *,
    owner: str,
    token: str,
    name: str,
    content_type: str,
    size: int,
) -> Upload:
    """A place below ``uploads/<owner>/`` of the pool's bucket. ``token``: 32 random hexadecimal characters.

    Raises
    ------
    PoolUnavailable, RefusedInput, BucketNotListed, StorageError, SettingsError
        There is none for it.
    """
    value = upload_value(token, name)
    store, key = upload_place(pool, buckets, owner=owner, value=value, size=size)
    return Upload(value, key, store.sign_put(key, content_type, size, timing.UPLOAD_LINK_SECONDS))


def upload_place(
    pool: ServedPool, buckets: Buckets, *, owner: str, value: str, size: int
) -> tuple[SigningStore, str]:
    """The bucket and the key of an upload. ``value``: its id. Raises what :func:`new_upload` does."""
    config = require_serving(pool).config
    if size > config.max_input_bytes:
        raise RefusedInput(
            f"size_bytes is {size:,}, and pool {pool.name} takes files of at most {config.max_input_bytes:,} bytes "
            "(security.maxInput): send a smaller file.",
            parameter="size_bytes",
            expected={"type": "integer", "maximum": config.max_input_bytes},
            sent=size,
        )
    store = buckets.of(config.store)
    if store is None:
        raise BucketNotListed.of(config.store, "nothing can be uploaded; send links to files instead")
    key = upload_key(value, prefix=config.store.prefix, owner=owner)
    if key is None:
        raise RefusedInput(
            "name: send 1 to 100 letters, digits, dots, dashes or underscores.", parameter="name"
        )
    return store, key
