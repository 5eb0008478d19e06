"""The reasons in plain words for the web page, from ``genpool_core.reasons``."""

from __future__ import annotations

import json

from genpool_core.reasons import REASONS

_HEAD = """// Generated from core/genpool_core/reasons.py by `make generate`. Do not edit.
/** @type {Record<string, [string, string]>} */
export const reasons = {
"""


def module() -> str:
    """The JavaScript module: what happened and what to do, by reason."""
    lines = (
        f"  {name}: {json.dumps([reason.happened, reason.advice], ensure_ascii=False)},\n"
        for name, reason in REASONS.items()
    )
    return _HEAD + "".join(lines) + "};\n"
