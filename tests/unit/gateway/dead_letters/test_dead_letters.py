"""What becomes of each dead letter: a new run, nothing, or the same place in the same order."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

import pytest

from genpool_core import names
from genpool_core.errors import BrokerError
from genpool_core.identity import TaskRef, task_key
from genpool_core.messages import headers
from genpool_core.messages.amqp import Delivery, OutgoingMessage, Properties
from genpool_core.messages.base import PoolRef
from genpool_gateway.dead_letters.decide import Action, LetterQueues, Selection, plan, read_letter
from genpool_gateway.dead_letters.work import DeadLetters
from unit.gateway.samples import POOL

WORKER = names.worker_user(POOL.uid, "0" * 8)
QUEUES = LetterQueues("default", "/", "work", "work.dead", POOL)


def letter(
    word: str,
    *,
    reason: str = "NodeFailed",
    sender: str | None = WORKER,
    run: int = 1,
    owner: str | None = None,
) -> Delivery:
    own = {headers.REASON: reason, headers.MESSAGE: "why", headers.ATTEMPTS: 3, "theirs": "kept"}
    if run > 1:
        own[headers.RUN] = run
    if owner is not None:
        own[headers.OWNER] = owner
    body = json.dumps({"task_id": word, "prompt": "x"}).encode()
    return Delivery(body, own, Properties(message_id=f"m-{word}", user_id=sender, priority=2), token=word)


def key_of(word: str, owner: str = "default") -> str:
    return task_key(POOL.uid, word, {"task_id": word, "prompt": "x"}, tenant=owner)


def test_a_replay_is_the_next_run_in_the_work_queue_without_a_word_of_its_death() -> None:
    (step,) = plan(
        [read_letter(letter("a", run=2, owner="key-1"), POOL.uid)], Selection(), Action.REPLAY, QUEUES
    )
    assert step.publish is not None
    assert (step.publish.exchange, step.publish.routing_key) == ("", "work")
    assert step.publish.headers == {
        "theirs": "kept",
        headers.OWNER: "key-1",
        headers.RUN: 3,
        headers.SCHEMA: 1,
    }
    assert (step.publish.properties.message_id, step.publish.properties.priority) == ("m-a", 2)
    assert step.letter.ref == TaskRef("a", key_of("a", "key-1"), 2)


def test_what_is_not_chosen_is_left_where_it_is() -> None:
    (step,) = plan([read_letter(letter("a"), POOL.uid)], Selection(reason="Other"), Action.REPLAY, QUEUES)
    assert (step.chosen, step.publish) == (False, None)


@pytest.mark.parametrize(
    ("selection", "chosen"),
    [
        (Selection(), "abc"),
        (Selection(reason="NodeFailed"), "ac"),
        (Selection(ids=frozenset({key_of("b")})), "b"),
        (Selection(ids=frozenset({key_of("a"), key_of("b")}), reason="NodeFailed"), "a"),
        (Selection(ids=frozenset()), ""),
    ],
)
def test_which_are_chosen(selection: Selection, chosen: str) -> None:
    letters = [
        read_letter(one, POOL.uid) for one in (letter("a"), letter("b", reason="Expired"), letter("c"))
    ]
    steps = plan(letters, selection, Action.DISCARD, QUEUES)
    assert "".join(str(step.letter.delivery.token) for step in steps if step.chosen) == chosen


def test_a_reason_and_a_run_that_a_producer_wrote_are_not_believed() -> None:
    found = read_letter(letter("a", sender="somebody", run=9), POOL.uid)
    assert (found.reason, found.ref) == (None, TaskRef("a", key_of("a"), 1))


def test_a_message_that_is_no_task_can_be_chosen_by_its_reason() -> None:
    broken = Delivery(b"no json", {headers.REASON: "InvalidMessage"}, Properties(user_id=WORKER))
    (step,) = plan([read_letter(broken, POOL.uid)], Selection(reason="InvalidMessage"), Action.REPLAY, QUEUES)
    assert step.chosen
    assert step.publish is not None
    assert (step.letter.ref, step.publish.body) == (None, b"no json")
    assert headers.RUN not in step.publish.headers


class Queues:
    """A dead-letter queue. ``refused``: bodies whose publish the broker refuses."""

    def __init__(self, *deliveries: Delivery) -> None:
        self.deliveries = list(deliveries)
        self.published: list[OutgoingMessage] = []
        self.acked: list[object] = []
        self.refused: set[str] = set()
        self.most: int | None = None

    @contextmanager
    def reading(self, _queues: object, most: int | None = None) -> Iterator[Queues]:
        self.most = most
        yield self

    def messages(self) -> Sequence[Delivery]:
        return self.deliveries[: self.most]

    def whole(self) -> bool:
        return self.most is None or self.most >= len(self.deliveries)

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        self.acked += [one.token for one in deliveries]

    def publish(self, _queues: object, messages: Sequence[OutgoingMessage]) -> list[Future[None]]:
        futures = []
        for message in messages:
            future: Future[None] = Future()
            if json.loads(message.body)["task_id"] in self.refused:
                future.set_exception(BrokerError("refused."))
            else:
                self.published.append(message)
                future.set_result(None)
            futures.append(future)
        return futures


def apply(
    queues: Queues, selection: Selection, action: Action, room: int = 10**6, erased: Collection[str] = ()
) -> tuple[Any, list[tuple[str, int]]]:
    runs: list[tuple[str, int]] = []

    def replayed(pool: PoolRef, ref: TaskRef) -> None:
        assert pool == POOL
        runs.append((ref.task_id, ref.run))

    letters = DeadLetters(cast("Any", queues), replayed, lambda tasks: set(tasks) & set(erased))
    done = letters.apply(QUEUES, selection, action, lambda wanted: min(wanted, room))
    return done, runs


def test_a_pass_replays_some_and_touches_no_other() -> None:
    words = [f"{number:03}" for number in range(600)]
    queues = Queues(
        *(letter(word, reason="Expired" if word.endswith("7") else "NodeFailed") for word in words)
    )
    done, runs = apply(queues, Selection(reason="Expired"), Action.REPLAY)
    assert queues.acked == [word for word in words if word.endswith("7")]
    assert [json.loads(one.body)["task_id"] for one in queues.published] == queues.acked
    assert (len(done.tasks), done.kept, done.others) == (60, 540, 0)
    assert runs == [(word, 2) for word in words if word.endswith("7")]


def test_a_replay_puts_no_more_into_a_queue_than_it_has_room_for() -> None:
    queues = Queues(*(letter(word, reason="Expired" if word in "bdf" else "NodeFailed") for word in "abcdef"))
    done, runs = apply(queues, Selection(reason="Expired"), Action.REPLAY, room=2)
    assert runs == [("b", 2), ("d", 2)]
    assert (queues.acked, done.kept) == (["b", "d"], 4)
    assert done.no_room == [key_of("f")]
    dropped, _ = apply(queues, Selection(reason="Expired"), Action.DISCARD, room=0)
    assert len(dropped.tasks) == 3


def test_a_pass_that_could_not_hold_all_says_so() -> None:
    queues = Queues(letter("a"), letter("b"))
    queues.whole = lambda: False  # type: ignore[method-assign]
    assert apply(queues, Selection(), Action.DISCARD)[0].more
    assert not apply(Queues(letter("a")), Selection(), Action.DISCARD)[0].more


def test_what_the_broker_refuses_stays_where_it_is() -> None:
    queues = Queues(letter("a"), letter("b"), letter("c"))
    queues.refused = {"b"}
    with pytest.raises(BrokerError, match="refused"):
        apply(queues, Selection(), Action.REPLAY)
    assert queues.acked == ["a", "c"]


def test_a_discard_publishes_nothing() -> None:
    queues = Queues(letter("a"), letter("b"))
    done, runs = apply(queues, Selection(), Action.DISCARD)
    assert (queues.published, queues.acked, runs) == ([], ["a", "b"], [])
    assert done.tasks == [key_of("a"), key_of("b")]


# Of an intake ------------------------------------------------------------------------------------------------------

INTAKE = LetterQueues.of_intake("default", "/", "photos")
GATEWAY = names.gateway_user("0" * 8)


def refused(word: str, reason: str = "WorkflowUnknown", *, sender: str = GATEWAY) -> Delivery:
    found = letter(word, reason=reason, sender=sender, run=7, owner="key-1")
    return replace(found, headers={**found.headers, headers.ENDED_AT: "2026-11-26", headers.ASIDE: 2})


def test_an_intakes_message_goes_back_as_its_producer_sent_it() -> None:
    (step,) = plan([read_letter(refused("a"), None)], Selection(), Action.REPLAY, INTAKE)
    assert step.publish is not None
    assert (step.publish.routing_key, step.publish.body) == ("photos", refused("a").body)
    assert step.publish.headers == {"theirs": "kept", headers.SCHEMA: 1}


def test_an_intakes_letters_are_chosen_by_what_they_are_made_of() -> None:
    letters = [read_letter(one, None) for one in (refused("a"), refused("b", "InvalidTask"), refused("c"))]
    ids = [letter.id for letter in letters]
    assert len(set(ids)) == 3
    chosen = Selection(ids=frozenset({ids[2] or ""}))
    assert [step.chosen for step in plan(letters, chosen, Action.DISCARD, INTAKE)] == [False, False, True]
    assert letters[0].ref is None


def test_what_the_broker_moved_there_says_no_reason_and_its_producers_word_becomes_none_of_ours() -> None:
    forged = read_letter(refused("a", sender="somebody"), None)
    assert (forged.reason, forged.message) == (None, None)
    (step,) = plan([forged], Selection(), Action.REPLAY, INTAKE)
    assert step.publish is not None
    assert step.publish.headers == {"theirs": "kept", headers.SCHEMA: 1}


def test_a_look_takes_the_oldest_and_changes_nothing() -> None:
    queues = Queues(*(refused(word) for word in "abc"))
    letters = DeadLetters(cast("Any", queues), lambda _pool, _ref: None, lambda _tasks: ())
    found, more = letters.look(INTAKE, 2)
    assert more
    assert not letters.look(INTAKE, 3)[1]
    assert [letter.delivery.token for letter in found] == ["a", "b"]
    assert (queues.published, queues.acked, found[0].message) == ([], [], "why")


def test_a_pass_over_an_intake_begins_no_run() -> None:
    queues = Queues(refused("a"), refused("b", "InvalidTask"))
    runs: list[object] = []
    letters = DeadLetters(cast("Any", queues), lambda _pool, ref: runs.append(ref), lambda _tasks: ())
    done = letters.apply(INTAKE, Selection(reason="WorkflowUnknown"), Action.REPLAY)
    assert (len(done.tasks), done.kept, done.others, runs) == (1, 1, 0, [])
    assert [one.routing_key for one in queues.published] == ["photos"]
    assert queues.acked == ["a"]


@pytest.mark.parametrize("action", [Action.REPLAY, Action.DISCARD])
def test_what_is_being_deleted_is_not_replayed(action: Action) -> None:
    queues = Queues(letter("a"), letter("b"), letter("c"))
    (erased,) = (read_letter(one, POOL.uid).ref for one in queues.deliveries if one.token == "b")
    assert erased is not None
    done, runs = apply(queues, Selection(), action, erased=[erased.key])
    replays = action is Action.REPLAY
    assert queues.acked == (["a", "c"] if replays else ["a", "b", "c"])
    assert (len(done.tasks), done.kept) == ((2, 1) if replays else (3, 0))
    assert [task for task, _ in runs] == (["a", "c"] if replays else [])
