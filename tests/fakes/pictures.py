"""Real files of all formats that the worker knows, made by Pillow, and hand-made pieces of such files."""

from __future__ import annotations

import io
import random
import struct
import zlib
from typing import Any

from PIL import Image

#: Rows of no format need padding at this width, so each byte of each file counts.
SIZE = (64, 41)


def noise(size: tuple[int, int], seed: int = 0) -> Image.Image:
    """A grey picture of which no format makes a small file, the same in each run."""
    width, height = size
    return Image.frombytes("L", size, random.Random(seed).randbytes(width * height))  # noqa: S311


def picture(kind: str, mode: str = "RGB", size: tuple[int, int] = SIZE, **options: Any) -> bytes:  # noqa: ANN401
    """A file of one picture; ``options`` as Pillow's writers take them."""
    file = io.BytesIO()
    noise(size).convert(mode).save(file, kind, **options)
    return file.getvalue()


def animation(kind: str, **options: Any) -> bytes:  # noqa: ANN401
    """A file of five pictures."""
    others = [noise(SIZE, seed) for seed in range(1, 5)]
    return picture(kind, save_all=True, append_images=others, **options)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(data, zlib.crc32(kind))
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def packed(kind: bytes, length: int) -> bytes:
    """A chunk of compressed text (``zTXt``) or of a colour profile (``iCCP``), ``length`` bytes once unpacked."""
    return png_chunk(kind, b"name\0\0" + zlib.compress(bytes(length)))


def png_of(width: int, height: int, *between: bytes) -> bytes:
    """A PNG whose header claims a size, with other chunks before the pixels of the first row, and no more pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(1 + min(width, 1000)))
    chunks = [png_chunk(b"IHDR", header), *between, png_chunk(b"IDAT", pixels), png_chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def jpeg_of(width: int, height: int, *, more: bytes = b"", progressive: bool = False) -> bytes:
    """A JPEG whose header claims a size, with the pixels of a small one; ``more`` stands before its end."""
    data = bytearray(picture("JPEG", size=(64, 64), progressive=progressive))
    header = data.index(b"\xff\xc2" if progressive else b"\xff\xc0")
    data[header + 5 : header + 9] = struct.pack(">HH", height, width)
    return bytes(data[:-2]) + more + b"\xff\xd9"


def bmp_of(width: int, height: int, *, skips: int = 0) -> bytes:
    """A compressed BMP whose header claims a size, without a pixel; each skip leaves out 255 rows."""
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, 2, 0, 0, 256, 0)
    palette = bytes(range(256)) * 4
    start = 14 + len(header) + len(palette)
    return (
        b"BM"
        + struct.pack("<IHHI", start + 2, 0, 0, start)
        + header
        + palette
        + b"\0\2\xff\xff" * skips
        + b"\0\1"
    )


def webp_of(width: int, height: int) -> bytes:
    """An animated WebP whose canvas claims a size, with small pictures."""
    data = bytearray(animation("WEBP"))
    data[24:30] = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return bytes(data)


def gif_of(width: int, height: int, frames: int) -> bytes:
    """A GIF of one real picture and others that have a size and no pixels."""
    file = io.BytesIO()
    Image.new("P", (width, height)).save(file, "GIF")
    return file.getvalue()[:-1] + gif_frame(width, height) * frames + b";"


def gif_frame(width: int, height: int) -> bytes:
    """A picture of a GIF whose data is two codes, "clear" and "end"."""
    return b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x01\x2c\0"


def gif_without_pixels(width: int, height: int) -> bytes:
    """A GIF of one picture that has none, so that its transparent background shows."""
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    transparent = b"!\xf9\x04\x01\0\0\x01\0"
    return screen + transparent + gif_frame(width, height) + b";"


#: By name: file, content type and suffix.
WHOLE: dict[str, tuple[bytes, str, str]] = {
    "png": (picture("PNG"), "image/png", ".png"),
    "png of 16 bits": (picture("PNG", "I;16"), "image/png", ".png"),
    "png with a palette": (picture("PNG", "P"), "image/png", ".png"),
    "png animated": (animation("PNG"), "image/png", ".png"),
    "jpeg": (picture("JPEG"), "image/jpeg", ".jpg"),
    "jpeg grey": (picture("JPEG", "L"), "image/jpeg", ".jpg"),
    "jpeg progressive": (picture("JPEG", progressive=True, exif=Image.Exif()), "image/jpeg", ".jpg"),
    "jpeg CMYK": (picture("JPEG", "CMYK"), "image/jpeg", ".jpg"),
    "jpeg of a phone with two pictures": (animation("MPO"), "image/jpeg", ".jpg"),
    "webp": (picture("WEBP"), "image/webp", ".webp"),
    "webp lossless": (picture("WEBP", lossless=True), "image/webp", ".webp"),
    "webp extended": (picture("WEBP", exif=b"Exif\0\0" + b"x" * 20), "image/webp", ".webp"),
    "webp animated": (animation("WEBP"), "image/webp", ".webp"),
    "gif": (picture("GIF"), "image/gif", ".gif"),
    "gif interlaced": (picture("GIF", interlace=1), "image/gif", ".gif"),
    "gif animated": (animation("GIF"), "image/gif", ".gif"),
    "bmp": (picture("BMP"), "image/bmp", ".bmp"),
    "bmp with a palette": (picture("BMP", "P"), "image/bmp", ".bmp"),
    "bmp black and white": (picture("BMP", "1"), "image/bmp", ".bmp"),
}
