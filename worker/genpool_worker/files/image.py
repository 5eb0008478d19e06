"""Images by their own bytes, read with Pillow: what a file is, its size in pixels, and whether it is whole.

A PNG has a checksum in each chunk: ``verify()`` finds every missing and every changed byte, in a fiftieth of the time
that decoding takes. The other formats have none and ``verify()`` finds nothing in them, so their first picture is
decoded, a JPEG at an eighth of its size; the ends that decoding does not reach are looked for (JPEG, GIF) or were
compared with a length on opening (WebP). Later pictures of an animation are not decoded: a small file holds thousands.
"""

from __future__ import annotations

import io
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

from PIL import (
    Image,
    PngImagePlugin,
    WebPImagePlugin,  # noqa: F401 - unless it is imported, Pillow imports all its plugins to find it
)
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile

from genpool_core import timing
from genpool_core.image_types import HEAD_BYTES, image_type

# The callers' limits stand in the place of Pillow's, whose error does not tell the size. Opening takes no memory for
# pixels (WebP's canvas is reserved, not touched), so a check between opening and decoding is early enough.
Image.MAX_IMAGE_PIXELS = None
# ComfyUI takes longer texts and profiles than the 1 MiB that Pillow decompresses. All texts together stay below 64 MiB.
PngImagePlugin.MAX_TEXT_CHUNK = 16 << 20

#: Most memory that decoding may take, in bytes. What would take more is checked by its end or length alone, and a BMP,
#: which has neither, not at all.
_DECODING_BYTES = 512 << 20
#: Bytes of a JPEG that are decoded between two looks at the clock: some 400 empty scans.
_JPEG_BLOCK = 4096
_END_OF_JPEG = b"\xff\xd9"
#: The checksum of the chunk that ends a PNG. The chunk is always empty, so it is always this.
_END_OF_PNG = b"\xaeB`\x82"


class BrokenImage(ValueError):  # noqa: N818 - named for what was found
    """A file that begins like an image and is not a whole one. Its message completes ``<file> is ...``."""


class ImageTooLarge(ValueError):  # noqa: N818 - named for what was found
    """An image of more pixels than the caller takes. Nothing of it was decoded."""

    def __init__(self, width: int, height: int) -> None:
        super().__init__(f"an image of {width} by {height} pixels")
        self.width = width
        self.height = height


@dataclass(frozen=True)
class ImageInfo:
    """What an image is. ``width`` and ``height`` are pixels."""

    content_type: str
    suffix: str
    width: int
    height: int


class _Reads(io.BufferedReader):
    """A file as Pillow reads it, watched for what Pillow does not tell."""

    #: A read came back with fewer bytes than it asked for: the file ended where more was expected.
    short = False

    def __init__(self, file: io.BufferedIOBase, clock: Callable[[], float]) -> None:
        super().__init__(file)
        self._clock = clock
        self._deadline = clock() + timing.IMAGE_READ_SECONDS

    def read(self, size: int | None = -1, /) -> bytes:
        if self._clock() > self._deadline:
            raise BrokenImage(f"an image that takes more than {timing.IMAGE_READ_SECONDS:.0f} s to read")
        data = super().read(size)
        self.short |= len(data) < (size or 0)
        return data


@dataclass(frozen=True)
class _Format:
    """A format. ``name`` is as people write it, and in upper case as Pillow does."""

    name: str
    suffix: str
    #: What is done before decoding. Raises BrokenImage when the end is missing.
    prepare: Callable[[ImageFile, _Reads], None]
    #: Most that decoding takes, in bytes a pixel, as measured; None for a format that is not decoded.
    memory: int | None

    @property
    def content_type(self) -> str:
        return f"image/{self.name.lower()}"

    def decodes(self, pixels: int) -> bool:
        return self.memory is not None and pixels * self.memory <= _DECODING_BYTES


def read(
    file: io.BufferedIOBase, max_pixels: int, clock: Callable[[], float] = time.thread_time
) -> ImageInfo | None:
    """What a file is, or None when it does not begin like a PNG, JPEG, WebP, GIF or BMP.

    Extra bytes behind the end are no fault: phones put a film there. It takes at most 512 MiB of memory and, for a WebP
    or a PNG of one chunk, three times the file. At most one thread may call this at a time, as Pillow's warnings are
    silenced meanwhile. ``clock`` is the processor time spent so far, in seconds.

    Raises
    ------
    BrokenImage
        It begins like an image and is cut off, damaged or of a kind that Pillow does not read.
    ImageTooLarge
        It has more than ``max_pixels`` pixels.
    OSError
        The file cannot be read.
    """
    file.seek(0)
    content_type = image_type(file.read(HEAD_BYTES))
    found = next((known for known in _FORMATS if known.content_type == content_type), None)
    if found is None:
        return None
    reads = _Reads(file, clock)
    with warnings.catch_warnings():
        # Pillow warns of odd metadata, which is no fault of the picture.
        warnings.simplefilter("ignore")
        try:
            width, height = _check(reads, found, max_pixels)
        except (BrokenImage, ImageTooLarge, MemoryError):
            raise
        except Exception as error:
            # Pillow's errors have no common class. An OSError with a number is the disk's and not the file's fault.
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise BrokenImage(f"a {found.name} that is cut off, damaged or of a rare kind") from error
        finally:
            # Otherwise it would close the caller's file with itself.
            reads.detach()
    return ImageInfo(found.content_type, found.suffix, width, height)


def _check(reads: _Reads, found: _Format, max_pixels: int) -> tuple[int, int]:
    picture = Image.open(reads, formats=[found.name])
    width, height = picture.size
    if width * height > max_pixels:
        raise ImageTooLarge(width, height)
    found.prepare(picture, reads)
    if found.decodes(width * height):
        picture.load()
    return width, height


def _png(picture: ImageFile, reads: _Reads) -> None:
    picture.verify()
    if reads.read(len(_END_OF_PNG)) != _END_OF_PNG:
        raise BrokenImage("a PNG that is cut off")


def _jpeg(picture: ImageFile, reads: _Reads) -> None:
    """The end must stand behind the header (of two pictures: anywhere); the decoder takes zeros for the rest of one."""
    block = b""
    while _END_OF_JPEG not in block:
        more = reads.read(1 << 16)
        if not more:
            raise BrokenImage("a JPEG that is cut off")
        block = block[-1:] + more
    picture.draft(None, (1, 1))
    picture.decodermaxblock = _JPEG_BLOCK


def _gif(picture: ImageFile, reads: _Reads) -> None:
    """Counting goes through all blocks to the trailer or, as Pillow does not mind, to the end of the file."""
    assert isinstance(picture, GifImageFile)  # noqa: S101
    _ = picture.n_frames
    if reads.short:
        raise BrokenImage("a GIF that is cut off")


def _nothing(_picture: ImageFile, _reads: _Reads) -> None:
    """Opening compares a WebP's length; decoding reads a BMP to its end."""


_FORMATS = (
    _Format("PNG", ".png", _png, None),
    _Format("JPEG", ".jpg", _jpeg, 8),
    _Format("WebP", ".webp", _nothing, 18),
    _Format("GIF", ".gif", _gif, 2),
    _Format("BMP", ".bmp", _nothing, 4),
)
