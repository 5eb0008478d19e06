"""Which tasks the demo publishes, and what size each result must have. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from genpool_dev.stack.servers.drawing import Kind, size_of

TEXT_QUEUE = "generation_tasks"
PHOTO_QUEUE = "photo_repair_tasks"
TEXT_SCRIPT = Path("tests/data/producers/generation_producer.py")
PHOTO_SCRIPT = Path("tests/data/producers/photo_producer.py")

Size = tuple[int, int]
TEXT_SIZES: tuple[Size, ...] = ((512, 512), (512, 768))
TEXTS_PER_SIZE = 8
TEXT_STEPS = 20
PHOTOS_PER_KIND = 4
#: Workflow, the size it takes (people 400 to 960, buildings 960 to 1280) and the ending of the photos' names.
KINDS: dict[Kind, tuple[str, int, str]] = {
    "people": ("DDColor人物黑白修复.json", 680, "jpg"),
    "buildings": ("DDColor建筑黑白修复.json", 1080, "png"),
}


@dataclass(frozen=True)
class ProducerRun:
    """One call of a producer, as a user types it."""

    queue: str
    script: Path
    arguments: tuple[str, ...]
    sizes: dict[str, Size]
    """Width and height of the result of each task by its photo's URL; under ``""`` that of every other task."""

    def size_of(self, subject: str) -> Size:
        """Size of the result of the task with this prompt or URL."""
        return self.sizes.get(subject) or self.sizes[""]


def runs(photos: str, receiver: str) -> list[ProducerRun]:
    """All calls: 16 pictures from words and 8 photos; ``photos`` and ``receiver`` are the servers' URLs."""
    return [*_text_runs(f"{receiver}/text"), *_photo_runs(photos, f"{receiver}/photo")]


def _text_runs(callback_url: str) -> list[ProducerRun]:
    made = []
    for width, height in TEXT_SIZES:
        options = {
            "--count": TEXTS_PER_SIZE,
            "--width": width,
            "--height": height,
            "--steps": TEXT_STEPS,
            "--callback-url": callback_url,
        }
        made.append(ProducerRun(TEXT_QUEUE, TEXT_SCRIPT, _words(options), {"": (width, height)}))
    return made


def _photo_runs(photos: str, callback_url: str) -> list[ProducerRun]:
    made = []
    first = 0
    for kind, (workflow, size, ending) in KINDS.items():
        numbers = range(first, first + PHOTOS_PER_KIND)
        urls = {f"{photos}/{kind}/{number}.{ending}": size_of(number) for number in numbers}
        options = {"--workflow": workflow, "--size": size, "--callback-url": callback_url}
        made.append(ProducerRun(PHOTO_QUEUE, PHOTO_SCRIPT, (*urls, *_words(options)), urls))
        first += PHOTOS_PER_KIND
    return made


def _words(options: dict[str, object]) -> tuple[str, ...]:
    return tuple(f"{name}={value}" for name, value in options.items())
