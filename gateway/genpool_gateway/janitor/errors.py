"""What keeps the gateway from ending a task.

::

    GenPoolError
    ├── StoreNotListed   the gateway may not write into the pool's bucket or folder
    └── StoreRefused     it may, and the bucket or folder refuses it
"""

from __future__ import annotations

from genpool_core.errors import GenPoolError


class StoreNotListed(GenPoolError):  # noqa: N818 - a state of the installation
    """The bucket of a pool is not in the chart's ``gateway.stores``, or its folder not in ``GENPOOL_FOLDERS``."""

    reason = "StoreNotListed"


class StoreRefused(GenPoolError):  # noqa: N818 - a state of the installation
    """The bucket or folder of a pool refuses the gateway's keys, or its user."""

    reason = "StoreRefused"
