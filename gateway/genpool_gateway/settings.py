"""The gateway's settings, from the environment."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from genpool_adapters.settings import CommaList, ProgramSettings, split_commas
from genpool_adapters.shipped_workflows import default_workflows
from genpool_core import timing
from genpool_core.topology.desired import EVENTS_MAX


def _all_absolute(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    for path in paths:
        if not path.is_absolute():
            raise ValueError(f"{path} is no absolute path: begin it with a slash")
    return paths


class GatewaySettings(ProgramSettings):
    """Where the gateway's files are, and how it stops."""

    brokers_file: Path = Path("/etc/genpool/brokers.yaml")
    """The platform's brokers."""
    gateway_secret_dir: Path = Path("/etc/genpool-gateway")
    """The gateway's Secret, which the operator writes: a login for each broker, and the keys that sign callbacks."""
    pools_file: Path | None = None
    """File or folder with GenerationPools, and the ConfigMaps of their workflows. Kubernetes is asked when absent."""
    namespaces: CommaList = ()
    """Namespaces whose pools are served, separated by commas; all when empty."""
    builtin_workflows: Annotated[Path, Field(default_factory=default_workflows)]
    """Folder with the shipped workflows, for pools that are read from files."""
    api_host: str = ""
    """Address at which the API listens; all of the machine's when empty."""
    api_port: Annotated[int, Field(ge=0, le=65_535)] = 8000
    """Port of the API."""
    database_url: str = "sqlite:////var/lib/genpool/tasks.db"
    """The task store: ``sqlite:///FILE`` for one gateway, ``postgresql://USER:PASSWORD@HOST/DATABASE`` for several."""
    database_url_file: Path | None = None
    """File with that URL, where it holds a password; it goes before."""
    stores_file: Path | None = None
    """Buckets that the gateway may use: for links, inputs, ends of tasks that wait, and deletion."""
    folders: Annotated[tuple[Path, ...], BeforeValidator(split_commas), AfterValidator(_all_absolute)] = ()
    """Folders of pools with ``storage.type: Folder`` that it may use for the same, with commas in between."""
    public_url: Annotated[str, Field(pattern=r"^(https?://[^?#]+[^?#/])?$")] = ""
    """Where callers reach the API, before the paths in its answers; paths alone when empty, and for links to files in
    folders what the request itself says (``Host``)."""
    authentication: Literal["keys", "none"] = "keys"
    """``none`` takes everybody for an administrator: for development on one machine only."""
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], BeforeValidator(split_commas)] = ()
    """Networks of proxies that are believed about who asks, and whether by HTTPS (``X-Forwarded-Proto``), with commas
    in between."""
    trusted_proxy_header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")] = "X-Forwarded-User"
    """Header in which such a proxy names the user; from anybody else it is dropped."""
    cors_origins: CommaList = ()
    """Origins of web pages that may use the API, with commas in between."""
    requests_per_second: Annotated[float, Field(ge=0)] = 100
    """Requests that a caller may send in a second; 0: no limit."""
    max_body_bytes: Annotated[int, Field(ge=1024)] = 1024 * 1024
    """Largest body of a request."""
    headers_seconds: Annotated[float, Field(gt=0)] = timing.HEADERS_SECONDS
    """The headers of a request must be there after so long."""
    body_seconds: Annotated[float, Field(gt=0)] = timing.BODY_SECONDS
    """A body must be there after so long."""
    task_keep_seconds: Annotated[int, Field(ge=2 * timing.TASK_LIMIT_SECONDS)] = timing.TASK_KEEP_SECONDS
    """Age at which the task store forgets a task that has ended."""
    events_most: Annotated[int, Field(ge=1)] = EVENTS_MAX
    """Events that the queue ``genpool.gateway.events`` holds, where its policy is not the operator's."""
    drain_seconds: Annotated[float, Field(ge=0)] = timing.GATEWAY_DRAIN_SECONDS
    """How long attempts in flight may go on after SIGTERM."""
