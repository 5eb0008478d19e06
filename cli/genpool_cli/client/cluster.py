"""The way to a gateway on the cluster of the current kube-context: its API server forwards to the gateway's Service.

Nothing has to be forwarded by hand. It needs the right to list Services, to use ``services/proxy`` in the gateway's
namespace, and to read its Secret where no key is given.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

import requests

from genpool_adapters.kube.api import KubeApi
from genpool_adapters.kube.login import authorization, load_configuration
from genpool_cli.client.way import Way
from genpool_cli.errors import CliError
from genpool_core import names
from genpool_core.errors import ClusterError

_SELECTOR = f"{names.LABEL_PART_OF}=genpool,{names.LABEL_COMPONENT}=gateway"
_PORT = "api"


@dataclass(frozen=True)
class Found:
    """A gateway's Service."""

    namespace: str
    name: str


def on_cluster(key: str | None, namespace: str | None) -> Way:
    """The way to the one gateway of the cluster.

    Raises
    ------
    CliError
        There is no cluster, no gateway, more than one, or no key that we may read.
    """
    try:
        configuration = load_configuration()
        api = KubeApi(configuration, "genpool")
    except ClusterError as error:
        raise CliError(
            f"No gateway is named (--url, or GENPOOL_URL), and there is no cluster to look for one: {error.message}",
            reason="NoGateway",
        ) from error
    try:
        found = _the_one(_services(api, namespace))
        key = key or _first_key(api, found)
    except ClusterError as error:
        text = f"The cluster of the current context cannot be asked for its gateway: {error.message}"
        raise CliError(text, reason="NoGateway") from error
    finally:
        api.close()
    session = requests.Session()
    # Else a CA bundle of the environment would be believed instead of the cluster's own.
    session.trust_env = False
    if configuration.proxy:
        session.proxies = dict.fromkeys(("http", "https"), configuration.proxy)
    session.verify = configuration.ssl_ca_cert or configuration.verify_ssl
    if configuration.cert_file:
        session.cert = (configuration.cert_file, configuration.key_file)
    path = f"/api/v1/namespaces/{found.namespace}/services/{found.name}:{_PORT}/proxy"
    shown = f"Service {found.namespace}/{found.name} of the current kube-context"
    sent = key
    return Way(
        configuration.host.rstrip("/") + path,
        shown,
        session,
        lambda: {**authorization(configuration), "X-API-Key": sent},
    )


def _services(api: KubeApi, namespace: str | None) -> list[Found]:
    where = f"/namespaces/{namespace}" if namespace else ""
    return [
        Found(str(meta["namespace"]), str(meta["name"]))
        for item in api.list(f"/api/v1{where}/services", _SELECTOR)
        if isinstance(meta := item["metadata"], dict)
    ]


def _the_one(found: list[Found]) -> Found:
    if len(found) == 1:
        return found[0]
    if not found:
        text = (
            "The cluster of the current context has no gateway of GenPool: see `kubectl config current-context`, or "
            "name one by --url and --key."
        )
        raise CliError(text, reason="NoGateway")
    every = ", ".join(sorted({each.namespace for each in found}))
    text = f"The cluster has gateways in the namespaces {every}: say which by --gateway-namespace."
    raise CliError(text, reason="ManyGateways")


def _first_key(api: KubeApi, found: Found) -> str:
    """The key that was made at the install; it lies in a Secret of the Service's name."""
    path = f"/api/v1/namespaces/{found.namespace}/secrets/{found.name}"
    secret: dict[str, Any] = dict(api.get(path) or {})
    value = (secret.get("data") or {}).get(names.ADMIN_API_KEY)
    try:
        text = base64.b64decode(value or "", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        text = ""
    if not text:
        raise CliError(
            f"Secret {found.namespace}/{found.name} has no {names.ADMIN_API_KEY} yet: see the operator's log, or give "
            "a key (--key, or GENPOOL_API_KEY).",
            reason="NoKey",
        )
    return text
