"""A ComfyUI graph that was sent as text.

Clients that keep workflows as text send them as a JSON string in ``prompt``. Taken for a prompt, ComfyUI would paint
the words. Texts that begin with a brace and are no graph stay texts: ``{red|blue} car`` is how people write choices.
"""

from __future__ import annotations

import re

from genpool_core.errors import InvalidTask
from genpool_core.jsontypes import JsonObject, JsonValue
from genpool_core.strict_json import JsonFault, read_json

#: Some clients turn a text into JSON that was JSON already.
_MAX_WRAPS = 3
_BEGINS = ("{", "[", '"', "'")
#: Names of ComfyUI's two formats, in any quotes, escaped or not.
_NAMES = re.compile(r"""\\*["'](class_type|last_node_id|lastNodeId)\\*["']\s*:""")


def graph_in_text(name: str, text: str) -> JsonObject | None:
    """The graph that a text is; None for a text.

    Raises
    ------
    InvalidTask
        It is meant as a graph and is no JSON, or no object of nodes.
    """
    if not text.lstrip("\ufeff \t\r\n").startswith(_BEGINS) or not _NAMES.search(text):
        return None
    value: JsonValue = text
    try:
        for _ in range(_MAX_WRAPS):
            if not isinstance(value, str):
                break
            value = read_json(value.strip())
    except JsonFault as fault:
        raise InvalidTask(
            f"{name} is text that looks like a ComfyUI workflow, and {fault.what}. Send the workflow itself as a JSON "
            "object, exported with Export (API).",
            parameter=name,
        ) from None
    if not isinstance(value, dict):
        raise InvalidTask(
            f"{name} is text that looks like a ComfyUI workflow, and is no object of nodes. Send the workflow itself "
            "as a JSON object, exported with Export (API).",
            parameter=name,
        )
    return value
