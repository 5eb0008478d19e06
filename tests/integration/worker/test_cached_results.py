"""A picture of another task is never delivered, whatever ComfyUI's cache says; on real parts but for ComfyUI."""

from __future__ import annotations

import io
import uuid

from PIL import Image

from genpool_core.ledger.records import EndRecord
from integration.worker.rig import Rig

RED, BLUE = 0xFF0000, 0x0000FF


def graph(color: int, *, slow: str = "") -> dict[str, object]:
    """Saves at a fixed path and, after it, goes through a heavy node; a link stands where the prefix should."""

    def node(class_type: str, **inputs: object) -> dict[str, object]:
        return {"class_type": class_type, "inputs": inputs}

    heavy = {
        "2": node("CheckpointLoaderSimple", ckpt_name="v1-5-pruned-emaonly.safetensors"),
        "3": node("CLIPTextEncode", text=slow, clip=["2", 1]),
        "4": node("EmptyLatentImage", width=64, height=64, batch_size=1),
        "5": node(
            "KSampler",
            model=["2", 0],
            positive=["3", 0],
            negative=["3", 0],
            latent_image=["4", 0],
            seed=1,
            steps=40,
            cfg=7.0,
            denoise=1.0,
            sampler_name="euler",
            scheduler="normal",
        ),
        "6": node("VAEDecode", samples=["5", 0], vae=["2", 2]),
        "7": node("PreviewImage", images=["6", 0]),
    }
    return {
        "1": node("EmptyImage", width=32, height=32, batch_size=1, color=color),
        "8": node("StandinSaveImageAt", images=["1", 0], path="same/latest.png"),
        **(heavy if slow else {}),
    }


def task(prompt: dict[str, object]) -> dict[str, object]:
    return {"task_id": str(uuid.uuid4()), "prompt": prompt}


def colours(rig: Rig, end: EndRecord) -> set[object]:
    return {
        Image.open(io.BytesIO(rig.read(output.key))).convert("RGB").getpixel((0, 0)) for output in end.outputs
    }


def test_a_fixed_path_and_a_task_that_timed_out_after_its_save(rig: Rig) -> None:
    """A saves, B saves over it and is timed out, A comes again and is all in the cache but for its file."""
    # The graph's longest time is the workflows'.
    rig.configure(
        allow_graphs=True,
        max_attempts=1,
        workflows=[entry.model_copy(update={"timeout_seconds": 3}) for entry in rig.config.workflows],
    )
    rig.comfyui("--cache-lru", "100")
    rig.worker()
    rig.send(task(graph(RED)))
    (first,) = rig.wait_ends(1)
    assert colours(rig, first) == {(255, 0, 0)}
    rig.send(task(graph(BLUE, slow="[standin:slow=60]")))
    (second,) = [end for end in rig.wait_ends(2) if end.task_key != first.task_key]
    assert (second.outcome, second.reason) == ("dead", "TimedOut")
    rig.send(task(graph(RED)))
    (third,) = [end for end in rig.wait_ends(3) if end.task_key not in {first.task_key, second.task_key}]
    assert (third.outcome, third.attempt) == ("succeeded", 1)
    assert colours(rig, third) == {(255, 0, 0)}
    output = rig.folder / "scratch" / "output"
    assert not [path for path in output.rglob("*") if path.is_file()]


def test_identical_tasks_with_a_linked_prefix(rig: Rig) -> None:
    rig.configure(allow_graphs=True)
    rig.comfyui("--cache-lru", "100")
    rig.worker()
    linked = {
        "1": {
            "class_type": "EmptyImage",
            "inputs": {"width": 32, "height": 32, "batch_size": 1, "color": RED},
        },
        "2": {"class_type": "PrimitiveString", "inputs": {"value": "mine"}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": ["2", 0]}},
    }
    for _ in range(3):
        rig.send(task(linked))
    for end in rig.wait_ends(3):
        assert (end.outcome, end.attempt) == ("succeeded", 1)
        assert colours(rig, end) == {(255, 0, 0)}
