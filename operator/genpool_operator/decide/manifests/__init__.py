"""The Kubernetes objects of a pool, each from one pure builder."""

from genpool_operator.decide.manifests.config_map import build_config_map
from genpool_operator.decide.manifests.deployment import build_deployment, build_initial_deployment
from genpool_operator.decide.manifests.pod import PodDefaults
from genpool_operator.decide.manifests.secret import build_callback_secret, build_worker_login

__all__ = [
    "PodDefaults",
    "build_callback_secret",
    "build_config_map",
    "build_deployment",
    "build_initial_deployment",
    "build_worker_login",
]
