"""Uploads: a place in a pool's bucket for a sender's file, the link by which it is put there, and whether it is."""

from __future__ import annotations

from dataclasses import dataclass, field

from genpool_core import timing
from genpool_core.errors import RefusedInput
from genpool_core.image_types import HEAD_BYTES, IMAGE_NAMES, IMAGE_TYPES, SENT_IMAGE_TYPES, require_image
from genpool_core.tasks.check import ValidatedTask
from genpool_core.tasks.uploads import upload_key, upload_value
from genpool_core.workerconfig import WorkerConfig
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
    if content_type not in SENT_IMAGE_TYPES:
        raise RefusedInput(
            f"content_type is {content_type}, which ComfyUI is not given here: send a {IMAGE_NAMES} file.",
            parameter="content_type",
            expected={"enum": [*sorted(IMAGE_TYPES)]},
            sent=content_type,
        )
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


def check_uploads(task: ValidatedTask, config: WorkerConfig, store: SigningStore) -> None:
    """Look whether the uploads that a task names are there, and begin like images.

    Raises
    ------
    RefusedInput
        No worker of the pool could use one of them.
    StorageError
        Nothing is known: the store does not answer.
    """
    for parameter, key in task.uploads.items():
        what = f"the upload {key.rpartition('/')[2]}"
        found = store.beginning(key, HEAD_BYTES)
        if found is None:
            raise RefusedInput(
                f"{what} is not in {config.store}: PUT the file to the upload's url first, or upload it for pool "
                f"{config.pool.namespace}/{config.pool.name} if it was for another one.",
                parameter=parameter,
            )
        if found.size > config.max_input_bytes:
            raise RefusedInput(
                f"{what} has {found.size:,} bytes, and this pool takes files of at most {config.max_input_bytes:,} "
                "(security.maxInput): send a smaller file.",
                parameter=parameter,
            )
        require_image(what, found.data, parameter=parameter)
