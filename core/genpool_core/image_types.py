"""Which files ComfyUI can be given as images, told by how they begin. Pure.

Worker, gateway and intake go by this one table, so that what no worker takes is refused before it wakes a GPU. Whether
such a file is whole as well, the worker finds out: that needs all of it, and a decoder.
"""

from __future__ import annotations

import re

from genpool_core.errors import RefusedInput

#: Content type of each, by how it begins.
_BEGINNINGS = {
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/webp": re.compile(rb"RIFF.{4}WEBP", re.DOTALL),
    "image/gif": re.compile(rb"GIF8[79]a"),
    # A text may begin with BM; the three zeros belong to the second header's length, which is at most 124.
    "image/bmp": re.compile(rb"BM.{13}\0\0\0", re.DOTALL),
}
#: Bytes of a file that tell its type.
HEAD_BYTES = 18
#: Content types of the files that are known by their bytes.
IMAGE_TYPES = frozenset(_BEGINNINGS)
#: The same, for people.
IMAGE_NAMES = "PNG, JPEG, WebP, GIF or BMP"
#: Names that programs have for some of them.
_OTHER_NAMES = {"image/jpg", "image/pjpeg", "image/x-png", "image/x-bmp", "image/x-ms-bmp"}
#: Content types that a sender may give for one.
SENT_IMAGE_TYPES = IMAGE_TYPES | _OTHER_NAMES


def image_type(head: bytes) -> str | None:
    """Content type of a file that begins so, or None when it is no image of these. ``head``: ``HEAD_BYTES`` of it."""
    return next((name for name, begins in _BEGINNINGS.items() if begins.match(head)), None)


def require_image(what: str, head: bytes, *, parameter: str | None = None) -> str:
    """Content type of an image. ``what``: a name for the file, as the sender knows it.

    Raises
    ------
    RefusedInput
        It does not begin like one.
    """
    found = image_type(head)
    if found is None:
        raise RefusedInput(f"{what} is no image: send a {IMAGE_NAMES} file.", parameter=parameter)
    return found
