"""Kubernetes quantities of bytes."""

from __future__ import annotations

import re
from decimal import Decimal

from genpool_core.errors import InvalidManifest

_UNITS = {
    "": 1,
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
}
_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?)(k|M|G|T|Ki|Mi|Gi|Ti)?")


def to_bytes(quantity: str) -> int:
    """Whole bytes of ``50Mi`` and the like.

    Raises
    ------
    InvalidManifest
        It is not a quantity of bytes.
    """
    match = _QUANTITY.fullmatch(quantity)
    if match is None:
        raise InvalidManifest(f"{quantity!r} is not a quantity of bytes: write for example 50Mi.")
    return int(Decimal(match.group(1)) * _UNITS[match.group(2) or ""])
