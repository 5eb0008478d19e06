"""The OpenAPI document of the gateway's API, as a running gateway gives it at ``/openapi.json``."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import cast

from genpool_gateway.api.app import create_app
from genpool_gateway.api.services import ApiOptions, Services


def document_text() -> str:
    """The document. Its routes need no services as long as nobody asks them."""
    services = cast("Services", SimpleNamespace(options=ApiOptions()))
    return json.dumps(create_app(services).openapi(), indent=1, ensure_ascii=False) + "\n"
