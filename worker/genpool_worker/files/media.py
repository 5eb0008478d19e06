"""What a file is, by its own bytes: type, size in pixels, and whether its end is there. Pure, no imaging library.

The header says what it is, the tail whether it is whole: a disk that ran full, or a connection that broke, leaves a
good header.
"""

from __future__ import annotations

import io
import mimetypes
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

_PNG = b"\x89PNG\r\n\x1a\n"
_CHUNK_LIMIT = 1 << 31
#: Media types whose files are recognised by their bytes.
KNOWN_TYPES = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp"})
#: Start-of-frame markers of JPEG; the others in this range are tables and arithmetic coding conditions.
_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
#: Any number of these may stand before a marker.
_FILL = 0xFF
_GIF_END, _GIF_EXTENSION, _GIF_IMAGE = 0x3B, 0x21, 0x2C
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})


class BrokenMedia(ValueError):  # noqa: N818 - named for what was found
    """A file whose header says one thing and whose bytes another."""


@dataclass(frozen=True)
class Media:
    """What a file is. ``width`` and ``height`` are pixels; None for what is no image that we can read."""

    content_type: str
    suffix: str
    width: int | None = None
    height: int | None = None


def inspect(file: BinaryIO) -> Media | None:
    """What a file is by its bytes, or None when it is none of the image formats that are known here.

    Raises
    ------
    BrokenMedia
        It begins like an image and is not a whole one.
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    head = file.read(32)
    for matches, read in _FORMATS:
        if matches(head):
            file.seek(0)
            try:
                return read(file, size)
            except (struct.error, IndexError):
                raise BrokenMedia("the file is cut off") from None
    return None


def by_name(filename: str) -> Media:
    """What a file that is no known image is, by the end of its name."""
    guessed, _ = mimetypes.guess_type(filename)
    suffix = "." + filename.rsplit(".", 1)[-1] if "." in filename else ""
    return Media(guessed or "application/octet-stream", suffix)


def _png(file: BinaryIO, _size: int) -> Media:
    file.seek(len(_PNG))
    width = height = 0
    while True:
        length, kind = struct.unpack(">I4s", file.read(8))
        if length >= _CHUNK_LIMIT:
            raise BrokenMedia("a PNG with an impossible chunk")
        data = file.read(length)
        (expected,) = struct.unpack(">I", file.read(4))
        if zlib.crc32(data, zlib.crc32(kind)) != expected:
            raise BrokenMedia("a PNG with a wrong checksum")
        if kind == b"IHDR":
            width, height = struct.unpack(">II", data[:8])
        if kind == b"IEND":
            return _sized("image/png", ".png", width, height)


def _jpeg(file: BinaryIO, size: int) -> Media:
    file.seek(2)
    width = height = 0
    while not width:
        marker = _next_marker(file)
        if marker in _STANDALONE:
            continue
        if marker in {0xD9, 0xDA}:
            raise BrokenMedia("a JPEG without a frame")
        (length,) = struct.unpack(">H", file.read(2))
        data = file.read(length - 2)
        if marker in _SOF:
            height, width = struct.unpack(">HH", data[1:5])
    # Some cameras pad after the end; its marker must be near the tail all the same.
    file.seek(max(0, size - 4096))
    if b"\xff\xd9" not in file.read():
        raise BrokenMedia("a JPEG whose end is missing")
    return _sized("image/jpeg", ".jpg", width, height)


def _next_marker(file: BinaryIO) -> int:
    if file.read(1) != b"\xff":
        raise BrokenMedia("a JPEG with a broken segment")
    marker = _FILL
    while marker == _FILL:
        marker = file.read(1)[0]
    return marker


def _webp(file: BinaryIO, size: int) -> Media:
    head = file.read(30)
    (length,) = struct.unpack("<I", head[4:8])
    if length + 8 > size:
        raise BrokenMedia("a WebP whose end is missing")
    kind = head[12:16]
    if kind == b"VP8X":
        width = int.from_bytes(head[24:27], "little") + 1
        height = int.from_bytes(head[27:30], "little") + 1
    elif kind == b"VP8L":
        (bits,) = struct.unpack("<I", head[21:25])
        width, height = (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
    elif kind == b"VP8 ":
        width, height = (value & 0x3FFF for value in struct.unpack("<HH", head[26:30]))
    else:
        raise BrokenMedia("a WebP of an unknown kind")
    return _sized("image/webp", ".webp", width, height)


def _gif(file: BinaryIO, _size: int) -> Media:
    width, height, flags = struct.unpack("<HHB", file.read(11)[6:11])
    file.seek(2, io.SEEK_CUR)
    _skip_palette(file, flags)
    while (block := file.read(1)[0]) != _GIF_END:
        if block == _GIF_EXTENSION:
            file.seek(1, io.SEEK_CUR)
        elif block == _GIF_IMAGE:
            _skip_palette(file, file.read(9)[8])
            file.seek(1, io.SEEK_CUR)
        else:
            raise BrokenMedia("a GIF with a broken block")
        while length := file.read(1)[0]:
            file.seek(length, io.SEEK_CUR)
    return _sized("image/gif", ".gif", width, height)


def _skip_palette(file: BinaryIO, flags: int) -> None:
    """A colour table follows a descriptor whose highest flag is set; the lowest three bits are its size."""
    if flags & 0x80:
        file.seek(3 << ((flags & 7) + 1), io.SEEK_CUR)


def _bmp(file: BinaryIO, size: int) -> Media:
    head = file.read(26)
    (length,) = struct.unpack("<I", head[2:6])
    width, height = struct.unpack("<ii", head[18:26])
    if length > size:
        raise BrokenMedia("a BMP whose end is missing")
    return _sized("image/bmp", ".bmp", width, abs(height))


def _sized(content_type: str, suffix: str, width: int, height: int) -> Media:
    if width <= 0 or height <= 0:
        raise BrokenMedia(f"an {content_type.removeprefix('image/').upper()} image without a size")
    return Media(content_type, suffix, width, height)


_FORMATS: tuple[tuple[Callable[[bytes], bool], Callable[[BinaryIO, int], Media]], ...] = (
    (lambda head: head.startswith(_PNG), _png),
    (lambda head: head.startswith(b"\xff\xd8\xff"), _jpeg),
    (lambda head: head.startswith(b"RIFF") and head[8:12] == b"WEBP", _webp),
    (lambda head: head.startswith((b"GIF87a", b"GIF89a")), _gif),
    (lambda head: head.startswith(b"BM") and len(head) >= 26, _bmp),  # noqa: PLR2004 - the header's length
)
