"""Settings of the cluster, by environment variable."""

from __future__ import annotations

import os
import re
from ipaddress import IPv4Network
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from genpool_core.validation import first_fault
from genpool_dev.cluster.errors import ClusterError

ProviderName = Literal["local", "kind", "current"]

PREFIX_BITS = 16


class ClusterSettings(BaseSettings):
    """What can be set, each as ``GENPOOL_DEV_<NAME>``; ``PROVIDER`` goes without the prefix too."""

    model_config = SettingsConfigDict(
        env_prefix="GENPOOL_DEV_", frozen=True, extra="ignore", populate_by_name=True
    )

    provider: ProviderName | None = Field(
        default=None, validation_alias=AliasChoices("PROVIDER", "GENPOOL_DEV_PROVIDER")
    )
    """Which cluster: ``local``, ``kind`` or ``current``; chosen by what the machine has if unset."""
    netns: str = "genpool"
    """Network namespace of the local cluster; also the name of its link and control group."""
    subnet: IPv4Network = IPv4Network("10.213.0.0/16")
    """A /16 that nothing else on this machine uses; the local cluster lives in it."""
    state: Path | None = None
    """Folder of logs, data and kubeconfig; /var/lib/genpool-dev for the local cluster."""
    gpus: int = Field(default=8, ge=0)
    """How many ``nvidia.com/gpu`` the node says it has, without having any."""
    registry: str | None = None
    """For ``current``: a registry that both this machine and the cluster reach, to push images to."""
    registry_insecure: bool = False
    """That registry speaks plain HTTP, where buildah pushes; for Docker it is a setting of the engine."""
    kind_image: str | None = None
    """For ``kind``: the node image, where kind's own cannot be pulled or is another Kubernetes than wanted."""
    host: str | None = None
    """For ``kind`` and ``current``: the address by which pods reach this machine."""

    @field_validator("netns")
    @classmethod
    def _fits_a_link(cls, value: str) -> str:
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,9}", value):
            raise ValueError("must be at most 10 small letters, digits and hyphens, a letter first")
        return value

    @field_validator("subnet")
    @classmethod
    def _is_a_16(cls, value: IPv4Network) -> IPv4Network:
        if value.prefixlen != PREFIX_BITS:
            raise ValueError(f"must be a /{PREFIX_BITS}, such as 10.213.0.0/16")
        return value


class ClusterRef(BaseModel):
    """Which cluster is meant: enough to find it again, whatever the environment says by then."""

    model_config = ConfigDict(frozen=True)

    provider: ProviderName
    netns: str
    subnet: IPv4Network
    state: Path

    @classmethod
    def of(cls, settings: ClusterSettings, provider: ProviderName) -> ClusterRef:
        """Return the cluster of a provider under the given settings."""
        return cls(
            provider=provider,
            netns=settings.netns,
            subnet=settings.subnet,
            state=state_home(settings, provider),
        )

    def settings(self) -> ClusterSettings:
        """Return the settings of the environment, with this cluster in them."""
        return load().model_copy(update=dict(self))


def load() -> ClusterSettings:
    """Read the settings from the environment; a :class:`ClusterError` says which one is wrong."""
    try:
        return ClusterSettings()
    except ValidationError as error:
        raise ClusterError(f"{first_fault(error, named=_described)}.") from None


def _described(path: str) -> str:
    """What a field is to its reader. A field with aliases comes as one of them: ``PROVIDER``."""
    name = path.upper()
    variable = name if name.startswith(("PROVIDER", "GENPOOL_DEV_")) else f"GENPOOL_DEV_{name}"
    return f"The environment variable {variable} is wrong"


def cache_home() -> Path:
    """Return the folder of everything that is built once and kept: binaries, images.

    Under sudo it is the machine's: who called must reach kubectl in it, and root's home is closed.
    """
    base = os.environ.get("XDG_CACHE_HOME")
    if not base and os.geteuid() == 0 and os.environ.get("SUDO_UID"):
        return Path("/var/cache/genpool")
    return (Path(base) if base else Path.home() / ".cache") / "genpool"


def state_home(settings: ClusterSettings, provider: ProviderName) -> Path:
    """Return the folder of the running cluster; absolute."""
    if settings.state is not None:
        return settings.state.absolute()
    if provider == "local":
        suffix = "" if settings.netns == "genpool" else f"-{settings.netns}"
        return Path(f"/var/lib/genpool-dev{suffix}")
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / f"genpool-dev-{provider}"
