"""Where the task store is."""

from __future__ import annotations

from genpool_adapters.secret_files import read_secret
from genpool_gateway.settings import GatewaySettings


def database_url(settings: GatewaySettings) -> str:
    """The task store's URL; raises SettingsError where its file cannot be read."""
    file = settings.database_url_file
    if file is None:
        return settings.database_url
    (url,) = read_secret(file.parent, file.name, whose="the task store's URL", reason="DatabaseUrlMissing")
    return url
