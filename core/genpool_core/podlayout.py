"""Where things lie inside a pool's pods: what the operator mounts and the worker expects."""

from __future__ import annotations

#: The init under which ComfyUI runs: a file of this name in the worker's image and on the volume of the init container.
INIT_NAME = "dumb-init"
