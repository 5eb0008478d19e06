"""Previews: pictures that ComfyUI sends as binary frames while a sampler works. Pure: bytes in, a picture out."""

from __future__ import annotations

from genpool_core.image_types import HEAD_BYTES, image_type
from genpool_worker.ports import Preview

#: A larger picture is dropped: ComfyUI's own have up to 512 pixels a side, as JPEG.
MOST_BYTES = 64 << 10
_WORD = 4
_IMAGE, _IMAGE_WITH_METADATA = 1, 4
#: By its first bytes, whatever the frame says: a node can send what it likes.
_TYPES = frozenset({"image/jpeg", "image/png"})


def read_preview(frame: bytes) -> Preview | None:
    """The picture in a binary frame: kind, then type of the image or length of the metadata (u32, big-endian)."""
    kind, second = (int.from_bytes(frame[at : at + _WORD]) for at in (0, _WORD))
    if kind not in {_IMAGE, _IMAGE_WITH_METADATA}:
        return None
    start = 2 * _WORD + (second if kind == _IMAGE_WITH_METADATA else 0)
    if len(frame) - start > MOST_BYTES:
        return None
    data = frame[start:]
    found = image_type(data[:HEAD_BYTES])
    return Preview(found, data) if found in _TYPES else None
