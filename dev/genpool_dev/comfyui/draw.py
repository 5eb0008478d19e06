"""The pictures: drawn, marked as a stand-in's, the same for the same inputs."""

from __future__ import annotations

import functools
import io
import random
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont, ImageOps

MARK = "ComfyUI stand-in"
_SMALLEST_FONT = 6
_LAST_LATIN = 0x24F
_WHITE = (255, 255, 255)
_BLACK = (0, 0, 0)
_TINTS = {
    "ddcolor_modelscope.pth": ((25, 18, 45), (150, 110, 80), (255, 244, 214)),
    "ddcolor_artistic.pth": ((40, 10, 60), (190, 90, 90), (255, 236, 180)),
    "ddcolor_paper.pth": ((12, 28, 40), (110, 125, 100), (250, 246, 224)),
    "ddcolor_paper_tiny.pth": ((20, 30, 20), (130, 140, 90), (255, 250, 220)),
}
_OTHER_TINT = ((15, 20, 50), (140, 115, 95), (255, 242, 210))


@dataclass(frozen=True, slots=True)
class Picture:
    """What a sampled latent would show."""

    seed: int
    steps: int
    positive: str
    negative: str
    model: str


@functools.lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


def _drawable(text: str) -> str:
    """Return the text with what the built-in font lacks (Chinese, say) written as escapes."""
    return "".join(
        each if ord(each) <= _LAST_LATIN else each.encode("unicode_escape").decode()
        for each in " ".join(text.split())
    )


def _wrap(draw: ImageDraw.ImageDraw, text: str, size: int, width: int) -> list[str]:
    font = _font(size)
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}".strip()
        if line and draw.textlength(longer, font=font) > width:
            lines.append(line)
            line = word
        else:
            line = longer
    return [*lines, line]


def _write(image: Image.Image, text: str, box: tuple[int, int, int, int], largest: int) -> None:
    """Write a text into a box, as large as fits; too small a box stays empty."""
    draw = ImageDraw.Draw(image)
    left, top, right, bottom = box
    size = largest
    while size >= _SMALLEST_FONT:
        lines = _wrap(draw, text, size, right - left)
        widest = max(draw.textlength(line, font=_font(size)) for line in lines)
        if widest <= right - left and len(lines) * size * 1.25 <= bottom - top:
            break
        size = size * 4 // 5
    else:
        return
    for index, line in enumerate(lines):
        draw.text(
            (left, top + index * size * 1.25),
            line,
            font=_font(size),
            fill=_WHITE,
            stroke_width=max(1, size // 12),
            stroke_fill=_BLACK,
        )


def _mark(image: Image.Image, text: str) -> None:
    """Write a line along the bottom edge, on a dark band."""
    width, height = image.size
    band = max(9, min(height // 12, 40))
    if height <= band:
        return
    image.paste(_BLACK, (0, height - band, width, height))
    _write(image, text, (band // 4, height - band + 1, width - 2, height), band * 3 // 4)


def paint(width: int, height: int, picture: Picture, index: int = 0) -> Image.Image:
    """Draw a text-to-image result: colours from seed and prompt, and the prompt's text.

    `index` is the picture's place in its batch.
    """
    chance = random.Random(f"{picture.seed}/{index}/{picture.positive}/{picture.negative}/{picture.model}")  # noqa: S311  colours
    cells = Image.new("RGB", (3, 3))
    cells.putdata([tuple(chance.randrange(30, 220) for _ in range(3)) for _ in range(9)])
    image = cells.resize((width, height), Image.Resampling.BICUBIC)
    margin = max(2, width // 24)
    prompt = _drawable(picture.positive) or "(no prompt)"
    _write(
        image,
        prompt,
        (margin, margin, width - margin, height - max(9, height // 8)),
        max(_SMALLEST_FONT, min(width, height) // 9),
    )
    model = picture.model.rsplit(".", 1)[0]
    _mark(image, f"{MARK} · seed {picture.seed} · {picture.steps} steps · {model}")
    return image


def tint(image: Image.Image, model: str) -> Image.Image:
    """Return a photo in colours that depend on its grey values and the model; same size."""
    black, mid, white = _TINTS.get(model, _OTHER_TINT)
    result = ImageOps.colorize(image.convert("L"), black=black, white=white, mid=mid)
    _mark(result, f"{MARK} · {model}")
    return result


@functools.cache
def thumbnail() -> bytes:
    """Return the JPEG that the stand-in sends as a preview of whatever it samples."""
    image = Image.new("RGB", (96, 64), (70, 70, 90))
    _write(image, MARK, (4, 4, 92, 60), 20)
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG")
    return buffer.getvalue()


def scale(image: Image.Image, method: str, size: tuple[int, int], *, crop: bool) -> Image.Image:
    """Resize to width and height; one of them 0 keeps the aspect, both 0 the size."""
    width, height = size
    if not width and not height:
        return image
    width = width or max(1, round(image.width * height / image.height))
    height = height or max(1, round(image.height * width / image.width))
    filters = {
        "nearest-exact": Image.Resampling.NEAREST,
        "bilinear": Image.Resampling.BILINEAR,
        "area": Image.Resampling.BOX,
        "bicubic": Image.Resampling.BICUBIC,
    }
    resample = filters.get(method, Image.Resampling.LANCZOS)
    if crop:
        return ImageOps.fit(image, (width, height), resample)
    return image.resize((width, height), resample)
