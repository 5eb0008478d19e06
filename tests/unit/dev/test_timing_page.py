"""The page of waits is drawn from the constants, and other pages name the times that are in force."""

from __future__ import annotations

from pathlib import Path

import pytest

from genpool_core import timing
from genpool_core.timing_rules import RULES
from genpool_dev.generate import timing as timing_page
from genpool_dev.generate.run import outputs
from genpool_dev.generate.timing_drawing import bar, draw, for_people, points
from genpool_dev.generate.timing_lines import drained_pod, from_zero_and_back, lost_worker
from genpool_dev.generate.timing_source import sections, times_of
from genpool_gateway.callbacks.disposition import delays

ROOT = Path(__file__).resolve().parents[3]


def test_every_time_and_every_rule_is_on_the_page() -> None:
    page = timing_page.page()
    assert all(f"\n| `{name}` | " in page for name in vars(timing) if name.isupper())
    assert all(f" | {rule.why} |\n" in page for rules in RULES.values() for rule in rules)
    assert all(f"\n## {title}\n" in page for title in RULES)


def test_make_verify_guards_the_page() -> None:
    assert outputs()[Path("docs/explanation/timing.md")] == timing_page.page()


def test_a_rule_is_readable_with_its_numbers() -> None:
    claims = next(section for section in sections() if section.title == "Claims")
    assert claims.rules[0].holds == "4 × (RENEW + CLAIM_CONNECT + CLAIM_READ) + STORE_CLOCK < LEASE"
    assert claims.rules[0].numbers == "29 < 30"


@pytest.mark.parametrize("text", ["WAIT_SECONDS = 1\nOTHER_SECONDS = 2\n'''Other.'''", "WAIT_SECONDS = 1"])
def test_a_time_needs_a_docstring(text: str) -> None:
    with pytest.raises(ValueError, match=r"WAIT_SECONDS in .* has no docstring"):
        times_of(text)


def test_the_sums_follow_the_constants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "LEASE_SECONDS", 60.0)
    monkeypatch.setattr(timing, "RELEASE_SECONDS", 5.0)
    monkeypatch.setattr(timing, "IDLE_SECONDS", 20)
    assert "begun again after at most 60 + 5 = 65 s" in " ".join(lost_worker().split())
    assert "closes down within 12.5 s" in drained_pod()
    assert "given up within 5 + 20 + 2 + 1 = 28 s" in " ".join(from_zero_and_back().split())


def test_the_last_look_comes_after_the_lease() -> None:
    """The drawing shows the worst case: every look but the last finds the claim alive."""
    rows = {row[:31].strip(): row[31:80] for row in lost_worker().splitlines() if "●" in row or "├" in row}
    alive = rows["the claim counts as alive"]
    assert rows["the next attempt begins"].index("●") > alive.index("┤")
    assert rows["the parked message looks again"].rindex("●") < alive.index("┤")
    assert rows["the worker is killed"].index("●") == alive.index("├")


def test_rows_are_to_scale() -> None:
    drawn = draw([bar("half", 0, 50), points("ends", (0, 100), "both"), bar("short", 99.9, 100)], 100)
    assert drawn.splitlines() == [
        "```text",
        f"{'':31}0 s{'':41}100 s",
        f"{'half':31}├{'─' * 23}┤{'':24}  50 s",
        f"{'ends':31}●{'':47}●  both",
        f"{'short':31}{'':48}│  0.1 s",
        "```",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.003, "3 ms"),
        (0.02, "0.02 s"),
        (30.0, "30 s"),
        (60, "60 s"),
        (120, "2 min"),
        (330, "330 s"),
        (3600, "1 h"),
        (86_400, "24 h"),
    ],
)
def test_times_for_people(seconds: float, text: str) -> None:
    assert for_people(seconds) == text


ONE_END, OPERATOR = "docs/explanation/one-end.md", "docs/explanation/operator.md"
LEASES, CALLBACKS = "docs/adr/0004-claims-have-a-lease.md", "docs/reference/callbacks.md"
LONGEST = timing.LEASE_SECONDS + timing.PARK_SECONDS
MARGIN = (timing.DRAIN_MARGIN_MIN_SECONDS, timing.DRAIN_MARGIN_MAX_SECONDS)
STEPS = ", ".join(for_people(step) for step in timing.RETRY_STEPS)
ASKED_FOR = timing.COUNT_SECONDS + timing.TICK_SECONDS


@pytest.mark.parametrize(
    ("page", "sentence"),
    [
        (ONE_END, f"renews its claim every {timing.RENEW_SECONDS:g} seconds"),
        (ONE_END, f"was renewed in the last {timing.LEASE_SECONDS:g} seconds"),
        (ONE_END, f"parks the message in the {timing.PARK_SECONDS} s delay step"),
        (ONE_END, f"was killed waits for at most {LONGEST:g} seconds"),
        (ONE_END, f"its last tenth (at least {MARGIN[0]:g} and at most {MARGIN[1]:g} seconds)"),
        (ONE_END, f"whole seconds, so an age may be wrong by {timing.STORE_CLOCK_SECONDS:g} second"),
        (ONE_END, f"delay step: {STEPS}."),
        (LEASES, f"renews its claim every {timing.RENEW_SECONDS:g} seconds"),
        (LEASES, f"alive for {timing.LEASE_SECONDS:g} seconds"),
        (LEASES, f"waits up to {LONGEST:g} seconds"),
        (OPERATOR, f"full pass every {timing.UNSETTLED_SECONDS:g} seconds"),
        (OPERATOR, f"waits 1, 2, 4 … {timing.RECONCILE_RETRY_MOST_SECONDS:g} s and stops no other"),
        (OPERATOR, f"within {ASKED_FOR:g} seconds of the publish"),
        (OPERATOR, f"`idleSeconds` ({timing.IDLE_SECONDS} unless the pool says so"),
        (OPERATOR, f"and for {timing.HEARTBEAT_EXPIRY_SECONDS:g} s."),
        (OPERATOR, f"than the list can lag ({timing.LIST_LAG_SECONDS:g} s)"),
        (OPERATOR, f"within {timing.WORK_STATUS_SECONDS:g} seconds when work began"),
        (OPERATOR, f"at most each {timing.FIGURES_STATUS_SECONDS:g} seconds for other"),
        (CALLBACKS, f"2xx within {timing.CALLBACK_TIMEOUT_SECONDS:g} seconds"),
        (
            CALLBACKS,
            f"again after {STEPS}, then every hour, for 24 hours: {len(delays()) + 1} attempts in all",
        ),
        (CALLBACKS, f"took longer than {timing.CALLBACK_SLOW_SECONDS:g} s"),
    ],
)
def test_other_pages_name_the_times_in_force(page: str, sentence: str) -> None:
    assert sentence in " ".join((ROOT / page).read_text().split())
