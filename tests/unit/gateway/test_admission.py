"""What becomes of each task of a group that is to be accepted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from genpool_gateway.store.admission import Admission, Known, admit
from genpool_gateway.tasks.ports import Acceptance, Idempotency, NewTask
from support.task_changes import T0, accepting, key

CREATED, SAME, OTHER, OPTIONS, ERASED, OVER, NO_ROOM = Acceptance


def new(name: str, promise: str = "", owner: str = "anna") -> NewTask:
    """``promise``: an idempotency key and, after a colon, the digest."""
    word, _, digest = promise.partition(":")
    return NewTask(accepting(name, owner=owner), Idempotency(word, digest) if promise else None)


def given(name: str, promise: str = "", *, priority: int) -> NewTask:
    """One whose sender named its priority; that of the known ones is 3."""
    made = new(name, promise)
    return replace(made, record=replace(made.record, priority=priority), given=frozenset({"priority"}))


def without_room(name: str, promise: str = "") -> NewTask:
    return replace(new(name, promise), room=False)


@pytest.mark.parametrize(
    ("group", "said"),
    [
        ([], []),
        ([new("a"), new("b")], [CREATED, CREATED]),
        ([new("a"), new("a")], [CREATED, SAME]),
        ([new("known")], [SAME]),
        ([given("known", priority=3), given("known", priority=4)], [SAME, OPTIONS]),
        ([given("a", priority=3), given("a", priority=4), given("a", priority=3)], [CREATED, OPTIONS, SAME]),
        # By its id, and by its key whatever the id; it is no room's and no cap's matter.
        (
            [new("gone"), given("gone", priority=9), new("gone", owner="full"), without_room("gone")],
            [ERASED] * 4,
        ),
        ([new("x", "old:1"), new("gone", "k:1"), new("b", "k:2")], [ERASED, ERASED, CREATED]),
        ([new("x", "old:2")], [OTHER]),
        # A refused request keeps no key.
        ([given("known", "k:1", priority=4), new("b", "k:2")], [OPTIONS, CREATED]),
        ([new("a", "k:1"), new("b", "k:1"), new("c", "k:2")], [CREATED, SAME, OTHER]),
        ([new("a", "k:1"), new("b", "k:1", owner="bert")], [CREATED, CREATED]),
        ([new("a", "promised:1"), new("a", "promised:2")], [SAME, OTHER]),
        ([new("a", owner="capped"), new("b", owner="capped")], [CREATED, OVER]),
        (
            [new("known", owner="capped"), new("a", owner="capped"), new("a", owner="capped")],
            [SAME, CREATED, SAME],
        ),
        (
            [new("a", owner="full"), new("b", "k:1", owner="full"), new("b", "k:1", owner="full")],
            [OVER, OVER, OVER],
        ),
        ([new("x", "promised:1", owner="full2")], [CREATED]),
        ([without_room("a"), new("a"), without_room("a")], [NO_ROOM, CREATED, SAME]),
        ([without_room("x", "promised:1"), without_room("y", "promised:2")], [SAME, OTHER]),
        ([without_room("a", "k:1"), new("b", "k:1")], [NO_ROOM, CREATED]),
    ],
)
def test_a_group(group: list[NewTask], said: list[Acceptance]) -> None:
    known = Known(
        tasks={
            **{key(name): accepting(name) for name in ("known", "promised")},
            key("gone"): accepting("gone", erased_at=T0),
        },
        promises={
            ("anna", "uid-1", "promised"): ("1", key("promised")),
            ("anna", "uid-1", "old"): ("1", key("gone")),
        },
        unfinished={"capped": 4, "full": 9},
    )
    admissions = admit(group, known, {"capped": 5, "full": 9, "full2": 1})
    assert [each.acceptance for each in admissions] == said


def test_what_is_promised_and_which_task_stands_for_it() -> None:
    known = Known(
        tasks={key("known"): accepting("known")}, promises={("anna", "uid-1", "old"): ("1", key("old"))}
    )
    group = [new("a", "k:1"), new("b", "k:1"), new("known", "n:1"), new("c", "old:1"), new("d")]
    assert admit(group, known, {}) == [
        Admission(CREATED, key("a"), promises=True),
        Admission(SAME, key("a")),
        Admission(SAME, key("known"), promises=True),
        Admission(SAME, key("old")),
        Admission(CREATED, key("d")),
    ]


def test_a_plain_producers_task_promises_nothing() -> None:
    group = [NewTask(accepting("a", submission=None), Idempotency("k", "1"))] * 2
    assert [each.promises for each in admit(group, Known(), {})] == [False, False]
