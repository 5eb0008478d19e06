"""A result is in the bucket, and told, while its prompt still runs; on real parts but for ComfyUI."""

from __future__ import annotations

import uuid

from genpool_core.messages.events import TaskEnded, TaskOutput
from integration.broker import until
from integration.worker.rig import Rig
from integration.worker.test_cached_results import RED, graph


def test_results_are_stored_as_they_land(rig: Rig) -> None:
    rig.configure(allow_graphs=True)
    comfyui = rig.comfyui()
    rig.worker()
    prompt = {
        **graph(RED, slow="[standin:slow=4]"),
        "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "x"}},
        "9": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
    }
    rig.send({"task_id": str(uuid.uuid4()), "prompt": prompt})
    early = until(rig.outputs, "a result has landed")
    assert comfyui.get("/queue").json()["queue_running"]
    assert not rig.ends()

    (end,) = rig.wait_ends(1)
    assert end.outcome == "succeeded", end.message
    assert [output.node for output in end.outputs] == ["7", "8", "9"]
    keys = [output.key for output in end.outputs]
    assert sorted(rig.outputs()) == sorted(set(keys)), "each is stored once, and nothing else"
    assert set(early) < set(keys)
    events = rig.events()
    told = [event.output for event in events if isinstance(event, TaskOutput)]
    assert sorted(output.key for output in told) == sorted(keys)
    assert all(output in told for output in end.outputs)
    assert isinstance(events[-1], TaskEnded)
    assert not list((rig.folder / "scratch" / "output").rglob("*.png"))
