"""The one error of the stack: a sentence for the person at the terminal."""

from __future__ import annotations

from genpool_dev.cluster.errors import ClusterError


class StackError(ClusterError):
    """Something that keeps GenPool from being installed, used or taken away; the message says what to do."""
