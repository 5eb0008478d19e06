"""A ComfyUI that answers and does not get on: found, marked for its restart, and left behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fakes.worker_comfyui import Script, gone
from fakes.worker_loop import preconditions
from fakes.worker_world import Node, World, first_attempt
from genpool_core import timing
from genpool_core.errors import AttemptFailed
from genpool_core.identity import prompt_id, task_key
from genpool_worker.adapters.restart_mark import RestartMarkFile
from genpool_worker.comfyui.stuck import Stuck, follow, is_wedged
from genpool_worker.comfyui.wedge import Wedge
from genpool_worker.errors import ComfyUISilent, HandBack
from genpool_worker.pipeline.attempt import Told
from genpool_worker.ports import WedgeReport
from genpool_worker.preconditions import Preconditions

KEY = task_key("pool-uid", "t", {})
PROMPT = prompt_id(KEY, 1, 1)
HEED = timing.COMFYUI_HEED_SECONDS


# The decision -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("looks", "wedged"),
    [
        ([], False),
        ([(0, "a")], False),
        ([(0, "a"), (HEED - 0.1, "a")], False),
        ([(0, "a"), (HEED, "a")], True),
        ([(0, "a"), (5, "a"), (HEED, "a")], True),
        # Another prompt, or none in between: the wait is the new one's.
        ([(0, "a"), (5, "b"), (HEED, "b")], False),
        ([(0, "a"), (5, "b"), (5 + HEED, "b")], True),
        ([(0, "a"), (5, None), (HEED, "a")], False),
        ([(0, "a"), (5, None), (6, "a"), (6 + HEED, "a")], True),
        ([(0, "a"), (100, None)], False),
    ],
)
def test_looks(looks: list[tuple[float, str | None]], *, wedged: bool) -> None:
    stuck: Stuck | None = None
    now = 0.0
    for now, seen in looks:
        stuck = follow(stuck, seen, now)
    assert is_wedged(stuck, now) is wedged


# A run --------------------------------------------------------------------------------------------------------------


def run(node: Node) -> None:
    first_attempt(node, KEY).run(Told())


def test_a_run_that_heeds_no_interrupt(world: World) -> None:
    node = world.worker("w1", Script("blocked"))
    started = world.clock.time
    with pytest.raises(AttemptFailed, match="did not stop a prompt") as caught:
        run(node)
    assert (caught.value.reason, caught.value.retryable) == ("Wedged", True)
    assert node.comfyui.stopped == [PROMPT]
    assert node.mark.prompt_id == PROMPT
    assert 600 + HEED <= world.clock.time - started < 600 + HEED + 5


def test_a_run_that_heeds_it_late(world: World) -> None:
    """It ends between two looks: the time was over, and ComfyUI gets on."""
    node = world.worker("w1", Script("blocked"))
    times = []

    def end() -> None:
        times.append(world.clock.time)
        node.comfyui.restart()

    run_until(node, lambda: len(node.comfyui.stopped) == 1, end)
    with pytest.raises(AttemptFailed) as caught:
        run(node)
    assert caught.value.reason == "TimedOut"
    assert times
    assert node.mark.prompt_id is None


def run_until(node: Node, condition: Callable[[], bool], act: Callable[[], None]) -> None:
    """Do something before the first step at which a condition holds."""

    def check() -> None:
        if condition():
            act()
        else:
            node.steps.between[len(node.steps.names) + 1] = check

    node.steps.between[1] = check


def test_a_prompt_that_never_begins_though_nothing_runs(world: World) -> None:
    """Long before its time is over; it stays in the queue, because the mark counts as long as it is there."""
    node = world.worker("w1", Script("unbegun"))
    started = world.clock.time
    with pytest.raises(AttemptFailed, match="did not begin the prompt") as caught:
        run(node)
    assert (caught.value.reason, caught.value.retryable) == ("Wedged", True)
    assert world.clock.time - started <= HEED + 2 * timing.COMFYUI_POLL_SECONDS
    assert node.mark.prompt_id == PROMPT
    assert node.comfyui.pending == [PROMPT]


def behind_another(world: World, *, blocked: bool) -> Node:
    """A ComfyUI that runs a prompt which no worker sent: a person's, or one of a node that posts prompts itself."""
    node = world.worker("w1", Script("unbegun"))
    node.comfyui.foreign.append("another")
    node.comfyui.blocked |= {"another"} if blocked else set()
    return node


def test_a_prompt_that_waits_behind_another_for_its_whole_time(world: World) -> None:
    """The other one has its time, and is interrupted then: the next attempt would wait for it, too."""
    node = behind_another(world, blocked=False)
    started = world.clock.time
    with pytest.raises(AttemptFailed, match="behind another one") as caught:
        run(node)
    assert (caught.value.reason, caught.value.retryable) == ("TimedOut", True)
    assert world.clock.time - started >= 600
    assert node.comfyui.stopped == [PROMPT, "another"]
    assert node.mark.prompt_id is None


def test_a_prompt_behind_another_that_does_not_stop(world: World) -> None:
    node = behind_another(world, blocked=True)
    with pytest.raises(AttemptFailed) as caught:
        run(node)
    assert caught.value.reason == "Wedged"
    assert node.mark.prompt_id == "another"
    checks = preconditions(world, node)
    assert all("wedged" in str(said) for said in look(world, checks, 5))
    node.comfyui.restart()
    assert checks.trouble() is None
    assert node.mark.prompt_id is None


@pytest.mark.parametrize("result", ["blocked", "unbegun"])
def test_nobody_waits_for_a_wedged_comfyui_in_a_drain(world: World, result: str) -> None:
    """No container is restarted in a pod that goes."""
    node = world.worker("w1", Script(result))  # type: ignore[arg-type] - both are results
    node.context.drain.begin()
    with pytest.raises(HandBack):
        run(node)
    assert node.mark.prompt_id is None


@pytest.mark.parametrize("error", [ComfyUISilent("slow"), gone()])
def test_a_comfyui_that_does_not_answer_is_not_called_wedged(world: World, error: ComfyUISilent) -> None:
    """Its liveness script finds that by itself, and more patiently."""
    node = world.worker("w1", Script("blocked"))

    def away() -> None:
        node.steps.fail_on, node.steps.fail_with = "comfyui.where", error

    run_until(node, lambda: len(node.comfyui.stopped) == 1, away)
    with pytest.raises(AttemptFailed) as caught:
        run(node)
    assert caught.value.reason == "TimedOut"
    assert node.mark.prompt_id is None


def test_how_often_in_a_row(world: World) -> None:
    node = world.worker("w1", Script("blocked", "blocked", "ok", "blocked"))
    seen = []
    for _ in range(4):
        try:
            run(node)
        except AttemptFailed:
            node.comfyui.restart()
        node.comfyui.entries.clear()
        seen.append(node.context.wedge.report().times)
    assert seen == [1, 2, 0, 1]


# Between tasks ------------------------------------------------------------------------------------------------------


def look(world: World, checks: Preconditions, seconds: float) -> list[str | None]:
    """What it says, at each half second."""
    found = []
    for _ in range(int(seconds * 2)):
        found.append(checks.trouble())
        world.clock.sleep(0.5)
    return found


def left(world: World, *, blocked: bool) -> Node:
    """A ComfyUI with a prompt of an attempt that was given up."""
    node = world.worker("w1")
    node.comfyui.running.append("left")
    node.comfyui.blocked |= {"left"} if blocked else set()
    return node


def test_a_leftover_that_stops_is_no_wedge(world: World) -> None:
    node = left(world, blocked=False)
    said = look(world, preconditions(world, node), 1)
    assert "told to stop" in str(said[0])
    assert said[1] is None
    assert node.mark.prompt_id is None


def test_a_leftover_that_does_not_stop(world: World) -> None:
    node = left(world, blocked=True)
    checks = preconditions(world, node)
    assert all("told to stop" in str(said) for said in look(world, checks, HEED))
    assert node.mark.prompt_id is None
    assert all("wedged" in str(said) for said in look(world, checks, 5))
    assert node.mark.prompt_id == "left"
    assert node.context.wedge.report() == WedgeReport(4.5, 1)
    node.comfyui.restart()
    assert look(world, checks, 1) == [None, None]
    assert node.mark.prompt_id is None
    assert node.context.wedge.report() == WedgeReport(None, 1)


def test_a_silent_comfyui_between_two_looks_begins_the_wait_anew(world: World) -> None:
    node = left(world, blocked=True)
    checks = preconditions(world, node)
    look(world, checks, HEED - 1)
    node.steps.fail_on = "comfyui.ours"
    look(world, checks, 2)
    node.steps.fail_on = None
    look(world, checks, HEED)
    assert node.mark.prompt_id is None
    look(world, checks, 1)
    assert node.mark.prompt_id == "left"


def test_a_prompt_that_did_not_begin_stays_until_the_restart(world: World) -> None:
    node = world.worker("w1", Script("unbegun"))
    with pytest.raises(AttemptFailed):
        run(node)
    checks = preconditions(world, node)
    assert all("wedged" in str(said) for said in look(world, checks, 5))
    assert node.comfyui.pending == [PROMPT]
    node.comfyui.restart()
    assert checks.trouble() is None


def test_a_wedge_that_ends_by_itself(world: World) -> None:
    node = world.worker("w1", Script("blocked"))
    with pytest.raises(AttemptFailed):
        run(node)
    node.comfyui.running.clear()
    assert preconditions(world, node).trouble() is None
    assert node.mark.prompt_id is None


def test_another_prompt_of_ours_is_another_life(world: World) -> None:
    node = left(world, blocked=True)
    node.context.wedge.begin("of an earlier life")
    assert "told to stop" in str(preconditions(world, node).trouble())
    assert node.mark.prompt_id is None


def test_a_worker_that_was_restarted_goes_on_where_the_last_one_was(world: World) -> None:
    """It does not drop the prompt that the mark names, and counts from its own first look."""
    node = world.worker("w1", Script("unbegun"))
    with pytest.raises(AttemptFailed):
        run(node)
    again = Wedge(node.mark, world.clock)
    assert again.report() == WedgeReport(None, 0)
    checks = preconditions(world, node, again)
    look(world, checks, 5)
    assert node.comfyui.pending == [PROMPT]
    assert again.report().seconds == pytest.approx(4.5)


def test_both_were_restarted(world: World) -> None:
    node = world.worker("w1")
    node.mark.prompt_id = "of an earlier life"
    wedge = Wedge(node.mark, world.clock)
    checks = preconditions(world, node, wedge)
    assert checks.trouble() is None
    assert node.mark.prompt_id is None


def test_what_was_not_looked_at_is_not_said_to_last(world: World) -> None:
    node = left(world, blocked=True)
    checks = preconditions(world, node)
    look(world, checks, HEED + 1)
    before = node.context.wedge.report()
    world.clock.sleep(1000)
    assert node.context.wedge.report() == before


# The file -----------------------------------------------------------------------------------------------------------


def test_the_mark(tmp_path: Path) -> None:
    mark = RestartMarkFile(tmp_path / "restart")
    assert mark.read() is None
    mark.write("one")
    mark.write("two")
    assert mark.read() == RestartMarkFile(tmp_path / "restart").read() == "two"
    assert (tmp_path / "restart").stat().st_mode & 0o777 == 0o644
    assert [path.name for path in tmp_path.iterdir()] == ["restart"]
    mark.clear()
    mark.clear()
    assert mark.read() is None


def test_a_mark_that_cannot_be_written_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mark = RestartMarkFile(tmp_path / "not there" / "restart")
    mark.write("one")
    mark.clear()
    assert mark.read() is None
    assert "Mount a volume there" in capsys.readouterr().out
