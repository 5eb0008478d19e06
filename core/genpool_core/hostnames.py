"""What can stand as a host in a URL, and whether it is this machine.

A name that no resolver takes is a fault of the URL, not of the network.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata

_MAX_NAME = 253
_MAX_LABEL = 63
#: The underscore is in no host name by the book, and in some that answer.
_ASCII_LABEL = re.compile(r"[a-z0-9_-]+")
#: A part of an IPv4 address in one of inet_aton's spellings: decimal, octal, hexadecimal.
_NUMBER = re.compile(r"(?P<octal>0[0-7]*)|(?P<decimal>[1-9][0-9]*)|0x(?P<hex>[0-9a-f]+)")
_BASES = {"octal": 8, "decimal": 10, "hex": 16}
_MAX_PARTS = 4
#: Letters, marks and digits of any script (Unicode's categories).
_WORD = frozenset("LMN")


def is_loopback(host: str) -> bool:
    """Whether a host, without brackets and port, is the machine that asks."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_fault(host: str) -> str | None:
    """What is wrong with a host of a URL, without brackets and in lower case; None where nothing is."""
    if ":" in host:
        return _address_fault(host)
    name = host.removesuffix(".")
    labels = name.split(".")
    if "" in labels:
        return "a part of it is empty"
    if name.isascii():
        bad = [label for label in labels if not _ASCII_LABEL.fullmatch(label)]
    else:
        bad = [label for label in labels if not _is_word(label)]
    if bad:
        return "it holds a character that no host name has"
    if labels[-1].isdigit() or _NUMBER.fullmatch(labels[-1]):
        return None if _is_ipv4(labels) else "it is neither a name nor an IP address"
    return _length_fault(name)


def _address_fault(host: str) -> str | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "it is neither a name nor an IP address"
    zone = isinstance(address, ipaddress.IPv6Address) and address.scope_id is not None
    return "an address with a zone is of one machine only" if zone else None


def _is_ipv4(labels: list[str]) -> bool:
    """Whether a resolver takes this for an address without asking anybody: ``127.1`` and ``0x7f000001`` too.

    The last part stands for all bytes that the others leave. Where it leads is for the address rules to judge.
    """
    numbers = []
    for label in labels:
        found = _NUMBER.fullmatch(label)
        if found is None or found.lastgroup is None:
            return False
        numbers.append(int(found[found.lastgroup], _BASES[found.lastgroup]))
    *first, last = numbers
    return (
        len(first) < _MAX_PARTS
        and all(part < 1 << 8 for part in first)
        and last < 1 << 8 * (_MAX_PARTS - len(first))
    )


def _is_word(label: str) -> bool:
    """Whether a label outside ASCII can be a name; what only looks like another character cannot (IDNA)."""
    return unicodedata.normalize("NFKC", label) == label and all(
        char in "-_" or unicodedata.category(char)[0] in _WORD for char in label
    )


def _length_fault(name: str) -> str | None:
    try:
        encoded = name if name.isascii() else name.encode("idna").decode("ascii")
    except UnicodeError:
        return "it is no international host name, or a part of it is too long"
    if len(encoded) > _MAX_NAME:
        return f"it is longer than {_MAX_NAME} characters"
    if any(len(label) > _MAX_LABEL for label in encoded.split(".")):
        return f"a part of it is longer than {_MAX_LABEL} characters"
    return None
