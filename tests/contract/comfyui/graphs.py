"""Prompts that every ComfyUI can run without a model, and one that only the stand-in can."""

from __future__ import annotations

import uuid
from typing import Any

Graph = dict[str, dict[str, Any]]


def node(class_type: str, **inputs: object) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs}


def fresh_prefix() -> str:
    return f"contract/{uuid.uuid4()}"


def empty_image(width: int = 8, height: int = 8, color: int | None = None) -> dict[str, Any]:
    """An image of a random colour, so that no cached result is in the way."""
    chosen = (uuid.uuid4().int & 0xFFFFFF) if color is None else color
    return node("EmptyImage", width=width, height=height, batch_size=1, color=chosen)


def trivial(prefix: str, color: int | None = None) -> Graph:
    return {
        "1": empty_image(color=color),
        "2": node("ImageInvert", image=["1", 0]),
        "3": node("SaveImage", images=["2", 0], filename_prefix=prefix),
    }


def text_and_picture(prefix: object, path: str = "latest.png", color: int | None = None) -> Graph:
    """A link where the prefix stands, a text that is shown, and a save node that knows no prefix (stand-in only)."""
    return {
        "1": empty_image(color=color),
        "2": node("PrimitiveString", value=prefix),
        "3": node("PreviewAny", source=["2", 0]),
        "4": node("SaveImage", images=["1", 0], filename_prefix=["2", 0]),
        "5": node("StandinSaveImageAt", images=["1", 0], path=path),
    }


def load_and_save(name: str) -> Graph:
    return {
        "1": node("LoadImage", image=name),
        "2": node("SaveImage", images=["1", 0], filename_prefix=fresh_prefix()),
    }


def long_chain(links: int = 40) -> Graph:
    """Seconds of work on any real server: large pictures scaled up and down again."""
    graph = {"0": empty_image(2048, 2048)}
    for index in range(1, links):
        side = 2048 if index % 2 else 3072
        graph[str(index)] = node(
            "ImageScale",
            image=[str(index - 1), 0],
            upscale_method="lanczos",
            width=side,
            height=side,
            crop="disabled",
        )
    graph["end"] = node("PreviewImage", images=[str(links - 1), 0])
    return graph


def text_to_image(text: str, **changes: object) -> Graph:
    """The usual graph with a model; `changes` are inputs of the sampler, or the latent's size."""
    size = {side: changes.pop(side, 64) for side in ("width", "height")}
    sampler = {
        "seed": uuid.uuid4().int % 2**32,
        "steps": 4,
        "cfg": 7.0,
        "sampler_name": "euler",
        "scheduler": "normal",
        "denoise": 1.0,
        **changes,
    }
    return {
        "4": node("CheckpointLoaderSimple", ckpt_name="v1-5-pruned-emaonly.safetensors"),
        "5": node("EmptyLatentImage", **size, batch_size=1),
        "6": node("CLIPTextEncode", text=text, clip=["4", 1]),
        "7": node("CLIPTextEncode", text="", clip=["4", 1]),
        "17": node(
            "KSampler",
            model=["4", 0],
            positive=["6", 0],
            negative=["7", 0],
            latent_image=["5", 0],
            **sampler,
        ),
        "8": node("VAEDecode", samples=["17", 0], vae=["4", 2]),
        "9": node("SaveImage", images=["8", 0], filename_prefix=fresh_prefix()),
    }
