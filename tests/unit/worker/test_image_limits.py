"""Hostile files: whatever their bytes are, the answer is one of ours, in bounded time and memory."""

from __future__ import annotations

import io
import itertools
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fakes.pictures import (
    WHOLE,
    bmp_of,
    gif_of,
    gif_without_pixels,
    jpeg_of,
    packed,
    picture,
    png_of,
    webp_of,
)
from genpool_core.image_types import IMAGE_TYPES
from genpool_worker.files.image import BrokenImage, ImageInfo, ImageTooLarge, read

MAX_PIXELS = 1 << 20
BEGINNINGS = [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\x10\0\0\0WEBPVP8X", b"GIF89a", bmp_of(8, 8)[:30]]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A real file with some bytes changed, most of them near the beginning, and perhaps cut off or with a gap."""
    data = bytearray(draw(st.sampled_from([data for data, *_ in WHOLE.values()])))
    places = st.one_of(st.integers(0, 64), st.integers(0, len(data) - 1))
    for place, value in draw(st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=8)):
        data[place] = value
    start = draw(st.integers(0, len(data)))
    length = draw(st.sampled_from([0, 1, 2, 100, len(data)]))
    return bytes(data[:start] + data[start + length :])


@settings(max_examples=500, deadline=timedelta(seconds=5))
@given(st.one_of(damaged(), st.tuples(st.sampled_from(BEGINNINGS), st.binary(max_size=200)).map(b"".join)))
def test_any_bytes_give_an_answer(data: bytes) -> None:
    try:
        found = read(io.BytesIO(data), MAX_PIXELS)
    except (BrokenImage, ImageTooLarge):
        return
    if found is not None:
        assert found.content_type in IMAGE_TYPES
        assert 0 < found.width * found.height <= MAX_PIXELS


def test_a_limit_of_pillow_is_told_as_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another user of Pillow in the process may set one."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(BrokenImage):
        read(io.BytesIO(picture("PNG")), MAX_PIXELS)


def test_the_pictures_of_an_animation_are_not_decoded() -> None:
    """Decoded, these 5,000 take 80 GB in all, and minutes."""
    animation = gif_of(2000, 2000, 5000)
    assert read(io.BytesIO(animation), 1 << 30) == ImageInfo("image/gif", ".gif", 2000, 2000)


def ticking(seconds: float) -> Callable[[], float]:
    """A clock that goes on by so much each time that it is looked at."""
    return itertools.count(step=seconds).__next__


@pytest.mark.parametrize("name", WHOLE)
def test_reading_may_take_its_time(name: str) -> None:
    with pytest.raises(BrokenImage, match="more than 30 s"):
        read(io.BytesIO(WHOLE[name][0]), MAX_PIXELS, ticking(31))
    assert read(io.BytesIO(WHOLE[name][0]), MAX_PIXELS, ticking(0)) is not None


def test_the_clock_is_looked_at_while_a_jpeg_is_decoded() -> None:
    """100,000 empty scans, each of which makes the decoder go through the whole picture: 1 MB and many minutes."""
    empty_scan = b"\xff\xda\x00\x08\x01\x01\x00\x01\x05\x02"
    looks = 0

    def clock() -> float:
        nonlocal looks
        looks += 1
        return looks // 200 * 31

    with pytest.raises(BrokenImage, match="more than 30 s"):
        read(io.BytesIO(jpeg_of(160, 160, progressive=True, more=empty_scan * 100_000)), MAX_PIXELS, clock)


#: Reads the files that are named; prints after each by how many MiB the process has grown at most.
PEAK = r"""
import re, sys
from pathlib import Path
from genpool_worker.files.image import BrokenImage, ImageTooLarge, read

def peak():
    return int(re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())[1]) >> 10

start = peak()
for path in sys.argv[1:]:
    try:
        with open(path, "rb") as file:
            read(file, 1 << 30)
    except (BrokenImage, ImageTooLarge):
        pass
    print(peak() - start)
"""
#: By format, and by what a file would take in MiB if it were decoded as it is or its header were believed.
GREEDY = {
    "jpeg, 244": jpeg_of(8000, 8000),
    "progressive jpeg, 740": jpeg_of(16_000, 16_000, progressive=True),
    "bmp, 600": bmp_of(16_000, 16_000, skips=70),
    "gif, 381": gif_without_pixels(20_000, 20_000),
    "webp, 1100": webp_of(12_000, 12_000),
    "larger webp, 27000": webp_of(60_000, 60_000),
    "texts, 300": png_of(8, 8, *[packed(b"zTXt", 15 << 20)] * 20),
}


def test_memory(tmp_path: Path) -> None:
    for number, data in enumerate(GREEDY.values()):
        (tmp_path / str(number)).write_bytes(data)
    command = [sys.executable, "-c", PEAK, *map(str, sorted(tmp_path.iterdir()))]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    grown = dict(zip(GREEDY, map(int, done.stdout.split()), strict=True))
    assert max(list(grown.values())[:-1]) < 64, grown
    assert grown["texts, 300"] < 256, grown
