"""What a log shows of a long command."""

from __future__ import annotations

import io
import re
import threading

import pytest

from genpool_dev.progress import Steps, seconds


@pytest.mark.parametrize(
    ("span", "shown"), [(0.04, "0.0 s"), (12.34, "12.3 s"), (59.9, "59.9 s"), (250, "4 min 10 s")]
)
def test_times_are_written_for_a_person(span: float, shown: str) -> None:
    assert seconds(span) == shown


def test_a_log_gets_plain_lines_with_times() -> None:
    log = io.StringIO()
    with Steps(log).step("Building [kube]", "about 4 min") as step:
        step.result("from the cache")
    first, last = log.getvalue().splitlines()
    assert first == "… Building [kube] (about 4 min)"
    assert re.fullmatch(r"✓ Building \[kube\]: \d+\.\d s \(from the cache\)", last)


def test_a_step_that_fails_says_so_and_lets_the_error_through() -> None:
    log = io.StringIO()
    with pytest.raises(OSError, match="no disk"), Steps(log).step("Writing"):
        raise OSError("no disk")
    assert "✗ Writing: failed after" in log.getvalue()
    assert "✓" not in log.getvalue()


def test_steps_of_several_threads_keep_their_lines_whole() -> None:
    log = io.StringIO()
    steps = Steps(log)

    def work(name: str) -> None:
        with steps.step(name):
            pass

    threads = [threading.Thread(target=work, args=(f"part-{number}",)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = log.getvalue().splitlines()
    assert len(lines) == 40
    assert all(re.match(r"[…✓] part-\d+", line) for line in lines)
