"""Where things lie inside a pool's pods: what the operator mounts and the worker expects."""

from __future__ import annotations

#: Name of ComfyUI's container.
COMFYUI_CONTAINER = "comfyui"
#: The init under which ComfyUI runs: a file of this name in the worker's image and on the volume of the init container.
INIT_NAME = "dumb-init"
#: The worker's folder on the scratch volume. ComfyUI mounts the others only.
OWN_FOLDER = "worker"
#: A volume that the worker writes and ComfyUI reads, and the file in it that asks for a restart of ComfyUI.
RESTART_FOLDER = "/run/genpool"
RESTART_PATH = f"{RESTART_FOLDER}/restart"
#: A volume with what the operator tells the worker by annotations of the pod, and its files.
POD_FOLDER = "/etc/genpool-pod"
IMAGE_DIGEST_FILE = "comfyui-image-digest"
#: Keys of the Secrets, and names of the files that the worker reads.
BROKER_USERNAME = "username"
BROKER_PASSWORD = "password"  # noqa: S105 - the name of a key
S3_ACCESS_KEY = "AWS_ACCESS_KEY_ID"
S3_SECRET_KEY = "AWS_SECRET_ACCESS_KEY"  # noqa: S105 - the name of a key
