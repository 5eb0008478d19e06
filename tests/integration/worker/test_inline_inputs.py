"""Inputs that came inside a task, run by a real worker: as data URIs, and in the task's place in a real bucket."""

from __future__ import annotations

import base64
import hashlib
import io
import json

from PIL import Image

from genpool_core.canonical import canonical_json
from genpool_core.identity import task_key
from genpool_core.jsontypes import JsonObject
from genpool_core.ledger import keys
from genpool_core.messages import headers
from genpool_core.tasks.inline import graph_reference, input_value
from integration.worker.rig import REPOSITORY, Rig

PEOPLE = "DDColor人物黑白修复.json"
OWNER = "key-1"


def _picture() -> bytes:
    made = io.BytesIO()
    Image.new("L", (320, 200), 90).save(made, "PNG")
    return made.getvalue()


def _accept(rig: Rig, body: JsonObject, digest: str, data: bytes) -> None:
    """As the gateway does with what is too large for a message: the object first, then the task."""
    key = task_key(rig.config.pool.uid, str(body["task_id"]), body, tenant=OWNER)
    place = keys.input_key(rig.config.store.prefix, key, digest)
    rig.bucket.client().put_object(Bucket=rig.bucket.name, Key=place, Body=data)
    rig.accept(body, **{headers.OWNER: OWNER})


def test_a_data_uri_a_file_and_a_graph_are_inputs(rig: Rig) -> None:
    rig.configure(allow_graphs=True)
    rig.declare()
    rig.comfyui()
    picture = _picture()
    uri = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    rig.send({"task_id": "uri", "workflow_type": PEOPLE, "image_url": uri})
    digest = hashlib.sha256(picture).hexdigest()
    photo: JsonObject = {"task_id": "file", "workflow_type": PEOPLE, "image_url": input_value(digest)}
    _accept(rig, photo, digest, picture)
    template = (REPOSITORY / "workflows" / "text-to-image" / "template.json").read_text(encoding="utf-8")
    graph = canonical_json(json.loads(template))
    graph_sha = hashlib.sha256(graph).hexdigest()
    _accept(rig, {"task_id": "graph", "prompt": graph_reference(graph_sha)}, graph_sha, graph)
    rig.worker()
    ends = {end.task_id: end for end in rig.wait_ends(3)}
    assert {name: end.outcome for name, end in ends.items()} == dict.fromkeys(
        ("uri", "file", "graph"), "succeeded"
    )
    assert ends["file"].parameters["image_url"] == input_value(digest)
    assert str(ends["uri"].parameters["image_url"]).startswith("data:image/png;base64,… (")
    made = [rig.read(ends[name].outputs[0].key) for name in ("uri", "file")]
    assert [Image.open(io.BytesIO(data)).size for data in made] == [(320, 200)] * 2
