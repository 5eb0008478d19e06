"""The gateway's API, as this program uses it."""

from genpool_cli.client.gateway import ENDED, Gateway
from genpool_cli.client.way import Way, direct

__all__ = ["ENDED", "Gateway", "Way", "direct"]
