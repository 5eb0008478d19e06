"""StandInSettings, faults, cache, queue, memory, drawing: each as values."""

from __future__ import annotations

import pytest

from genpool_dev.comfyui import draw, vram
from genpool_dev.comfyui.cache import NodeResult, ResultCache, signatures
from genpool_dev.comfyui.executor import execution_order
from genpool_dev.comfyui.faults import Fault, UnknownFaultError, faults_in, parse_fault
from genpool_dev.comfyui.jobqueue import JobQueue
from genpool_dev.comfyui.settings import load_settings
from genpool_dev.comfyui.web_common import origin_allowed
from genpool_dev.comfyui.wire import Graph


def test_flags_win_over_environment_and_defaults() -> None:
    env = {"COMFYUI_STANDIN_STEP_SECONDS": "0.5", "COMFYUI_STANDIN_VRAM_GB": "8"}
    settings = load_settings(["--standin-vram-gb", "16", "--cache-lru", "4"], env)
    assert (settings.step_seconds, settings.vram_gb, settings.cache_lru) == (0.5, 16.0, 4)
    assert (settings.load_seconds, settings.port, settings.listen) == (0.0, 8188, ("127.0.0.1",))
    assert settings.profile.version == "0.33.0"


def test_directories_as_comfyui_takes_them() -> None:
    settings = load_settings(["--base-directory", "/data", "--temp-directory", "/fast"], {})
    assert str(settings.input_directory) == "/data/input"
    assert str(settings.output_directory) == "/data/output"
    assert str(settings.temp_directory) == "/fast/temp"


def test_listen_without_an_address_is_everywhere() -> None:
    assert load_settings(["--listen"], {}).listen == ("0.0.0.0", "::")  # noqa: S104  compared


@pytest.mark.parametrize(
    ("flags", "env", "said"),
    [
        (["--turbo"], {}, "unrecognized arguments: --turbo"),
        (["--outp", "x"], {}, "unrecognized arguments: --outp x"),
        ([], {"COMFYUI_STANDIN_LOAD_SECONDS": "soon"}, "load_seconds must be a number of seconds"),
        (["--standin-vram-gb", "-1"], {}, "vram_gb must lie between 0 and 4096"),
        ([], {"COMFYUI_STANDIN_IGNORE_SIGTERM": "maybe"}, "ignore_sigterm must be true or false"),
        ([], {"COMFYUI_STANDIN_VERSION": "1.0"}, "version must be one of 0.33.0, 0.3.64"),
        (["--cache-lru", "-1"], {}, "--cache-lru must be 0 or more"),
    ],
)
def test_refusals_are_sentences(
    flags: list[str], env: dict[str, str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        load_settings(flags, env)
    assert left.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("crash", Fault("crash")),
        ("hang:once", Fault("hang", once=True)),
        ("hang=2.5", Fault("hang", 2.5)),
        ("slow=3:once", Fault("slow", 3.0, once=True)),
        ("slow", None),
        ("explode", None),
        ("crash:twice", None),
        ("", None),
    ],
)
def test_faults_are_read_or_refused(text: str, fault: Fault | None) -> None:
    if fault is None:
        with pytest.raises(UnknownFaultError):
            parse_fault(text)
    else:
        assert parse_fault(text) == fault


def test_faults_stand_anywhere_in_a_prompts_texts() -> None:
    graph: Graph = {
        "1": {"class_type": "A", "inputs": {"text": "a [standin:slow=2] b [standin:oom]", "n": 3}},
        "2": {"class_type": "B", "inputs": {"prefix": "[standin:wedge:once]", "of": ["1", 0]}},
    }
    assert [fault.name for fault in faults_in(graph)] == ["slow", "oom", "wedge"]


def _chain(colour: int = 1, prefix: str = "p") -> Graph:
    return {
        "1": {"class_type": "EmptyImage", "inputs": {"color": colour}},
        "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": prefix}},
    }


def test_signatures_follow_what_goes_in_not_ids() -> None:
    base = signatures(_chain(), {})
    assert signatures(_chain(), {}) == base
    other_colour = signatures(_chain(colour=2), {})
    assert not set(base.values()) & set(other_colour.values())
    other_prefix = signatures(_chain(prefix="q"), {})
    assert [base[n] == other_prefix[n] for n in "123"] == [True, True, False]
    renamed = {"9": _chain()["1"]}
    assert signatures(renamed, {})["9"] == base["1"]
    salted = signatures(_chain(), {"1": "other bytes"})
    assert not set(base.values()) & set(salted.values())


def test_what_the_cache_keeps() -> None:
    result = NodeResult(("value",))
    usual, none, lru = (
        ResultCache(none=False, lru=0),
        ResultCache(none=True, lru=0),
        ResultCache(none=False, lru=2),
    )
    for cache in (usual, none, lru):
        for key in "abc":
            cache.put(key, result)
        cache.start_prompt({"c", "d"})
    assert [usual.get(key) is not None for key in "abc"] == [False, False, True]
    assert [none.get(key) is not None for key in "abc"] == [False, False, False]
    assert [lru.get(key) is not None for key in "abc"] == [False, True, True]
    lru.clear()
    assert lru.get("c") is None


def test_order_of_execution() -> None:
    graph = _chain()
    assert execution_order(graph, ["3"], lambda _: False) == ["1", "2", "3"]
    assert execution_order(graph, ["3"], lambda node: node == "2") == ["3"]
    assert execution_order(graph, ["3"], lambda _: True) == ["3"]
    assert execution_order(graph, ["2", "3"], lambda _: False) == ["1", "2", "3"]


async def _queue_story() -> None:
    changes: list[int] = []
    queue = JobQueue(lambda: changes.append(1))
    for number, prompt_id in ((5, "e"), (1, "b"), (1, "a"), (-2, "front"), (9, "gone")):
        queue.put(number, prompt_id, {}, {}, ("1",))
    assert queue.delete(["gone", "unknown"]) is True
    assert queue.delete(["gone"]) is False
    order = []
    while queue.remaining:
        job = await queue.get()
        assert job is not None
        order.append(job.prompt_id)
        assert queue.running is job
        queue.done(job, {"outputs": {}}, {"status_str": "success"})
    assert order == ["front", "a", "b", "e"]
    assert list(queue.history) == order
    assert len(changes) == 5 + 1 + 4 * 2
    queue.wake()
    assert await queue.get() is None


def test_the_queue_is_a_heap_by_number_then_id() -> None:
    import asyncio  # noqa: PLC0415  the one test that needs a loop

    asyncio.run(_queue_story())


def test_models_make_room_for_each_other() -> None:
    card = vram.Vram(7.0)
    assert card.load("v1-5.safetensors") is True
    assert card.load("v1-5.safetensors") is False
    assert card.free == 5 * vram.GIB
    assert card.load("sd_xl_base.safetensors") is True
    assert card.free == vram.GIB // 2
    assert card.load("v1-5.safetensors") is True
    with pytest.raises(vram.OutOfMemoryError, match=r"Tried to allocate 5\.00 GiB"):
        card.require(5 * vram.GIB + vram.GIB // 1000)
    with pytest.raises(vram.OutOfMemoryError):
        card.load("flux1-dev.safetensors")
    card.unload()
    assert card.free == card.total


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (8, 512), (512, 8), (640, 384)])
def test_pictures_of_any_size(size: tuple[int, int]) -> None:
    picture = draw.Picture(1, 20, "a very long prompt with 日落 " * 20, "", "model.safetensors")
    image = draw.paint(*size, picture)
    assert image.size == size
    assert draw.paint(*size, picture).tobytes() == image.tobytes()
    tinted = draw.tint(image, "ddcolor_artistic.pth")
    assert tinted.size == size


@pytest.mark.parametrize(
    ("asked", "crop", "got"),
    [
        ((10, 20), False, (10, 20)),
        ((10, 0), False, (10, 5)),
        ((0, 10), False, (20, 10)),
        ((0, 0), False, (40, 20)),
        ((10, 10), True, (10, 10)),
    ],
)
def test_scaling(*, asked: tuple[int, int], crop: bool, got: tuple[int, int]) -> None:
    image = draw.paint(40, 20, draw.Picture(1, 1, "", "", ""))
    assert draw.scale(image, "area", asked, crop=crop).size == got


@pytest.mark.parametrize(
    ("host", "origin", "allowed"),
    [
        ("127.0.0.1:8188", None, True),
        ("127.0.0.1:8188", "http://127.0.0.1:8188", True),
        ("127.0.0.1:8188", "http://127.0.0.1:9000", False),
        ("127.0.0.1:8188", "http://evil.example", False),
        ("localhost:8188", "http://localhost", True),
        ("comfyui.example", "http://other.example", True),
    ],
)
def test_origin_against_host(*, host: str, origin: str | None, allowed: bool) -> None:
    assert origin_allowed(host, origin) is allowed
