"""The worker's settings, from the environment. What is about the pool comes from its ConfigMap, not from here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator

from genpool_adapters.secret_files import read_secret
from genpool_adapters.settings import ProgramSettings
from genpool_core.podlayout import (
    BROKER_PASSWORD,
    BROKER_USERNAME,
    IMAGE_DIGEST_FILE,
    POD_FOLDER,
    RESTART_PATH,
)


class WorkerSettings(ProgramSettings):
    """What the operator gives each pod. In a pod secrets are files; by hand they may be variables."""

    config_dir: Path = Path("/etc/genpool")
    """Folder with ``pool.json`` and the workflow files: the pool's ConfigMap."""
    pod_name: Annotated[str, Field(min_length=1)]
    """Name of the pod; unique among the pool's workers."""
    broker_host: Annotated[str, Field(min_length=1)]
    """Host of RabbitMQ."""
    broker_port: Annotated[int, Field(ge=1, le=65_535)] = 5672
    """AMQP port."""
    broker_tls: bool = False
    """Speak TLS."""
    broker_ca_certificates: str = ""
    """Certificates (PEM) that signed the broker's, in place of the system's."""
    broker_vhost: str = "/"
    """Vhost of the pool."""
    broker_credentials_dir: Path | None = None
    """Folder with the files ``username`` and ``password`` of the pool's workers, read at each connection."""
    broker_username: Annotated[str, Field(min_length=1)] | None = None
    """User of the pool's workers, where there is no such folder."""
    broker_password: SecretStr | None = None
    """Its password."""
    s3_credentials_dir: Path | None = None
    """Folder with the files ``AWS_ACCESS_KEY_ID`` and ``AWS_SECRET_ACCESS_KEY``, read for each request. Without it
    boto3 looks for keys itself: in variables of these names, in its files, in the pod's identity."""
    comfyui_url: Annotated[str, Field(pattern=r"^http://[^/?#@]+$")] = "http://127.0.0.1:8188"
    """ComfyUI's address."""
    scratch_dir: Path = Path("/scratch")
    """Folder with ``input``, ``output`` and ``temp``, shared with ComfyUI, and the worker's own ``worker``."""
    restart_file: Path = Path(RESTART_PATH)
    """Written when ComfyUI is wedged; its liveness probe reads it. ComfyUI's container can only read its volume."""
    image_digest_file: Path = Path(POD_FOLDER, IMAGE_DIGEST_FILE)
    """Holds the digest of ComfyUI's image once the operator has told it."""

    @model_validator(mode="after")
    def _a_login(self) -> Self:
        if self.broker_credentials_dir is None and (
            self.broker_username is None or self.broker_password is None
        ):
            raise ValueError(
                "a login for RabbitMQ is missing: set GENPOOL_BROKER_CREDENTIALS_DIR, "
                "or GENPOOL_BROKER_USERNAME and GENPOOL_BROKER_PASSWORD"
            )
        return self

    def broker_login(self) -> tuple[str, str]:
        """User and password for RabbitMQ of this moment.

        Raises
        ------
        SettingsError
            A file of ``broker_credentials_dir`` is missing or empty.
        """
        if self.broker_credentials_dir is None:
            password = self.broker_password.get_secret_value() if self.broker_password else ""
            return self.broker_username or "", password
        username, password = read_secret(
            self.broker_credentials_dir, BROKER_USERNAME, BROKER_PASSWORD, whose="the workers' RabbitMQ user"
        )
        return username, password
