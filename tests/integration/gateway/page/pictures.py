"""Pictures for tests of the page: a lake between hills, in colour or without, other hills for another number."""

from __future__ import annotations

import io
import math
import random

from PIL import Image, ImageDraw, ImageFilter


def lake(number: int, size: int = 384, *, grey: bool = False) -> bytes:
    """A PNG."""
    chance = random.Random(number)  # noqa: S311 - hills
    image = Image.new("RGB", (size, size))
    draw = ImageDraw.Draw(image)
    hue = chance.choice([(255, 170, 110), (130, 180, 240), (250, 200, 150), (170, 150, 220)])
    horizon = int(size * chance.uniform(0.5, 0.62))
    for y in range(size):
        part = min(1.0, y / horizon)
        draw.line(
            [(0, y), (size, y)],
            fill=tuple(int(a * part + b * (1 - part)) for a, b in zip(hue, (60, 90, 160), strict=True)),
        )
    sun = (int(size * chance.uniform(0.2, 0.8)), int(size * chance.uniform(0.18, 0.4)), size // 14)
    draw.ellipse([sun[0] - sun[2], sun[1] - sun[2], sun[0] + sun[2], sun[1] + sun[2]], fill=(255, 244, 214))
    for layer in range(3):
        shade = tuple(int(channel * (0.62 - 0.17 * layer)) for channel in (90, 120, 130))
        waves = [(chance.uniform(1, 4), chance.uniform(0, 6), chance.uniform(0.02, 0.08)) for _ in range(3)]
        line = [
            (
                x,
                horizon
                - int(
                    size
                    * (0.16 - 0.05 * layer + sum(h * math.sin(f * x / size * 3 + p) for f, p, h in waves))
                ),
            )
            for x in range(size + 1)
        ]
        draw.polygon([*line, (size, horizon), (0, horizon)], fill=shade)
    mirror = image.crop((0, max(0, 2 * horizon - size), size, horizon)).transpose(
        Image.Transpose.FLIP_TOP_BOTTOM
    )
    mirror = mirror.filter(ImageFilter.GaussianBlur(2)).point(lambda value: int(value * 0.75))
    image.paste(mirror, (0, horizon))
    shown = image.convert("L").convert("RGB") if grey else image
    data = io.BytesIO()
    shown.save(data, "PNG")
    return data.getvalue()
