"""The gateway's API, as this program uses it."""

from genpool_cli.client.gateway import Gateway
from genpool_cli.client.way import Way, direct

__all__ = ["Gateway", "Way", "direct"]
