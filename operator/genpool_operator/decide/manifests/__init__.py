"""The Kubernetes objects of a pool, each from one pure builder."""

from genpool_operator.decide.manifests.config_map import build_config_map
from genpool_operator.decide.manifests.deployment import build_deployment, build_initial_deployment
from genpool_operator.decide.manifests.pod import PodDefaults
from genpool_operator.decide.manifests.secret import build_secret

__all__ = ["PodDefaults", "build_config_map", "build_deployment", "build_initial_deployment", "build_secret"]
