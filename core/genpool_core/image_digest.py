"""What an image was: the digest in its reference, or in what a node says of a container (``imageID``)."""

from __future__ import annotations

import re

_DIGEST = re.compile(r"(?:^|@)(sha256:[0-9a-f]{64})$")


def digest_in(text: str | None) -> str | None:
    """The digest at the end of a reference (``name@sha256:…``), or alone; None where there is none."""
    found = _DIGEST.search((text or "").strip())
    return None if found is None else found[1]
