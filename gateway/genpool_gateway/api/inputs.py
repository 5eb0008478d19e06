"""What came inside a task and is too large for its message, on its way to the bucket before the task is accepted."""

from __future__ import annotations

from anyio import to_thread

from genpool_core import timing
from genpool_core.errors import StorageError
from genpool_gateway.accepting.refusals import QueueFull, over_cap
from genpool_gateway.accepting.set_apart import Apart
from genpool_gateway.api.services import Services
from genpool_gateway.tasks.ports import NewTask
from genpool_gateway.tasks.record import TaskState


async def keep_inputs(
    services: Services, task: NewTask, apart: Apart, full: QueueFull | None, cap: int | None
) -> None:
    """Wait until the inputs of a task are in its pool's bucket. Raises StorageError, TooLarge, Overloaded.

    A task that was accepted before has its inputs there: its sender hears of it also while the bucket is away. One of
    which it is not known whether the broker has it may have lost them, and is no new one.
    ``full``: the refusal of a new one, for which nothing is put. Nor is anything for one over its owner's ``cap``,
    which raises OverCap.
    """
    if not apart.inputs:
        return
    state = await to_thread.run_sync(services.known.state, task, services.now())
    if state not in {None, TaskState.ACCEPTING}:
        return
    if state is None:
        await _require_room(services, task.record.owner, full, cap)
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


async def _require_room(
    services: Services, owner: str | None, full: QueueFull | None, cap: int | None
) -> None:
    """Whether a new task would be accepted now. The acceptor has the last word: it counts what comes meanwhile, too."""
    if full is not None:
        raise full
    if cap is not None and owner is not None:
        unfinished = await to_thread.run_sync(services.reader.count_owned, owner)
        if unfinished >= cap:
            raise over_cap(cap)
