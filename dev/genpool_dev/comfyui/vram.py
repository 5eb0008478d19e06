"""How much GPU memory there would be: what models and pictures take, and when it is too much."""

from __future__ import annotations

from collections import OrderedDict

GIB = 1024**3
BYTES_PER_SAMPLED_PIXEL = 4096
"""What one pixel of a batch takes while it is sampled: 1 GiB for 512 x 512."""
BYTES_PER_COLOURED_PIXEL = 2048

_WEIGHTS = (("ddcolor", 0.9), ("flux", 11.9), ("xl", 6.5))
_OTHER_WEIGHTS = 2.0


class OutOfMemoryError(RuntimeError):
    """More memory was asked for than the card has; shown as `torch.OutOfMemoryError`."""


def weights_of(model: str) -> int:
    """Return the bytes that a model takes, judged by its file name."""
    name = model.lower()
    gib = next((size for part, size in _WEIGHTS if part in name), _OTHER_WEIGHTS)
    return int(gib * GIB)


class Vram:
    """The card's memory: models stay resident until another needs the room."""

    def __init__(self, total_gb: float) -> None:
        self.total = int(total_gb * GIB)
        self._resident: OrderedDict[str, int] = OrderedDict()

    @property
    def used(self) -> int:
        """Bytes that the resident models take."""
        return sum(self._resident.values())

    @property
    def free(self) -> int:
        """Bytes that are left."""
        return self.total - self.used

    def load(self, model: str) -> bool:
        """Make a model resident; return whether it had to be loaded.

        Raises
        ------
        OutOfMemoryError
            Where it is larger than the card. Nothing is resident then.
        """
        if model in self._resident:
            self._resident.move_to_end(model)
            return False
        needed = weights_of(model)
        while self._resident and needed > self.free:
            self._resident.popitem(last=False)
        if needed > self.free:
            raise self.failure(needed)
        self._resident[model] = needed
        return True

    def require(self, needed: int) -> None:
        """Check that the running node's working memory fits beside the models.

        Raises
        ------
        OutOfMemoryError
            Where it does not.
        """
        if needed > self.free:
            raise self.failure(needed)

    def failure(self, needed: int) -> OutOfMemoryError:
        """Return the error for a request of that many bytes, worded as torch words it."""
        return OutOfMemoryError(
            f"CUDA out of memory. Tried to allocate {needed / GIB:.2f} GiB. GPU 0 has a total "
            f"capacity of {self.total / GIB:.2f} GiB of which {self.free / GIB:.2f} GiB is free. "
            f"Of the allocated memory {self.used / GIB:.2f} GiB is allocated by PyTorch."
        )

    def unload(self) -> None:
        """Take all models off the card."""
        self._resident.clear()
