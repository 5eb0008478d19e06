"""``spec.comfyui``, ``spec.worker`` and ``spec.template``: what runs in a pod."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from genpool_core import timing
from genpool_core.api.base import ApiModel, NameRef, PodFields, ResourceFields

PullPolicy = Literal["Always", "IfNotPresent", "Never"]
Args = Annotated[list[str], Field(max_length=64)]
EnvList = Annotated[list[PodFields], Field(max_length=64)]


class ProbeSpec(ApiModel):
    """How ComfyUI's health is asked: ``GET /system_stats`` from inside its container."""

    python: Annotated[str, Field(min_length=1, max_length=253)] = "python3"
    """The Python of the image; the probe runs a line of it, because ComfyUI listens on loopback only."""
    startup_seconds: Annotated[int, Field(ge=10, le=7200)] = timing.STARTUP_SECONDS
    """How long ComfyUI may take to start (models load later, with the first task)."""
    period_seconds: Annotated[int, Field(ge=1, le=300)] = timing.PROBE_PERIOD_SECONDS
    """Seconds between two questions to a ComfyUI that does not answer."""
    timeout_seconds: Annotated[int, Field(ge=1, le=300)] = timing.PROBE_TIMEOUT_SECONDS
    """Seconds that one question waits for its answer. Under 5 it flaps while a heavy node runs."""
    failure_threshold: Annotated[int, Field(ge=1, le=100)] = timing.PROBE_FAILURES
    """Questions in a row without an answer after which ComfyUI is restarted."""


class ModelsSpec(ApiModel):
    """Where the models are."""

    volume: PodFields
    """A volume source as in a Pod, for example ``{persistentVolumeClaim: {claimName: models}}``, of a kind that the
    platform allows (``operator.allowedVolumes`` of the chart)."""
    mount_path: Annotated[str, Field(min_length=1, max_length=253)] = "/comfyui/models"
    """Where ComfyUI expects them."""
    read_only: bool = True
    """Mount the models read-only."""


class ComfyUISpec(ApiModel):
    """The ComfyUI container: your image, with the custom nodes that your workflows need."""

    image: Annotated[str, Field(min_length=1, max_length=500)]
    """Image with ComfyUI."""
    image_pull_policy: PullPolicy | None = None
    """As in a Pod."""
    command: Args = ["python3", "main.py"]
    """Starts ComfyUI, under an init that the operator puts before it, so that a pod without a task goes at once.

    The operator appends the arguments for address, port and folders. When empty, the image's ENTRYPOINT starts ComfyUI.
    """
    args: Args = []
    """Further arguments, before those that the operator appends."""
    env: EnvList = []
    """Environment variables as in a Pod.

    Unless set here, HOME, USER, LOGNAME and the places of caches are on the scratch volume, for images of root's.
    """
    resources: ResourceFields | None = None
    """Resources as in a Pod. ``limits: {nvidia.com/gpu: 1}`` when absent."""
    models: ModelsSpec | None = None
    """Volume with the models, when they are not in the image."""
    scratch_size: Annotated[
        str, Field(pattern=r"^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|k|M|G|T)?$", max_length=32)
    ] = "10Gi"
    """Size limit of the volume for ComfyUI's input, output and temp folders."""
    probe: ProbeSpec = ProbeSpec()
    """Start-up and liveness."""


class WorkerSpec(ApiModel):
    """The worker container."""

    image: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    """Image of the worker; the operator's own release when absent."""
    image_pull_policy: PullPolicy | None = None
    """As in a Pod."""
    env: EnvList = []
    """Environment variables as in a Pod."""
    resources: ResourceFields | None = None
    """Resources as in a Pod. Requests of 100m CPU and 256Mi memory when absent."""
    previews: bool = False
    """Have ComfyUI draw small pictures of what it works on, at most two a second for those who watch a task.

    ComfyUI releases before December 2025 draw them only with ``--preview-method auto`` among ``comfyui.args``.
    """


class TemplateMetadata(ApiModel):
    """Labels and annotations of the pods."""

    labels: Annotated[dict[str, str], Field(max_length=32)] = {}
    """Added to the pods; the operator's own labels win."""
    annotations: Annotated[dict[str, str], Field(max_length=32)] = {}
    """Added to the pods; the operator's own annotations win."""


class TemplateSpec(ApiModel):
    """Fields of the pods. What is not listed here belongs to the operator."""

    metadata: TemplateMetadata = TemplateMetadata()
    """Labels and annotations."""
    node_selector: Annotated[dict[str, str], Field(max_length=32)] = {}
    """As in a Pod."""
    tolerations: Annotated[list[PodFields], Field(max_length=32)] = []
    """As in a Pod."""
    affinity: PodFields | None = None
    """As in a Pod."""
    priority_class_name: Annotated[str, Field(max_length=253)] | None = None
    """As in a Pod."""
    runtime_class_name: Annotated[str, Field(max_length=253)] | None = None
    """As in a Pod."""
    service_account_name: Annotated[str, Field(max_length=253)] | None = None
    """As in a Pod; no token of it is mounted."""
    image_pull_secrets: Annotated[list[NameRef], Field(max_length=16)] = []
    """As in a Pod."""
    security_context: PodFields | None = None
    """As a Pod's ``securityContext``.

    When absent, one that fits the Pod Security Standard *restricted*: ``{runAsNonRoot: true, runAsUser: 10001,
    fsGroup: 10001, seccompProfile: {type: RuntimeDefault}}``. An empty one leaves the users to the images or to the
    platform, as OpenShift wants it; ComfyUI and worker then need one user, or one group by ``fsGroup``, for the files
    that they share.
    """
    termination_grace_period_seconds: (
        Annotated[int, Field(ge=timing.SHORTEST_GRACE_SECONDS, le=172_800)] | None
    ) = None
    """Longest time that a pod may take to finish or hand back its task.

    A tenth of it, 15 to 30 seconds, is kept for handing back. The longest time-out of a workflow plus 2 minutes, at
    least 600, when absent.
    """
