"""Where the gateway takes its pools from, put together."""

from __future__ import annotations

from genpool_adapters.kube.api import KubeApi
from genpool_adapters.kube.login import load_configuration
from genpool_adapters.settings import variable
from genpool_core.errors import ClusterError, SettingsError
from genpool_gateway.adapters.file_pools import FilePools
from genpool_gateway.adapters.kube_pools import KubePools
from genpool_gateway.pools.source import PoolSource
from genpool_gateway.settings import GatewaySettings


def build_pool_source(settings: GatewaySettings) -> PoolSource:
    """Files where they are set, else Kubernetes. Connects to nothing.

    Raises
    ------
    SettingsError
        There is no way to log in to Kubernetes.
    """
    if settings.pools_file is not None:
        return FilePools(settings.pools_file, settings.builtin_workflows)
    try:
        api = KubeApi(load_configuration(), "genpool-gateway")
    except ClusterError as error:
        raise SettingsError(
            f"{error.message} Or set {variable('pools_file')} to a file with GenerationPools."
        ) from error
    return KubePools(api, settings.namespaces)
