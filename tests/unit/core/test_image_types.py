"""Images are told by how they begin."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from genpool_core.errors import RefusedInput
from genpool_core.image_types import HEAD_BYTES, IMAGE_TYPES, image_type, require_image


@pytest.mark.parametrize("content_type", sorted(IMAGE_TYPES))
def test_one_that_pillow_makes_is_known_by_its_head(content_type: str) -> None:
    file = io.BytesIO()
    Image.new("RGB", (3, 2)).save(file, content_type.partition("/")[2])
    assert image_type(file.getvalue()[:HEAD_BYTES]) == content_type


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\x89PNG",
        b"<svg xmlns=",
        b"<?xml version='1.0'",
        b"\0\0\0\x1cftypheic",
        b"\0\0\0\x1cftypavif",
        b"BMW is a car, and no",
        b"RIFF\0\0\0\0WAVEfmt ",
        b"II*\0",
        b"<html>",
    ],
)
def test_all_else_is_none(head: bytes) -> None:
    assert image_type(head) is None
    with pytest.raises(RefusedInput, match=r"a\.svg is no image: send a PNG, JPEG") as caught:
        require_image("a.svg", head, parameter="image_url")
    assert caught.value.parameter == "image_url"
