"""What came inside a task and is too large for its message, on its way to the bucket before the task is accepted."""

from __future__ import annotations

from anyio import to_thread

from genpool_core import timing
from genpool_core.errors import StorageError
from genpool_gateway.accepting.refusals import QueueFull
from genpool_gateway.accepting.set_apart import Apart
from genpool_gateway.api.services import Services
from genpool_gateway.tasks.ports import NewTask


async def keep_inputs(services: Services, task: NewTask, apart: Apart, full: QueueFull | None) -> None:
    """Wait until the inputs of a task are in its pool's bucket. Raises StorageError, TooLarge, Overloaded.

    A task that was accepted before has its inputs there: its sender hears of it also while the bucket is away.
    ``full``: the refusal of any other one, for which nothing is put.
    """
    if not apart.inputs or await to_thread.run_sync(services.known.knows, task, services.now()):
        return
    if full is not None:
        raise full
    store = apart.checked.serving.config.store
    put = services.inputs.put(store, task.record.id, apart.inputs)
    try:
        await services.bridge.result(put, timing.INPUT_STORE_SECONDS)
    except TimeoutError:
        raise StorageError(
            f"the task was not queued, because {store} has not taken its files or its graph within "
            f"{timing.INPUT_STORE_SECONDS:g} s: send it again."
        ) from None
    except StorageError as error:
        raise StorageError(
            f"the task was not queued, because its files or its graph could not be stored: {error.message}",
            reason=error.reason,
        ) from error
