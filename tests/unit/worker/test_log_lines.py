"""Which of ComfyUI's log lines stand in an end record, and what of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from genpool_worker.comfyui.log_lines import MOST_CHARACTERS, MOST_LINES, lines_since
from genpool_worker.comfyui_json import LogEntry, RawLog

POSTED = datetime(2026, 11, 26, 12, 0, 0, 500_000, tzinfo=UTC)


def written(seconds: float, text: str, zone: float = 0) -> LogEntry:
    """A write of ComfyUI's, in a container whose clock is so many hours ahead of UTC."""
    local = POSTED.replace(tzinfo=None) + timedelta(seconds=seconds, hours=zone)
    return LogEntry(t=local.isoformat(), m=text)


@pytest.mark.parametrize("zone", [0, 1, 5.75, -8, 14])
def test_lines_since_the_prompt_was_posted(zone: float) -> None:
    entries = [
        written(-1900, "got prompt\n", zone),
        written(-1850, "the task before failed\n", zone),
        written(0.01, "got prompt\n", zone),
        written(2, "Requested to load DDColor\n", zone),
        written(900, "!!! Exception during processing !!! bad\n", zone),
        written(
            900.001, 'Traceback (most recent call last):\n  File "nodes.py", line 1\nValueError: bad\n', zone
        ),
    ]
    assert lines_since(entries, POSTED) == [
        "got prompt",
        "Requested to load DDColor",
        "!!! Exception during processing !!! bad",
        "Traceback (most recent call last):",
        '  File "nodes.py", line 1',
        "ValueError: bad",
    ]


def test_without_a_known_zone_times_are_taken_for_utc() -> None:
    entries = [written(-5, "before\n"), written(5, "after\n")]
    assert lines_since(entries, POSTED) == ["after"]
    assert not lines_since([written(5, "after\n", zone=-3)], POSTED)


def test_a_line_may_be_written_in_parts() -> None:
    assert lines_since([written(1, "a"), written(1, " b"), written(1, "\n")], POSTED) == ["a b"]


def test_a_progress_bar_shows_its_last_state() -> None:
    entries = [written(1, "\r 10%|# | 1/10"), written(2, "\r100%|##| 10/10"), written(2, "\n")]
    assert lines_since(entries, POSTED) == ["100%|##| 10/10"]


def test_windows_line_ends() -> None:
    assert lines_since([written(1, "a\r\nb\r\n")], POSTED) == ["a", "b"]


def test_the_last_lines_count() -> None:
    entries = [written(number / 10, f"line {number}\n\n") for number in range(1, 51)]
    found = lines_since(entries, POSTED)
    assert (len(found), found[-1]) == (MOST_LINES, "line 50")


def test_a_long_line_is_cut() -> None:
    (line,) = lines_since([written(1, "x" * 100_000)], POSTED)
    assert len(line) == MOST_CHARACTERS
    (line,) = lines_since([written(1, " " * 400 + "x" * 1000)], POSTED)
    assert len(line) <= MOST_CHARACTERS


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET https://u:p@a.example/x.png?token=s3cr3t failed", "GET https://a.example/x.png failed"),
        ("'HTTPS://a.example/x?k=s3cr3t#f'", "'https://a.example/x'"),
        ("s3://bucket/key?X-Amz-Signature=s3cr3t", "s3://bucket/key"),
        ("data:image/png;base64,aaaas3cr3t", "data:image/png;base64,…"),
        ("\x1b[31mred\x1b[0m \x07bell", "red bell"),
    ],
)
def test_no_secret_and_no_escape_is_shown(text: str, shown: str) -> None:
    assert lines_since([written(1, f"{text}\n")], POSTED) == [shown]


@pytest.mark.parametrize("time", ["", "yesterday", "0001-01-01T00:00:00", "9999-12-31T23:59:59.999999", "12"])
def test_times_that_cannot_be_hide_their_lines_at_most(time: str) -> None:
    odd = LogEntry(t=time, m="got prompt\n")
    assert "after" in lines_since([odd, written(5, "after\n"), odd], POSTED)


@pytest.mark.parametrize(
    "answer", [None, [], "text", {"entries": None}, {"entries": [None, 1, {"t": 1, "m": 2}, {"m": "\ud800"}]}]
)
def test_an_answer_that_is_none(answer: object) -> None:
    assert not lines_since(RawLog.read_object(answer).entries, POSTED)
