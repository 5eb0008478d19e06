"""What is said of an input or a result that is not as it must be, and what is recorded of one that is."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes.pictures import SIZE, jpeg_of, picture, png_of
from genpool_core.errors import AttemptFailed, RefusedInput
from genpool_worker.files import inputs, outputs
from genpool_worker.files.image import ImageInfo
from genpool_worker.ports import OutputRef

SHOWN = "https://u.example/photos/a.png"
URL = f"{SHOWN}?token=s3cr3t"


def test_an_input() -> None:
    """Its bytes count, not its name."""
    assert inputs.check(URL, picture("JPEG")) == ImageInfo("image/jpeg", ".jpg", *SIZE)
    assert inputs.check(URL, png_of(20_000, 10_000)).width == 20_000


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (
            picture("GIF")[:-1],
            f"{SHOWN} is a GIF that is cut off: send a link to a whole image.",
        ),
        (
            picture("BMP")[:20],
            f"{SHOWN} is a BMP that is cut off, damaged or of a rare kind: send a link to a whole image.",
        ),
        (
            b"<html>",
            f"{SHOWN} is no image: send a link to a PNG, JPEG, WebP, GIF or BMP file.",
        ),
        (
            png_of(20_000, 10_001),
            f"{SHOWN} has 20000 by 10001 pixels, more than 200,000,000: send a smaller image.",
        ),
    ],
)
def test_a_refused_input(data: bytes, sentence: str) -> None:
    with pytest.raises(RefusedInput) as caught:
        inputs.check(URL, data)
    assert caught.value.message == sentence


def result(folder: Path, filename: str, data: bytes, kind: str = "images") -> outputs.Checked:
    path = folder / "0"
    path.write_bytes(data)
    return outputs.check(path, len(data), OutputRef("9", kind, filename, "", "output"))


@pytest.mark.parametrize(
    ("filename", "data", "expected"),
    [
        ("a.png", picture("PNG"), outputs.Checked("image/png", *SIZE)),
        ("a.png", picture("JPEG"), outputs.Checked("image/jpeg", *SIZE)),
        ("a.bin", picture("WEBP"), outputs.Checked("image/webp", *SIZE)),
        ("a.png", png_of(32_768, 32_768), outputs.Checked("image/png", 32_768, 32_768)),
        ("a.mp4", b"film", outputs.Checked("video/mp4")),
        ("a.mp3", b"sound", outputs.Checked("audio/mpeg")),
        ("a.txt", b"BMW is a maker of cars.", outputs.Checked("text/plain")),
        ("a.tiff", b"II*\0", outputs.Checked("image/tiff")),
        ("a", b"data", outputs.Checked("application/octet-stream")),
    ],
)
def test_a_result(tmp_path: Path, filename: str, data: bytes, expected: outputs.Checked) -> None:
    assert result(tmp_path, filename, data) == expected


@pytest.mark.parametrize(
    "start", [b"BMW car, red", b"BM", b"GIF89a is old", b"\xff\xd8\xff", b"RIFF1234WEBP", b""]
)
@pytest.mark.parametrize(
    ("filename", "kind", "content_type"),
    [
        ("a.txt", "files", "text/plain"),
        ("a.txt", "images", "text/plain"),
        ("a.json", "files", "application/json"),
        ("a.csv", "text", "text/csv"),
        ("a.md", "files", "text/markdown"),
    ],
)
def test_a_text_is_no_picture_however_it_begins(
    tmp_path: Path, filename: str, kind: str, content_type: str, start: bytes
) -> None:
    assert result(tmp_path, filename, start, kind) == outputs.Checked(content_type)


@pytest.mark.parametrize(("filename", "kind"), [("a.bin", "files"), ("a.latent", "latents"), ("a", "3d")])
def test_what_claims_to_be_no_picture_is_not_checked_as_one(tmp_path: Path, filename: str, kind: str) -> None:
    assert result(tmp_path, filename, b"BMW", kind) == outputs.Checked("application/octet-stream")
    with pytest.raises(AttemptFailed, match="is empty"):
        result(tmp_path, filename, b"", kind)


@pytest.mark.parametrize(
    ("filename", "data", "message"),
    [
        ("a.png", b"", "result a.png of node 9 is empty: ComfyUI's disk may be full."),
        ("a.mp4", b"", "result a.mp4 of node 9 is empty: ComfyUI's disk may be full."),
        (
            "a.png",
            picture("PNG")[:-1],
            "result a.png of node 9 is a PNG that is cut off: ComfyUI's disk may be full.",
        ),
        (
            "a.bin",
            picture("JPEG")[:-2],
            "result a.bin of node 9 is a JPEG that is cut off: ComfyUI's disk may be full.",
        ),
        (
            "a.webp",
            b"<html>",
            "result a.webp of node 9 is not what its name says: ComfyUI's disk may be full.",
        ),
    ],
)
def test_a_broken_result(tmp_path: Path, filename: str, data: bytes, message: str) -> None:
    with pytest.raises(AttemptFailed) as caught:
        result(tmp_path, filename, data)
    assert (caught.value.message, caught.value.reason) == (message, "BrokenOutput")
    assert caught.value.retryable


def test_a_result_that_is_too_large(tmp_path: Path) -> None:
    """The next attempt would make the same."""
    with pytest.raises(AttemptFailed) as caught:
        result(tmp_path, "a.jpg", jpeg_of(40_000, 30_000))
    assert caught.value.message == (
        "result a.jpg of node 9 has 40000 by 30000 pixels, more than 1,073,741,824: "
        "let the workflow make a smaller image."
    )
    assert (caught.value.reason, caught.value.retryable) == ("OutputTooLarge", False)
