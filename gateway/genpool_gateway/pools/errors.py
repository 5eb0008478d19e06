"""Why no pool takes a task.

::

    GenPoolError
    ├── PoolsUnknown     the pools have not been read yet: ask again
    ├── PoolUnavailable  the pool is there, and takes no task now: ask again when its cause is gone
    └── RefusedTask
        └── NotServed    no pool, or more than one, fits what the task names
"""

from __future__ import annotations

from genpool_core.errors import GenPoolError, RefusedTask


class PoolsUnknown(GenPoolError):  # noqa: N818 - a state of the gateway
    """The gateway has not read the pools yet; that says nothing about which there are."""

    reason = "PoolsUnknown"


class PoolUnavailable(GenPoolError):  # noqa: N818 - a state of the pool
    """A pool that is there and takes no task now."""

    reason = "PoolUnavailable"


class NotServed(RefusedTask):
    """No pool, or more than one, fits what a task names.

    Reasons: ``PoolUnknown``, ``PoolAmbiguous``, ``WorkflowUnknown``, ``WorkflowAmbiguous``.
    """

    reason = "WorkflowUnknown"
