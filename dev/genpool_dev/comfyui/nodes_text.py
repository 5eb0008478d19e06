"""What the classes of `catalog_text` do."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from genpool_dev.comfyui.folders import inside, next_names

if TYPE_CHECKING:
    from pathlib import Path

    from PIL import Image

    from genpool_dev.comfyui.run import Run, Runner, Values
    from genpool_dev.comfyui.wire import Json

Result = tuple[tuple[object, ...], "Json"]


async def _primitive(_run: Run, values: Values) -> Result:
    return (values["value"],), {}


async def _preview_any(_run: Run, values: Values) -> Result:
    source = values["source"]
    text = source if isinstance(source, str) else str(source)
    return (text,), {"text": [text]}


async def _save_text(run: Run, values: Values) -> Result:
    text, suffix = values["text"], values["format"]
    file = await run.machine.draw(
        write_text, text, run.machine.folders.output, values["filename_prefix"], suffix
    )
    return (text,), {"text": [text], "files": [file]}


async def _save_at(run: Run, values: Values) -> Result:
    file = await run.machine.draw(
        _write_picture, values["images"][0], run.machine.folders.output, values["path"]
    )
    return (), {"images": [file]}


def write_text(text: str, folder: Path, prefix: str, suffix: str) -> Json:
    """Write a text and return its entry for `outputs[node].files`; JSON is written again, with indents.

    Raises
    ------
    OutsideError
        Where the prefix leads out of the folder.
    """
    names = next_names(folder, prefix, (1, 1))
    name = f"{names.stem}_{names.counter:05}.{suffix}"
    if suffix == "json":
        with suppress(ValueError):  # then ComfyUI saves it as it is
            text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    (names.folder / name).write_text(text, encoding="utf-8")
    return {"filename": name, "subfolder": names.subfolder, "type": "output"}


def _write_picture(image: Image.Image, folder: Path, name: str) -> Json:
    path = PurePosixPath(name)
    target = inside(folder, name)
    target.parent.mkdir(parents=True, exist_ok=True)
    image.save(target, "PNG")
    subfolder = "" if str(path.parent) == "." else str(path.parent)
    return {"filename": path.name, "subfolder": subfolder, "type": "output"}


TEXT_RUNNERS: dict[str, Runner] = {
    "PrimitiveString": _primitive,
    "PreviewAny": _preview_any,
    "SaveText": _save_text,
    "StandinSaveImageAt": _save_at,
}
"""The work of each class of `catalog_text`."""
