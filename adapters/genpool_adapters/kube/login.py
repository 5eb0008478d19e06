"""The way to the API server, as the Kubernetes client's loaders find it: address, certificates, proxy and token.

Of that package only the loaders and ``Configuration`` are used. Its ``ApiClient`` has no way to send raw JSON that is
the same in each release (``call_api`` takes other arguments since 36), so the connections are urllib3's own.
"""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import urllib3
from kubernetes import config
from kubernetes.client import Configuration
from requests.utils import should_bypass_proxies
from urllib3.exceptions import ProxySchemeUnknown

from genpool_core.errors import ClusterError

_TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


def in_cluster() -> bool:
    """Whether to log in as a pod does. A KUBECONFIG in the environment is somebody's wish and goes first."""
    return not os.environ.get("KUBECONFIG") and _TOKEN.exists()


def load_configuration() -> Configuration:
    """Address and login of the API server, from the pod or from a kubeconfig file.

    Raises
    ------
    ClusterError
        There is no way to log in.
    """
    configuration = Configuration()
    try:
        if in_cluster():
            config.load_incluster_config(client_configuration=configuration)
        else:
            config.load_kube_config(
                config_file=os.environ.get("KUBECONFIG") or None, client_configuration=configuration
            )
    except config.ConfigException as error:
        raise ClusterError(
            f"no way to log in to Kubernetes ({error}): run in a pod, or point KUBECONFIG to a file.",
            status=0,
        ) from error
    return configuration


def authorization(configuration: Configuration) -> dict[str, str]:
    """The header with the token, empty where a certificate is the login.

    Asked for each request: the loader's hook reads a pod's token again, which changes every hour, and runs the plugin
    of a kubeconfig again when what it gave expires.

    Raises
    ------
    ClusterError
        The token could not be renewed.
    """
    try:
        # Which of the two names the loaders use depends on the release of their package.
        found = map(configuration.get_api_key_with_prefix, ("BearerToken", "authorization"))
        token = next(filter(None, found), None)
    except (config.ConfigException, OSError) as error:
        raise ClusterError(f"the login to Kubernetes could not be renewed: {error}", status=0) from error
    return {"Authorization": token} if token else {}


def open_pool(configuration: Configuration) -> urllib3.PoolManager:
    """Connections to the API server, directly or through the configuration's proxy.

    Raises
    ------
    ClusterError
        The proxy speaks a protocol that is not supported.
    """
    options = {
        "maxsize": configuration.connection_pool_maxsize,
        "cert_reqs": ssl.CERT_REQUIRED if configuration.verify_ssl else ssl.CERT_NONE,
        "ca_certs": configuration.ssl_ca_cert,
        "cert_file": configuration.cert_file,
        "key_file": configuration.key_file,
        "server_hostname": configuration.tls_server_name,
    }
    if not configuration.proxy or should_bypass_proxies(configuration.host, configuration.no_proxy):
        return urllib3.PoolManager(**options)
    try:
        return urllib3.ProxyManager(configuration.proxy, **options)
    except ProxySchemeUnknown as error:
        raise ClusterError("the proxy to Kubernetes must be an http or https URL.", status=0) from error
