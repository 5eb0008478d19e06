"""Uploads that a task names, looked at before it is accepted: one that is not there would wake a GPU for nothing.

What cannot be found out is no reason to refuse: a worker looks again.
"""

from __future__ import annotations

from contextlib import suppress

from anyio import to_thread

from genpool_core.errors import RefusedInput, SettingsError, StorageError
from genpool_gateway.api.services import Services
from genpool_gateway.pools.check import CheckedTask
from genpool_gateway.pools.uploads import check_uploads
from genpool_gateway.tasks.ports import NewTask


async def require_uploads(services: Services, task: NewTask, checked: CheckedTask) -> None:
    """Raise RefusedInput where an upload of a new task is known not to serve.

    A task that was accepted before is known by it, whatever became of its uploads meanwhile.
    """
    if not checked.validated.uploads:
        return
    config = checked.serving.config

    def look() -> None:
        store = services.links.buckets.of(config.store)
        if store is not None:
            check_uploads(checked.validated, config, store)

    try:
        with suppress(StorageError, SettingsError):
            await services.upload_looks.run(config.store, look)
    except RefusedInput:
        if await to_thread.run_sync(services.known.state, task, services.now()) is None:
            raise
