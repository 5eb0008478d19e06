"""Names of what the stack installs, on the cluster and in the store. Pure."""

from __future__ import annotations

RELEASE = "genpool"
SYSTEM_NAMESPACE = "genpool-system"
BROKER = "default"
BROKER_SECRET = "genpool-broker-admin"  # noqa: S105 - the name of a Secret
#: The Secret with the bucket's keys for the gateway.
STORE_SECRET = "genpool-store"  # noqa: S105 - the name of a Secret
#: Service, Secret and claim of the gateway, as the chart names them.
GATEWAY = f"{RELEASE}-gateway"
GATEWAY_CLAIM = GATEWAY
#: The namespace, the Secret and the bucket that the example pools name.
POOL_NAMESPACE = "genpool-demo"
STORAGE_SECRET = "s3-credentials"  # noqa: S105 - the name of a Secret
BUCKET = "genpool"
#: On what the stack makes, and on its Helm release: what carries it may be taken over and deleted.
MARK = "genpool.dev/made-by"
MARK_VALUE = "genpool-dev-stack"
#: On the namespaces of the e2e tests, so that a later run finds what a killed one left.
SCENE = "genpool.dev/e2e"
#: Kubernetes refuses every pod in a namespace with this that does not fit the strictest Pod Security Standard: what
#: runs in demo and tests runs in a cluster that is as strict as that.
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
