"""What a right result is: one end, one picture of the asked size, and nothing else in the bucket."""

from __future__ import annotations

import io

from PIL import Image

from e2e.scenes import Scene
from genpool_core.ledger.records import EndRecord
from genpool_dev.stack.bucket import RunRecord


def succeeded(scene: Scene, run: RunRecord, size: tuple[int, int] = (64, 64)) -> EndRecord:
    """Check that a run ended well with exactly one whole PNG, and return its end."""
    end = run.end
    assert end is not None, f"no end: {run}"
    assert (end.outcome, run.run) == ("succeeded", 1), f"{end.reason}: {end.message}"
    assert run.strays == (), "files that the end does not name"
    (output,) = end.outputs
    content = scene.lab.bucket.read(output.key)
    assert len(content) == output.bytes
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        assert (image.format, image.size) == ("PNG", size)
    return end


def dead(run: RunRecord, reason: str, *, claims: int) -> EndRecord:
    """Check that a run ended as dead for a reason after so many claims, without a result, and return its end."""
    end = run.end
    assert end is not None, f"no end: {run}"
    assert (end.outcome, end.reason) == ("dead", reason), end.message
    assert sorted(claim.attempt for claim in run.claims) == list(range(1, claims + 1))
    assert end.outputs == []
    assert run.files == ()
    return end
