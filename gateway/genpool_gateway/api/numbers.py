"""Numbers of a query, as they are written everywhere."""

from __future__ import annotations

import re

from pydantic import BeforeValidator

_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")


def _plain(sent: object) -> object:
    if isinstance(sent, str) and not _NUMBER.fullmatch(sent):
        raise ValueError("send a number of digits")
    return sent


#: Python reads ``1_0``, ``1e1`` and `` 10 `` as ten; nobody else reads all of them so, and a client that sends one of
#: them has meant something else.
Plain = BeforeValidator(_plain)
