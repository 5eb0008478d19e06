"""Reading and writing picture files, with the metadata that ComfyUI embeds."""

from __future__ import annotations

import json
import random
import string
from typing import TYPE_CHECKING

from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from genpool_dev.comfyui.folders import next_names

if TYPE_CHECKING:
    from pathlib import Path

    from genpool_dev.comfyui.wire import Graph, Json

_SAVE_LEVEL = 4
_PREVIEW_LEVEL = 1


def read_picture(path: Path) -> Image.Image:
    """Read a picture as RGB, turned as its EXIF data says.

    Raises
    ------
    OSError
        Where it is no picture (`PIL.UnidentifiedImageError`) or is cut off.
    """
    with Image.open(path) as image:
        return ImageOps.exif_transpose(image).convert("RGB")


def metadata(prompt: Graph, extra_data: Json) -> PngInfo:
    """Return the PNG texts: the whole prompt, and each entry of `extra_pnginfo`."""
    info = PngInfo()
    info.add_text("prompt", json.dumps(prompt))
    extra = extra_data.get("extra_pnginfo")
    if extra is not None:
        for key in extra:
            info.add_text(key, json.dumps(extra[key]))
    return info


def preview_prefix() -> str:
    """Return the prefix of one server's temp pictures: random, as ComfyUI's is."""
    letters = "".join(random.choices(string.ascii_lowercase, k=5))  # noqa: S311  a file name
    return f"ComfyUI_temp_{letters}"


def write_pictures(
    images: list[Image.Image], folder: Path, kind: str, prefix: str, info: PngInfo | None
) -> list[Json]:
    """Write a batch and return its entries for `outputs[node].images`.

    Raises
    ------
    OutsideError
        Where the prefix leads out of the folder.
    """
    names = next_names(folder, prefix, images[0].size)
    level = _SAVE_LEVEL if kind == "output" else _PREVIEW_LEVEL
    written: list[Json] = []
    for index, image in enumerate(images):
        name = names.name(index)
        image.save(names.folder / name, pnginfo=info, compress_level=level)
        written.append({"filename": name, "subfolder": names.subfolder, "type": kind})
    return written
