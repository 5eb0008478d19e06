"""When a prompt began and ended: by ComfyUI's history, else by the frames of its websocket."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from genpool_core.jsontypes import JsonObject, JsonValue
from genpool_worker.comfyui.run_times import RunTimes
from genpool_worker.comfyui_json import Frame, HistoryEntry
from genpool_worker.pipeline.trace import AttemptTrace

POSTED = datetime(2026, 11, 26, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return POSTED + timedelta(seconds=seconds)


def message(kind: str, seconds: float | None) -> JsonValue:
    data: JsonObject = {} if seconds is None else {"timestamp": int(at(seconds).timestamp() * 1000)}
    return [kind, data]


def entry(*messages: JsonValue) -> HistoryEntry:
    return HistoryEntry.read_object({"status": {"messages": list(messages)}})


def frame(kind: str, prompt_id: str = "p", **data: JsonValue) -> Frame:
    return Frame.read_object({"type": kind, "data": {"prompt_id": prompt_id, **data}})


def submitted() -> RunTimes:
    return RunTimes(posted=POSTED, submitted=at(0.1))


def test_the_history_tells_both() -> None:
    times = submitted()
    times.feed(frame("execution_start"), "p", at(1.2))
    times.learn(entry(message("execution_start", 1), message("execution_success", 8)), at(9))
    assert (times.started, times.finished) == (at(1), at(8))
    assert times.seconds(at(100)) == 7


@pytest.mark.parametrize("last", ["execution_error", "execution_interrupted"])
def test_a_run_that_failed_has_its_end_too(last: str) -> None:
    times = submitted()
    times.learn(entry(message("execution_start", 1), message(last, 3)), at(9))
    assert times.seconds(at(100)) == 2


def test_the_frame_that_ends_it_counts_where_it_was_seen() -> None:
    times = submitted()
    times.feed(frame("executing", node=None), "p", at(8.1))
    times.learn(entry(message("execution_start", 1), message("execution_success", 8)), at(9))
    assert times.finished == at(8.1)


@pytest.mark.parametrize("start", [None, -60, 3600])
def test_a_history_without_times_that_can_be(start: float | None) -> None:
    times = submitted()
    times.feed(frame("execution_start"), "p", at(2))
    times.feed(frame("executing", node="3"), "p", at(3))
    times.learn(entry(message("execution_start", start), message("execution_success", None)), at(9))
    assert (times.started, times.finished) == (at(2), at(9))


def test_frames_of_another_prompt_tell_nothing() -> None:
    times = submitted()
    times.feed(frame("execution_start", "other"), "p", at(2))
    times.feed(frame("executing", "other", node=None), "p", at(3))
    assert times == submitted()


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        pytest.param(RunTimes(), 0.0, id="nothing was posted"),
        pytest.param(RunTimes(posted=POSTED), 0.0, id="it was refused"),
        pytest.param(submitted(), None, id="whether it began was not seen"),
        pytest.param(RunTimes(POSTED, POSTED, at(5)), 15.0, id="its end was not seen: until now"),
        pytest.param(RunTimes(POSTED, POSTED, at(5), at(9)), 4.0, id="it ended"),
        pytest.param(RunTimes(POSTED, POSTED, at(9), at(5)), 0.0, id="never less than nothing"),
    ],
)
def test_how_long_it_ran(times: RunTimes, expected: float | None) -> None:
    assert times.seconds(at(20)) == expected


def test_the_runs_of_an_attempt_add_up_on_all_gpus() -> None:
    trace = AttemptTrace(gpus=2)
    assert trace.gpu_seconds(at(0)) == 0
    trace.runs += [RunTimes(POSTED, at(0), at(1), at(3)), RunTimes(at(4), at(4), at(5), at(8))]
    assert trace.gpu_seconds(at(100)) == 10
    times = trace.times(enqueued=None, claimed=at(-1), ended=at(9))
    assert (times.submitted, times.started, times.finished) == (at(0), at(1), at(8))


def test_an_attempt_whose_run_was_not_seen_is_not_known_to_be_free() -> None:
    assert AttemptTrace(runs=[submitted()]).gpu_seconds(at(9)) is None
