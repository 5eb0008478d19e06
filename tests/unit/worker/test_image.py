"""What a file is by its bytes, and whether it is whole."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageFile

from fakes.pictures import (
    SIZE,
    WHOLE,
    animation,
    bmp_of,
    gif_of,
    gif_without_pixels,
    jpeg_of,
    noise,
    packed,
    picture,
    png_of,
    webp_of,
)
from genpool_worker.files.image import BrokenImage, ImageInfo, ImageTooLarge, read

MANY = 1 << 40
#: The picture of a phone: its first picture is the one that counts, and the second may be cut off.
FILES = [pytest.param(*values, id=name) for name, values in WHOLE.items()]
ONE_PICTURE = [pytest.param(data, id=name) for name, (data, *_) in WHOLE.items() if "phone" not in name]


def info(data: bytes, max_pixels: int = MANY) -> ImageInfo | None:
    return read(io.BytesIO(data), max_pixels)


@pytest.mark.parametrize(("data", "content_type", "suffix"), FILES)
def test_whole(data: bytes, content_type: str, suffix: str, tmp_path: Path) -> None:
    expected = ImageInfo(content_type, suffix, *SIZE)
    assert info(data) == expected
    path = tmp_path / "0"
    path.write_bytes(data)
    with path.open("rb") as file:
        assert [read(file, MANY), read(file, MANY)] == [expected, expected]


@pytest.mark.parametrize(("data", "content_type", "suffix"), FILES)
def test_bytes_behind_the_end(data: bytes, content_type: str, suffix: str) -> None:
    """Phones put a film there, others padding."""
    film = struct.pack(">I", 24) + b"ftypmp42" + noise((400, 300)).tobytes()
    for more in (b"\0", bytes(5000), film):
        assert info(data + more) == ImageInfo(content_type, suffix, *SIZE)


@pytest.mark.parametrize("data", ONE_PICTURE)
def test_cut_off(data: bytes) -> None:
    """A disk that ran full, a connection that broke: to the last byte, all of it must be there."""
    tenths = [len(data) * tenth // 10 for tenth in range(1, 10)]
    for length in (20, 30, 40, *tenths, *range(len(data) - 12, len(data))):
        with pytest.raises(BrokenImage, match="cut off"):
            info(data[:length])


def test_the_first_of_two_pictures_is_cut_off() -> None:
    data = animation("MPO")
    second = data.index(b"\xff\xd8\xff", 3)
    assert info(data[:-1]) == ImageInfo("image/jpeg", ".jpg", *SIZE)
    with pytest.raises(BrokenImage, match="cut off"):
        info(data[: second - 2])


@pytest.mark.parametrize("data", ONE_PICTURE)
def test_a_cut_is_not_hidden_by_a_setting_of_pillow(data: bytes) -> None:
    assert not ImageFile.LOAD_TRUNCATED_IMAGES
    with pytest.raises(BrokenImage):
        info(data[: len(data) // 2])


@pytest.mark.parametrize("name", ["png", "png animated"])
def test_each_byte_of_a_png_counts(name: str) -> None:
    data = WHOLE[name][0]
    for place in (12, 20, *range(33, len(data) - 12, 97), len(data) - 1):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        with pytest.raises(BrokenImage):
            info(changed)


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_zeros_in_the_place_of_the_rest_of_a_jpeg(options: dict[str, Any]) -> None:
    data = picture("JPEG", size=(400, 300), **options)
    whole = len(data) * 2 // 3
    with pytest.raises(BrokenImage, match="cut off"):
        info(data[:whole] + bytes(len(data) - whole))


def test_the_end_of_a_jpeg_is_found_wherever_it_stands() -> None:
    """Its two bytes may come with two reads."""
    data = jpeg_of(*SIZE)
    scan = data.index(b"\xff\xda")
    pixels = scan + 2 + int.from_bytes(data[scan + 2 : scan + 4])
    gap = 65_536 - (len(data) - 1 - pixels)
    for more in (gap - 1, gap, gap + 1):
        assert info(jpeg_of(*SIZE, more=bytes(more))) is not None


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_other_bytes_in_the_middle(kind: str) -> None:
    """The end is there, and only decoding finds it."""
    slope = Image.linear_gradient("L")
    turned = [slope, slope.rotate(90), slope.rotate(180)]
    file = io.BytesIO()
    Image.merge("RGB", [Image.blend(band, noise((256, 256)), 0.1) for band in turned]).save(
        file, kind, lossless=True
    )
    data = file.getvalue()
    assert info(data) is not None
    middle = len(data) // 2
    other = noise((64, 64), seed=1).tobytes()
    with pytest.raises(BrokenImage, match="damaged"):
        info(data[:middle] + other + data[middle + len(other) :])


@pytest.mark.parametrize("data", [gif_without_pixels(*SIZE), bmp_of(*SIZE)], ids=["gif", "bmp"])
def test_no_pixels(data: bytes) -> None:
    """The end is there, and nothing before it."""
    with pytest.raises(BrokenImage, match="damaged"):
        info(data)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{}", id="short"),
        pytest.param(b"<html></html>".ljust(100), id="page"),
        pytest.param(b"\x89PN", id="less than a signature"),
        pytest.param(b"%PDF-1.7".ljust(100), id="pdf"),
        pytest.param(b"RIFF\x20\0\0\0WAVEfmt ".ljust(100), id="sound"),
        pytest.param(b"BMW is a maker of cars and motorcycles.", id="text that begins like a BMP"),
        pytest.param(b"II*\0" + bytes(100), id="TIFF, which Pillow could read"),
    ],
)
def test_no_image(data: bytes) -> None:
    assert info(data) is None


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(png_of(20_000, 10_001), id="png"),
        pytest.param(jpeg_of(20_000, 10_001), id="jpeg"),
        pytest.param(webp_of(20_000, 10_001), id="webp"),
        pytest.param(gif_of(20_000, 10_001, 1)[:-1], id="gif"),
        pytest.param(bmp_of(20_000, 10_001), id="bmp"),
    ],
)
def test_too_large(data: bytes) -> None:
    """The size is told, before anything else is looked at: all of these but one are broken."""
    with pytest.raises(ImageTooLarge) as caught:
        info(data, 200_000_000)
    assert (caught.value.width, caught.value.height) == (20_000, 10_001)


def test_as_large_as_it_may_be() -> None:
    """Pillow's own limit, of 179 million, is not ours, and its warning not either."""
    assert info(png_of(20_000, 10_000), 200_000_000) == ImageInfo("image/png", ".png", 20_000, 10_000)


@pytest.mark.parametrize("kind", [b"zTXt", b"iCCP"])
def test_a_long_text_or_profile_is_no_fault(kind: bytes) -> None:
    """Of 2 MiB, where Pillow takes 1; ComfyUI opens such a file."""
    assert info(png_of(*SIZE, packed(kind, 2 << 20))) == ImageInfo("image/png", ".png", *SIZE)
    with pytest.raises(BrokenImage):
        info(png_of(*SIZE, packed(kind, 17 << 20)))


def test_odd_metadata_is_no_fault() -> None:
    """Pillow warns of it, and a warning is an error in these tests."""
    odd = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x1a\x01\x05\0\x01\0\0\0\xf0\xff\0\0"
    with pytest.warns(UserWarning, match="Truncated"):
        Image.open(io.BytesIO(picture("JPEG", exif=odd))).getexif()
    assert info(picture("JPEG", exif=odd)) == ImageInfo("image/jpeg", ".jpg", *SIZE)


class Failing(io.BytesIO):
    """A file of which Pillow's reads fail."""

    def __init__(self, data: bytes, error: Exception) -> None:
        super().__init__(data)
        self.error = error

    def readinto(self, _buffer: object) -> int:
        raise self.error


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), MemoryError()], ids=["disk", "memory"])
def test_a_fault_of_the_machine_is_not_the_files(error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        read(Failing(picture("PNG"), error), MANY)
    assert caught.value is error
