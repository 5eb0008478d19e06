"""Which tasks the demo publishes, and what size each result must have. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from genpool_core.jsontypes import JsonObject
from genpool_dev.stack.servers.drawing import Kind, size_of

TEXT_QUEUE = "generation_tasks"
#: An intake: producers publish photos of both kinds to it, and the gateway brings each to its pool's own queue.
PHOTO_QUEUE = "photo_repair_tasks"
QUEUES = (TEXT_QUEUE, PHOTO_QUEUE, "photo_people_tasks", "photo_buildings_tasks")
TEXT_SCRIPT = Path("tests/data/producers/generation_producer.py")
PHOTO_SCRIPT = Path("tests/data/producers/photo_producer.py")

Size = tuple[int, int]
#: A third of the tasks comes from a plain producer of pictures, a third through the API, a third are photos.
THIRD = 8
PLAIN_SIZE: Size = (512, 512)
API_SIZE: Size = (512, 768)
TEXT_STEPS = 20
PHOTOS_PER_KIND = THIRD // 2
TEXT_POOL = "text"
PROMPTS = ("a harbour at dawn", "a tram in the snow", "an orchard in bloom", "a lantern in the rain")
#: Pool, its workflow, the size that takes (people 400 to 960, buildings 960 to 1280) and the ending of photos' names.
KINDS: dict[Kind, tuple[str, str, int, str]] = {
    "people": ("photo-people", "DDColor人物黑白修复.json", 680, "jpg"),
    "buildings": ("photo-buildings", "DDColor建筑黑白修复.json", 1080, "png"),
}


@dataclass(frozen=True)
class ProducerRun:
    """One call of a producer, as a user types it."""

    queue: str
    pool: str
    """The pool that does these tasks."""
    script: Path
    arguments: tuple[str, ...]
    sizes: dict[str, Size]
    """Width and height of the result of each task by its photo's URL; under ``""`` that of every other task."""

    def size_of(self, subject: str) -> Size:
        """Size of the result of the task with this prompt or URL."""
        return self.sizes.get(subject) or self.sizes[""]


@dataclass(frozen=True)
class ApiTask:
    """A task as ``POST /v1/tasks`` takes it, and the size of its result."""

    body: JsonObject
    size: Size
    label: str


def runs(photos: str, receiver: str) -> list[ProducerRun]:
    """All calls of producers: pictures from words and photos; ``photos`` and ``receiver`` are the servers' URLs."""
    return [_text_run(f"{receiver}/text"), *_photo_runs(photos, f"{receiver}/photo")]


def api_tasks(namespace: str, receiver: str) -> list[ApiTask]:
    """The tasks for the API. Each has a seed of its own: the same words twice are still two pictures."""
    width, height = API_SIZE
    made = []
    for number in range(THIRD):
        prompt = PROMPTS[number % len(PROMPTS)]
        parameters: JsonObject = {
            "prompt": prompt,
            "width": width,
            "height": height,
            "steps": TEXT_STEPS,
            "seed": number,
        }
        body: JsonObject = {
            "pool": f"{namespace}/{TEXT_POOL}",
            "parameters": parameters,
            "callback_url": f"{receiver}/text",
            "metadata": {"number": number},
        }
        made.append(ApiTask(body, API_SIZE, prompt))
    return made


def _text_run(callback_url: str) -> ProducerRun:
    width, height = PLAIN_SIZE
    options = {
        "--count": THIRD,
        "--width": width,
        "--height": height,
        "--steps": TEXT_STEPS,
        "--callback-url": callback_url,
    }
    return ProducerRun(TEXT_QUEUE, TEXT_POOL, TEXT_SCRIPT, _words(options), {"": PLAIN_SIZE})


def _photo_runs(photos: str, callback_url: str) -> list[ProducerRun]:
    made = []
    first = 0
    for kind, (pool, workflow, size, ending) in KINDS.items():
        numbers = range(first, first + PHOTOS_PER_KIND)
        urls = {f"{photos}/{kind}/{number}.{ending}": size_of(number) for number in numbers}
        options = {"--workflow": workflow, "--size": size, "--callback-url": callback_url}
        made.append(ProducerRun(PHOTO_QUEUE, pool, PHOTO_SCRIPT, (*urls, *_words(options)), urls))
        first += PHOTOS_PER_KIND
    return made


def _words(options: dict[str, object]) -> tuple[str, ...]:
    return tuple(f"{name}={value}" for name, value in options.items())
