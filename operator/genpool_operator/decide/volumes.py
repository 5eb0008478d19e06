"""Which volumes a pool may mount: its author may have fewer rights in the cluster than the operator's pods get."""

from __future__ import annotations

from collections.abc import Collection

from genpool_core.api.pool import GenerationPool
from genpool_core.errors import InvalidManifest

#: Sources of volumes that reach nothing beyond the pool's namespace: no file of a node (``hostPath``), no Secret.
USUAL_VOLUMES = ("persistentVolumeClaim", "ephemeral", "emptyDir", "image")


def check_volumes(pool: GenerationPool, allowed: Collection[str]) -> None:
    """Whether the platform allows the sources of the pool's volumes; ``allowed``: names of sources, as in a Pod.

    Raises
    ------
    InvalidManifest
        It does not; the message names the source and what is allowed.
    """
    models = pool.spec.comfyui.models
    if models is None:
        return
    refused = sorted(set(models.volume) - set(allowed))
    if refused:
        instead = (
            f"use one of {', '.join(sorted(allowed))}, or "
            if allowed
            else "put the models into the image, or "
        )
        raise InvalidManifest(
            f"spec.comfyui.models.volume is a {', '.join(refused)}, which the platform does not allow: {instead}"
            "have it added to operator.allowedVolumes of the chart.",
            reason="VolumeNotAllowed",
        )
