"""A task store that is away when the gateway starts: tried again until it is there, then what needs it begins, once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Event

import pytest

from genpool_core import timing
from genpool_core.errors import SettingsError, TaskStoreError
from genpool_gateway.factory.readiness import ServiceReadiness
from genpool_gateway.store import preparation as module
from genpool_gateway.store.preparation import Preparation

SECONDS = 10


@dataclass
class FakeStore:
    """Fails as often as there are errors; one tells when it was asked."""

    errors: list[Exception] = field(default_factory=list)
    asked: Event = field(default_factory=Event)

    def prepare(self) -> None:
        self.asked.set()
        if self.errors:
            raise self.errors.pop(0)


@dataclass
class Begun:
    times: int = 0
    done: Event = field(default_factory=Event)

    def begin(self) -> None:
        self.times += 1
        self.done.set()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RETRY", module.Backoff(0.001, 0.002))


@pytest.fixture
def make() -> Iterator[Callable[[FakeStore, Begun], Preparation]]:
    made: list[Preparation] = []

    def start(store: FakeStore, begun: Begun) -> Preparation:
        preparation = Preparation(store.prepare, begun.begin)
        made.append(preparation)
        preparation.start()
        return preparation

    yield start
    for preparation in made:
        preparation.stop(SECONDS)


Make = Callable[[FakeStore, Begun], Preparation]


def test_it_is_tried_until_it_works_and_what_needs_it_begins_once(make: Make) -> None:
    store = FakeStore(
        [TaskStoreError("away."), SettingsError("of a newer release."), TaskStoreError("away.")]
    )
    begun = Begun()
    preparation = make(store, begun)
    assert begun.done.wait(SECONDS)
    preparation.stop(SECONDS)
    assert (begun.times, preparation.begun, preparation.trouble(), preparation.unhealthy()) == (
        1,
        True,
        None,
        None,
    )
    preparation.check()


def test_while_it_is_away_the_reason_is_told_and_nothing_begins(make: Make) -> None:
    store, begun = FakeStore([TaskStoreError("the database is away.")] * 100_000), Begun()
    preparation = make(store, begun)
    assert store.asked.wait(SECONDS)
    while preparation.trouble() == "the task store is not open yet.":
        Event().wait(0.001)
    with pytest.raises(TaskStoreError, match=r"the database is away\."):
        preparation.check()
    assert preparation.unhealthy() is None
    preparation.stop(SECONDS)
    assert (begun.times, preparation.begun) == (0, False)


def test_nothing_begins_after_a_stop() -> None:
    goes_on, asked = Event(), Event()

    def prepare() -> None:
        asked.set()
        goes_on.wait(SECONDS)

    begun = Begun()
    preparation = Preparation(prepare, begun.begin)
    preparation.start()
    assert asked.wait(SECONDS)
    preparation.stop(0)
    goes_on.set()
    preparation.stop(SECONDS)
    assert (begun.times, preparation.begun) == (0, False)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_defect_is_told_to_kubernetes(make: Make) -> None:
    preparation = make(FakeStore([ZeroDivisionError()]), Begun())
    preparation._thread.join(SECONDS)
    assert "has ended" in (preparation.unhealthy() or "")


def test_a_first_try_comes_soon_and_later_ones_within_the_readiness_probe() -> None:
    assert timing.STORE_OPEN_RETRY_SECONDS < 1 < timing.STORE_OPEN_RETRY_MOST_SECONDS


def test_the_service_waits_for_all_at_first_and_then_for_the_api_alone() -> None:
    whole: list[str | None] = ["no broker.", None, "no broker."]
    api: list[str | None] = [None, None, "stopped."]
    ready = ServiceReadiness(whole=lambda: whole.pop(0), api=lambda: api.pop(0))
    assert [ready(), ready(), ready(), ready()] == ["no broker.", None, None, "stopped."]
