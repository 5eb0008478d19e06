"""What ComfyUI's answers mean."""

from __future__ import annotations

from typing import Any

import pytest

from genpool_core.errors import AttemptFailed
from genpool_worker.comfyui import result
from genpool_worker.comfyui_json import HistoryEntry, PromptAnswer
from genpool_worker.errors import ComfyUIRefused
from genpool_worker.ports import OutputRef


def entry(*messages: object, status: object = "error", outputs: dict[str, Any] | None = None) -> HistoryEntry:
    status = {"status_str": status, "messages": list(messages)}
    return HistoryEntry.read_object({"outputs": outputs or {}, "status": status})


def failed(exception_type: object, message: object) -> HistoryEntry:
    data = {
        "node_id": "3",
        "node_type": "KSampler",
        "exception_type": exception_type,
        "exception_message": message,
        "traceback": ["/opt/secret/path.py"],
    }
    return entry(["execution_start", {}], ["execution_error", data])


@pytest.mark.parametrize(
    ("history", "reason", "retryable"),
    [
        (failed("ValueError", "bad shapes"), "NodeFailed", False),
        (failed("torch.OutOfMemoryError", "tried to allocate"), "OutOfMemory", True),
        (failed("torch.cuda.OutOfMemoryError", "x"), "OutOfMemory", True),
        (failed("RuntimeError", "Allocation on device 0 would exceed"), "OutOfMemory", True),
        (failed("RuntimeError", "CUDA error: an illegal memory access"), "DeviceFailed", True),
        (failed("RuntimeError", "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR"), "DeviceFailed", True),
        (failed("RuntimeError", "HIP error: invalid device function"), "DeviceFailed", True),
        (failed("RuntimeError", "NVML_SUCCESS == r INTERNAL ASSERT FAILED"), "DeviceFailed", True),
        (failed("RuntimeError", "device-side assert triggered"), "DeviceFailed", True),
        (failed("MemoryError", ""), "OutOfMemory", True),
        (
            failed("numpy._core._exceptions._ArrayMemoryError", "Unable to allocate 7 GiB"),
            "OutOfMemory",
            True,
        ),
        (
            failed(
                "RuntimeError",
                "[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory",
            ),
            "OutOfMemory",
            True,
        ),
        (failed("RuntimeError", "DefaultCPUAllocator: not enough memory: you tried to"), "OutOfMemory", True),
        (failed("RuntimeError", "MPS backend out of memory"), "OutOfMemory", True),
        (failed("RuntimeError", "CUDA error: CUBLAS_STATUS_ALLOC_FAILED"), "OutOfMemory", True),
        (failed("torch.AcceleratorError", "CUDA error: out of memory"), "OutOfMemory", True),
        (failed("torch.AcceleratorError", "CUDA error: unspecified launch failure"), "DeviceFailed", True),
        (failed("OSError", "[Errno 12] Cannot allocate memory"), "OutOfMemory", True),
        (failed("OSError", "[Errno 2] No such file"), "NodeFailed", False),
        (
            failed("OSError", "[Errno 28] No space left on device: '/scratch/output/a.png'"),
            "ScratchFull",
            True,
        ),
        (failed("OSError", "[Errno 122] Disk quota exceeded"), "ScratchFull", True),
        (failed("OSError", "[Errno 30] Read-only file system: '/models/x'"), "VolumeFailed", True),
        (failed("PermissionError", "[Errno 13] Permission denied: '/scratch/output'"), "VolumeFailed", True),
        (failed("OSError", "[Errno 5] Input/output error"), "VolumeFailed", True),
        (failed("ValueError", "[Errno 28] No space left on device"), "NodeFailed", False),
        (failed("OSError", "no [Errno 28] at its beginning"), "NodeFailed", False),
        (failed("ValueError", "prompt: a man out of memory, CUDA error tattoo"), "NodeFailed", False),
        (failed("ValueError", "can't allocate memory for this shape"), "NodeFailed", False),
        (failed("KeyError", "'OutOfMemory'"), "NodeFailed", False),
        (failed("Exception", "CUDA error in my text"), "NodeFailed", False),
        (entry(["execution_interrupted", {"node_id": "3"}]), "Interrupted", True),
        (entry(), "NodeFailed", False),
        (entry(["execution_interrupted", None], 5, None, [], [None, {}]), "Interrupted", True),
        (failed(None, 5), "NodeFailed", False),
        (entry(status=None), "NodeFailed", False),
        (entry(status="success"), "NoOutput", False),
        (entry(status="success", outputs={"1": {"text": ["hello"], "animated": [True]}}), "NoOutput", False),
        (
            entry(status="success", outputs={"1": {"images": [{"filename": "a.png", "type": "temp"}]}}),
            "NoOutput",
            False,
        ),
    ],
)
def test_a_run_without_result(history: HistoryEntry, reason: str, *, retryable: bool) -> None:
    with pytest.raises(AttemptFailed) as caught:
        result.outputs_of(history)
    assert (caught.value.reason, caught.value.retryable) == (reason, retryable)
    assert "/opt/secret" not in caught.value.message


def test_the_failing_node_is_named() -> None:
    with pytest.raises(AttemptFailed, match=r"node 3 \(KSampler\) failed: ValueError: bad  *shapes"):
        result.outputs_of(failed("ValueError", "bad\n\n shapes"))


def test_a_failure_without_a_word_is_told() -> None:
    with pytest.raises(AttemptFailed, match=r"^node \? \(\?\) failed: no reason was given$"):
        result.outputs_of(entry())


def test_a_history_without_a_status_is_that_of_a_success() -> None:
    history = HistoryEntry.read_object({"outputs": {"9": {"images": [{"filename": "a.png"}]}}})
    assert result.outputs_of(history) == [OutputRef("9", "images", "a.png", "", "output")]


def test_a_long_message_is_cut() -> None:
    with pytest.raises(AttemptFailed) as caught:
        result.outputs_of(failed("ValueError", "x" * 10_000))
    assert len(caught.value.message) == result.MAX_MESSAGE


def test_outputs_in_order_of_nodes() -> None:
    def image(name: str, kind: str = "output") -> dict[str, str]:
        return {"filename": name, "subfolder": "s", "type": kind}

    history = entry(
        status="success",
        outputs={
            "12": {"images": [image("c.png"), image("d.png")]},
            "9": {"gifs": [image("b.mp4")], "images": [image("p.png", "temp"), "odd", {"type": "output"}]},
        },
    )
    assert result.outputs_of(history) == [
        OutputRef("9", "gifs", "b.mp4", "s", "output"),
        OutputRef("12", "images", "c.png", "s", "output"),
        OutputRef("12", "images", "d.png", "s", "output"),
    ]
    assert {ref.filename for ref in result.left_behind(history)} == {"b.mp4", "p.png", "c.png", "d.png"}


@pytest.mark.parametrize("odd", [None, 5, "a.png", [], {"text": "b.png"}, {"images": {"filename": "b.png"}}])
def test_what_else_nodes_show_hides_no_file(odd: object) -> None:
    images = [odd, {"filename": 5}, {"filename": "c.png", "type": 5}, {"filename": "a.png"}]
    shown = {"animated": [False], "text": ["b.png"], "images": images}
    files = entry(status="success", outputs={"1": odd, "2": shown, "3": {"images": odd}})
    assert result.outputs_of(files) == [OutputRef("2", "images", "a.png", "", "output")]


@pytest.mark.parametrize("status", [None, "success", [], {}])
def test_an_entry_without_a_status_is_a_success(status: object) -> None:
    outputs = {"1": {"images": [{"filename": "a.png", "subfolder": None, "type": ""}]}}
    files = HistoryEntry.read_object({"status": status, "outputs": outputs})
    assert result.outputs_of(files) == [OutputRef("1", "images", "a.png", "", "output")]


@pytest.mark.parametrize(
    ("cached", "subfolder", "own"),
    [
        (["1"], "", True),
        (["2"], "", False),
        ([2], "elsewhere", False),
        (["1", "2"], "genpool/a-1", True),
        (["2"], "genpool/a-1/deeper", True),
        (["2"], "genpool/a-12", False),
        (["2"], "genpool", False),
        ([None, {}], "", True),
        ("2", "", True),
    ],
)
def test_a_result_from_the_cache_counts_only_in_the_attempts_own_folder(
    cached: object, subfolder: str, *, own: bool
) -> None:
    images = [{"filename": "a.png", "subfolder": subfolder, "type": "output"}]
    messages = [["execution_start", {}], ["execution_cached", {"nodes": cached}], ["execution_success", {}]]
    run = entry(*messages, status="success", outputs={"2": {"images": images}})
    if own:
        result.check_own(run, result.outputs_of(run), "genpool/a-1")
        return
    with pytest.raises(AttemptFailed, match=r"node 2 from its cache") as caught:
        result.check_own(run, result.outputs_of(run), "genpool/a-1")
    assert (caught.value.reason, caught.value.retryable) == ("OutputMissing", True)


NODE_ERRORS = {
    "4": {
        "class_type": "CheckpointLoaderSimple",
        "errors": [
            {
                "type": "value_not_in_list",
                "message": "Value not in list",
                "details": "ckpt_name: 'x' not in ['a']",
                "extra_info": {"traceback": "/opt/secret"},
            }
        ],
    }
}


@pytest.mark.parametrize(
    ("status", "body", "reason", "retryable", "part"),
    [
        (
            400,
            {"error": {"message": "failed"}, "node_errors": NODE_ERRORS},
            "InvalidPrompt",
            False,
            "ckpt_name",
        ),
        (
            400,
            {"error": {"message": "Prompt has no outputs", "details": ""}, "node_errors": {}},
            "InvalidPrompt",
            False,
            "no outputs",
        ),
        (400, None, "InvalidPrompt", False, "no reason"),
        (400, {"error": "text", "node_errors": []}, "InvalidPrompt", False, "no reason"),
        (
            400,
            {"error": None, "node_errors": {"4": None, "5": {"errors": [5]}}},
            "InvalidPrompt",
            False,
            "node 5 (?)",
        ),
        (413, None, "InvalidPrompt", False, "size"),
        (500, None, "ComfyUIError", True, "500"),
    ],
)
def test_refused(status: int, body: Any, reason: str, *, retryable: bool, part: str) -> None:  # noqa: ANN401 - JSON
    failure = result.refused(ComfyUIRefused(f"ComfyUI answered {status}.", status=status, body=body))
    assert (failure.reason, failure.retryable) == (reason, retryable)
    assert part in failure.message
    assert "/opt/secret" not in failure.message


def test_a_node_error_that_cannot_be_read_is_one_all_the_same() -> None:
    assert PromptAnswer.read_object({"node_errors": {"4": None}}).node_errors
    assert not PromptAnswer.read_object({"node_errors": [None]}).node_errors


def test_dropped_outputs() -> None:
    failure = result.dropped_outputs(PromptAnswer.read_object({"node_errors": NODE_ERRORS}).node_errors)
    assert (failure.reason, failure.retryable) == ("InvalidPrompt", False)
    assert "node 4 (CheckpointLoaderSimple)" in failure.message
