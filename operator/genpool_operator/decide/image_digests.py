"""What ComfyUI's image was, written to its pod as an annotation: the worker reads it there for its end records."""

from __future__ import annotations

from collections.abc import Iterable

from genpool_operator.decide.pods import PodView


def image_digests(pods: Iterable[PodView]) -> dict[str, str]:
    """Digests to write, by pod name: of pods that go on and whose annotation does not tell what their node says."""
    return {
        pod.name: pod.image_digest
        for pod in pods
        if not (pod.terminating or pod.finished)
        and pod.image_digest is not None
        and pod.image_digest != pod.told_image_digest
    }
