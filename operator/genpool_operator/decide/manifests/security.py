"""The security context of both containers."""

from __future__ import annotations

from genpool_core.jsontypes import JsonObject

CONTAINER_SECURITY: JsonObject = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
}
