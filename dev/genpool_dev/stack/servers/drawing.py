"""Grayscale photos, drawn: the same number gives the same bytes, another number another picture."""

from __future__ import annotations

import io
import random
from typing import Literal

from PIL import Image, ImageDraw, ImageFilter

Kind = Literal["people", "buildings"]
Format = Literal["png", "jpeg"]

SIZES: tuple[tuple[int, int], ...] = ((320, 240), (240, 320), (300, 300), (360, 240))
PAPER = 214
SKY = 190


def size_of(number: int) -> tuple[int, int]:
    """Width and height in pixels of photo ``number``."""
    return SIZES[number % len(SIZES)]


def photo(number: int, kind: Kind, form: Format) -> bytes:
    """The file of photo ``number``: one grayscale channel, a little blur and grain, as of an old print."""
    chance = random.Random(f"{kind}/{number}")  # noqa: S311 - a drawing, no secret
    width, height = size_of(number)
    image = Image.linear_gradient("L").resize((width, height)).point(lambda value: 120 + value // 3)
    draw = ImageDraw.Draw(image)
    if kind == "people":
        _people(draw, width, height, chance)
    else:
        _buildings(draw, width, height, chance)
    grain = Image.frombytes("L", (width, height), chance.randbytes(width * height))
    image = Image.blend(image.filter(ImageFilter.GaussianBlur(1)), grain, 0.06)
    ImageDraw.Draw(image).text((6, height - 16), f"{kind} {number}", fill=PAPER)
    buffer = io.BytesIO()
    image.save(buffer, form.upper())
    return buffer.getvalue()


def _people(draw: ImageDraw.ImageDraw, width: int, height: int, chance: random.Random) -> None:
    count = chance.randint(1, 3)
    for place in range(count):
        centre = width * (place + 1) // (count + 1) + chance.randint(-8, 8)
        head = chance.randint(height // 12, height // 8)
        top = chance.randint(height // 5, height // 3)
        coat = chance.randint(30, 90)
        draw.ellipse((centre - 2 * head, top + 2 * head, centre + 2 * head, height + 6 * head), fill=coat)
        draw.ellipse((centre - head, top, centre + head, top + 2.5 * head), fill=chance.randint(150, 200))
        draw.pieslice((centre - head, top - 3, centre + head, top + 2 * head), 180, 360, fill=coat // 2)
        for side in (-1, 1):
            eye = centre + side * head // 3
            draw.ellipse((eye - 2, top + head, eye + 2, top + head + 4), fill=20)


def _buildings(draw: ImageDraw.ImageDraw, width: int, height: int, chance: random.Random) -> None:
    left = 0
    while left < width:
        wide = chance.randint(width // 7, width // 4)
        roof = chance.randint(height // 6, height // 2)
        wall = chance.randint(50, 150)
        draw.rectangle((left, roof, left + wide, height), fill=wall)
        draw.polygon([(left, roof), (left + wide, roof), (left + wide // 2, roof - 20)], fill=wall // 2)
        for row in range(roof + 8, height - 12, 18):
            for column in range(left + 6, left + wide - 8, 14):
                draw.rectangle((column, row, column + 6, row + 10), fill=chance.choice((SKY, wall // 3)))
        left += wide + chance.randint(0, 6)
