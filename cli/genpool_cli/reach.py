"""Which gateway is meant: the one that is named, or that of the current kube-context."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from genpool_cli.client import Gateway, direct
from genpool_cli.show.output import note


@dataclass
class Reach:
    """What a person said of the gateway, before or behind a command; it is looked for when it is first needed."""

    url: str | None = None
    key: str | None = None
    namespace: str | None = None

    @cached_property
    def gateway(self) -> Gateway:
        """The gateway. Raises CliError where there is none."""
        if self.url:
            return Gateway(direct(self.url, self.key), told=note)
        # Whoever names a gateway, or asks for help, does not wait for Kubernetes' client.
        from genpool_cli.client.cluster import on_cluster  # noqa: PLC0415

        return Gateway(on_cluster(self.key, self.namespace), told=note)
