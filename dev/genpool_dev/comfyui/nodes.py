"""What each node class does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageOps

from genpool_dev.comfyui import draw, looking, pictures, vram
from genpool_dev.comfyui.folders import next_names
from genpool_dev.comfyui.nodes_text import TEXT_RUNNERS

if TYPE_CHECKING:
    from genpool_dev.comfyui.run import Run, Runner, Values
    from genpool_dev.comfyui.wire import Json

Result = tuple[tuple[object, ...], "Json"]
_COLOURING_STEPS = 4
_PREVIEW_PREFIX = pictures.preview_prefix()


@dataclass(frozen=True, slots=True)
class Latent:
    """A batch of latents; `picture` is None before it was sampled."""

    width: int
    height: int
    batch: int
    picture: draw.Picture | None = None
    pixels: tuple[Image.Image, ...] = ()


async def _checkpoint(run: Run, values: Values) -> Result:
    name = values["ckpt_name"]
    await run.machine.load(name)
    return (name, name, name), {}


async def _text(_run: Run, values: Values) -> Result:
    return (values["text"],), {}


async def _empty_latent(_run: Run, values: Values) -> Result:
    width, height = (values[side] // 8 * 8 for side in ("width", "height"))
    return (Latent(width, height, values["batch_size"]),), {}


async def _sample(run: Run, values: Values) -> Result:
    latent: Latent = values["latent_image"]
    await run.machine.load(values["model"])
    pixels = latent.width * latent.height * latent.batch
    run.machine.vram.require(pixels * vram.BYTES_PER_SAMPLED_PIXEL)
    await run.steps(values["steps"])
    picture = draw.Picture(
        seed=values["seed"],
        steps=values["steps"],
        positive=values["positive"],
        negative=values["negative"],
        model=values["model"],
    )
    return (Latent(latent.width, latent.height, latent.batch, picture),), {}


async def _decode(run: Run, values: Values) -> Result:
    latent: Latent = values["samples"]
    await run.machine.load(values["vae"])
    if latent.picture is None:
        plain = Image.new("RGB", (latent.width, latent.height), (128, 128, 128))
        return (list(latent.pixels) or [plain] * latent.batch,), {}
    images = [
        await run.machine.draw(draw.paint, latent.width, latent.height, latent.picture, index)
        for index in range(latent.batch)
    ]
    return (images,), {}


async def _encode(run: Run, values: Values) -> Result:
    await run.machine.load(values["vae"])
    images: list[Image.Image] = values["pixels"]
    width, height = (side // 8 * 8 for side in images[0].size)
    return (Latent(width, height, len(images), pixels=tuple(images)),), {}


async def _load_image(run: Run, values: Values) -> Result:
    path = run.machine.folders.input_path(values["image"])
    image = await run.machine.draw(pictures.read_picture, path)
    return ([image], None), {}


async def _empty_image(run: Run, values: Values) -> Result:
    colour = values["color"]
    rgb = (colour >> 16 & 255, colour >> 8 & 255, colour & 255)
    size = (values["width"], values["height"])
    image = await run.machine.draw(Image.new, "RGB", size, rgb)
    return ([image] * values["batch_size"],), {}


async def _invert(run: Run, values: Values) -> Result:
    return ([await run.machine.draw(ImageOps.invert, each) for each in values["image"]],), {}


async def _scale(run: Run, values: Values) -> Result:
    size = (values["width"], values["height"])
    crop = values["crop"] == "center"
    images = [
        await run.machine.draw(draw.scale, each, values["upscale_method"], size, crop=crop)
        for each in values["image"]
    ]
    return (images,), {}


async def _colour(run: Run, images: list[Image.Image], model: str, size: int) -> Result:
    """One pass of a heavy network: no progress frames, no look at interrupts."""
    machine = run.machine
    await machine.load(model)
    machine.vram.require(size * size * len(images) * vram.BYTES_PER_COLOURED_PIXEL)
    await run.heavy(_COLOURING_STEPS)
    return ([await machine.draw(draw.tint, image, model) for image in images],), {}


async def _ddcolor(run: Run, values: Values) -> Result:
    return await _colour(run, values["image"], values["checkpoint"], values["model_input_size"])


async def _ddcolor_legacy(run: Run, values: Values) -> Result:
    return await _colour(run, values["image"], values["model"], values["size"])


async def _write(run: Run, images: list[Image.Image], kind: str, prefix: str) -> Result:
    machine = run.machine
    info = None
    if not machine.settings.disable_metadata:
        info = pictures.metadata(run.prompt, run.extra_data)
    folder = machine.folders.temp if kind == "temp" else machine.folders.output
    written = await machine.draw(pictures.write_pictures, images, folder, kind, prefix, info)
    return (), {"images": written}


async def _save(run: Run, values: Values) -> Result:
    prefix: Any = values.get("filename_prefix", "ComfyUI")
    return await _write(run, values["images"], "output", prefix)


async def _preview(run: Run, values: Values) -> Result:
    return await _write(run, values["images"], "temp", _PREVIEW_PREFIX)


async def _look(run: Run, values: Values) -> Result:
    """Save what a hostile node could read here."""
    machine = run.machine
    seen = await machine.draw(looking.look, machine.settings.looking or Path())
    names = next_names(machine.folders.output, values["filename_prefix"], (0, 0))
    file = names.folder / Path(names.name(0)).with_suffix(".txt").name
    file.write_text(seen, encoding="utf-8")
    return (), {"files": [{"filename": file.name, "subfolder": names.subfolder, "type": "output"}]}


RUNNERS: dict[str, Runner] = {
    "CheckpointLoaderSimple": _checkpoint,
    "CLIPTextEncode": _text,
    "EmptyLatentImage": _empty_latent,
    "KSampler": _sample,
    "VAEDecode": _decode,
    "VAEEncode": _encode,
    "LoadImage": _load_image,
    "EmptyImage": _empty_image,
    "ImageInvert": _invert,
    "ImageScale": _scale,
    "DDColor_Colorize": _ddcolor,
    "DDColor-DDColorize": _ddcolor_legacy,
    "SaveImage": _save,
    "PreviewImage": _preview,
    **TEXT_RUNNERS,
    "StandinLook": _look,
}
"""The work of each class of the catalog."""

HEAVY = frozenset({"KSampler", "DDColor_Colorize", "DDColor-DDColorize"})
"""The classes in which a job's faults act; in a job without one they act before its first node."""
