"""One JSON text for equal values, so that equal tasks have equal hashes."""

from __future__ import annotations

import hashlib
import json

from genpool_core.jsontypes import JsonValue


def canonical_json(value: JsonValue) -> bytes:
    """UTF-8 JSON with sorted keys and no white space; equal values give equal bytes."""
    return json.dumps(
        value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    ).encode("utf-8", errors="surrogatepass")


def digest(*parts: bytes) -> str:
    """SHA-256 over length-prefixed parts, as 64 hexadecimal characters; no two lists of parts collide by joining."""
    sha = hashlib.sha256()
    for part in parts:
        sha.update(len(part).to_bytes(8, "big"))
        sha.update(part)
    return sha.hexdigest()
