"""What a file is, by its bytes; pictures come from Pillow, which the worker does not have."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from genpool_worker.files.media import BrokenMedia, Media, by_name, inspect


def picture(kind: str, size: tuple[int, int] = (67, 41), **options: object) -> bytes:
    file = io.BytesIO()
    gradient = Image.linear_gradient("L").resize(size).convert("RGB")
    gradient.save(file, kind, **options)
    return file.getvalue()


WHOLE = [
    pytest.param(picture("PNG"), Media("image/png", ".png", 67, 41), id="png"),
    pytest.param(picture("JPEG"), Media("image/jpeg", ".jpg", 67, 41), id="jpeg"),
    pytest.param(
        picture("JPEG", progressive=True, exif=Image.Exif()),
        Media("image/jpeg", ".jpg", 67, 41),
        id="progressive",
    ),
    pytest.param(picture("WEBP"), Media("image/webp", ".webp", 67, 41), id="webp lossy"),
    pytest.param(picture("WEBP", lossless=True), Media("image/webp", ".webp", 67, 41), id="webp lossless"),
    pytest.param(
        picture("WEBP", exif=b"Exif\0\0" + b"x" * 20),
        Media("image/webp", ".webp", 67, 41),
        id="webp extended",
    ),
    pytest.param(picture("GIF"), Media("image/gif", ".gif", 67, 41), id="gif"),
    pytest.param(picture("BMP"), Media("image/bmp", ".bmp", 67, 41), id="bmp"),
]


@pytest.mark.parametrize(("data", "expected"), WHOLE)
def test_whole(data: bytes, expected: Media) -> None:
    found = inspect(io.BytesIO(data))
    assert found == expected


@pytest.mark.parametrize("data", [pytest.param(item.values[0], id=item.id) for item in WHOLE])
def test_cut_off(data: bytes) -> None:
    """A disk that ran full, a connection that broke: the header alone is no picture."""
    for part in (0.3, 0.6, 0.95):
        with pytest.raises(BrokenMedia):
            inspect(io.BytesIO(data[: max(33, int(len(data) * part))]))


def test_a_byte_that_changed_in_a_png() -> None:
    data = bytearray(picture("PNG"))
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(BrokenMedia, match=r"checksum|chunk|cut off"):
        inspect(io.BytesIO(bytes(data)))


@pytest.mark.parametrize("data", [b"", b"{}", b"<html></html>", b"\x89PN", b"%PDF-1.7", b"RIFF0000WAVEfmt "])
def test_no_image(data: bytes) -> None:
    assert inspect(io.BytesIO(data)) is None


@given(
    st.one_of(
        st.binary(max_size=400),
        st.tuples(
            st.sampled_from(
                [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\x10\0\0\0WEBPVP8X", b"GIF89a", b"BM"]
            ),
            st.binary(max_size=200),
        ).map(b"".join),
    )
)
def test_any_bytes_give_an_answer(data: bytes) -> None:
    try:
        found = inspect(io.BytesIO(data))
    except BrokenMedia:
        return
    assert found is None or (found.width or 0) > 0


@pytest.mark.parametrize(
    ("name", "content_type", "suffix"),
    [
        ("a.mp4", "video/mp4", ".mp4"),
        ("a.flac", "audio/flac", ".flac"),
        ("a", "application/octet-stream", ""),
    ],
)
def test_by_name(name: str, content_type: str, suffix: str) -> None:
    found = by_name(name)
    assert found.suffix == suffix
    assert found.content_type in {content_type, "audio/x-flac"}
