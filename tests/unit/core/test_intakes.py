"""Who serves what behind an intake, and which of two pools has a queue that both want."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from genpool_core.api.pool import GenerationPool
from genpool_core.api.spec import QueueSpec
from genpool_core.intakes import IntakeFault, intake_fault, members, routes
from genpool_core.queue_ownership import queue_owner
from unit.operator.pools import at, make_pool

INTAKE = "photo_repair_tasks"


def behind(
    name: str,
    age: int,
    *workflows: str,
    intake: str | None = INTAKE,
    queue: str | None = None,
    in_force: bool = True,
    aliases: tuple[str, ...] = (),
    fallback: bool = False,
    **changes: object,
) -> GenerationPool:
    """A pool of an intake, made ``age`` minutes after the others' epoch; all its workflows have the same source."""
    entries = [{"name": each, "source": {"builtin": "x"}} for each in workflows or (name,)]
    entries[0] |= {"aliases": list(aliases), "fallback": fallback}
    pool = make_pool(
        name=name,
        uid=name,
        queue={"name": queue or f"{name}-tasks", "intake": intake},
        workflows=entries,
        status={"queue": {"intake": intake}} if in_force else {},
        **changes,
    )
    meta = pool.metadata.model_copy(update={"creation_timestamp": at(60 * age)})
    return pool.model_copy(update={"metadata": meta})


def fault(pool: GenerationPool, *others: GenerationPool) -> IntakeFault:
    found = intake_fault(pool, [pool, *others])
    assert found is not None
    return found


# Routes -------------------------------------------------------------------------------------------------------------


def test_two_pools_share_an_intake() -> None:
    people, buildings = behind("people", 1, aliases=("p",)), behind("buildings", 2, fallback=True)
    for pools in ([people, buildings], [buildings, people]):
        assert [intake_fault(pool, pools) for pool in pools] == [None, None]
        found = routes(members(people, pools))
        assert found.by_name == {"people": people, "p": people, "buildings": buildings}
        assert found.fallback == buildings


def test_a_workflow_that_two_pools_serve_stays_with_the_older_one() -> None:
    first, second = behind("first", 1, "a", "x"), behind("second", 2, "y", "x", "b")
    assert intake_fault(first, [second, first]) is None
    found = fault(second, first)
    assert found.reason == "WorkflowServedTwice"
    assert found.message == (
        "Workflow x of pool team/second is served by the older pool team/first behind the same intake "
        "photo_repair_tasks, which gets its tasks: rename it or take it out in one of the two."
    )
    assert routes([second, first]).by_name == {"a": first, "x": first, "y": second, "b": second}


@pytest.mark.parametrize(("first", "second"), [(("p",), ()), ((), ("people",)), (("p",), ("p", "q"))])
def test_an_alias_is_a_name(first: tuple[str, ...], second: tuple[str, ...]) -> None:
    older = behind("1", 1, "people", aliases=first)
    younger = behind("2", 2, "buildings" if second else "p", aliases=second)
    assert fault(younger, older).reason == "WorkflowServedTwice"


def test_several_names_are_counted() -> None:
    older, younger = behind("1", 1, "a", "b", "c"), behind("2", 2, "c", "b", "a")
    assert fault(younger, older).message.startswith("Workflow c (and 2 more) of pool team/2")


def test_at_most_one_fallback() -> None:
    older, younger = behind("1", 1, fallback=True), behind("2", 2, fallback=True)
    assert intake_fault(older, [older, younger]) is None
    found = fault(younger, older)
    assert found.reason == "TwoFallbacks"
    assert found.message.startswith(
        "Pools team/1 and team/2 both have a fallback behind intake photo_repair_tasks."
    )
    assert routes([younger, older]).fallback == older


@pytest.mark.parametrize("changes", [{"intake": "another"}, {"intake": None}, {"broker": {"vhost": "other"}}])
def test_only_pools_behind_the_same_intake_matter(changes: dict[str, object]) -> None:
    older = behind("1", 1, "x", fallback=True, **changes)  # type: ignore[arg-type]
    younger = behind("2", 2, "x", fallback=True)
    assert intake_fault(younger, [older, younger]) is None
    assert intake_fault(older, [older, younger]) is None


def test_a_pool_without_its_queue_serves_nothing() -> None:
    """Its tasks would come to the queue of the older pool, which knows none of its workflows."""
    owner = behind("owner", 1, "a", queue="tasks", intake=None)
    refused, other = behind("refused", 2, "x", queue="tasks"), behind("other", 3, "x")
    pools = [owner, refused, other]
    assert members(other, pools) == [other]
    assert [intake_fault(pool, pools) for pool in pools] == [None, None, None]


# Whose queue --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("queue", [INTAKE, f"{INTAKE}.dead"])
@pytest.mark.parametrize("ages", [(1, 2), (2, 1)])
def test_a_work_queue_that_was_there_first_is_no_intake(queue: str, ages: tuple[int, int]) -> None:
    """Whichever of the pools is older: a slip in one must not take another one's tasks."""
    worker = behind("worker", ages[0], queue=queue, intake=None)
    new = behind("new", ages[1], in_force=False)
    found = fault(new, worker)
    assert found.reason == "IntakeTaken"
    assert found.message == (
        "Intake photo_repair_tasks is the work queue or dead-letter queue of pool team/worker: "
        "name another queue in queue.intake."
    )
    assert queue_owner(worker, [worker, new]) is None


@pytest.mark.parametrize("queue", [INTAKE, f"{INTAKE}.dead"])
@pytest.mark.parametrize("ages", [(1, 2), (2, 1)])
def test_an_intake_that_was_there_first_is_no_work_queue(queue: str, ages: tuple[int, int]) -> None:
    new = behind("new", ages[0], queue=queue, intake=None)
    established, other = behind("established", ages[1]), behind("other", 3, in_force=False)
    pools = [new, established, other]
    owner = queue_owner(new, pools)
    assert owner is not None
    assert (owner.pool, owner.queue, owner.intake) == ("team/established", queue, True)
    assert intake_fault(established, pools) is None
    assert intake_fault(other, pools) is None


def test_an_intake_that_the_spec_has_named_since_is_not_in_force() -> None:
    worker = behind("worker", 2, queue="b", intake=None)
    changed = behind("changed", 1, intake="b").model_copy(
        update={"status": make_pool(status={"queue": {"intake": "a"}}).status}
    )
    assert queue_owner(worker, [worker, changed]) is None
    assert fault(changed, worker).reason == "IntakeTaken"


def test_an_intake_is_not_the_dead_letter_queue_of_another() -> None:
    older, younger = behind("1", 1, intake="a"), behind("2", 2, intake="a.dead")
    assert intake_fault(older, [older, younger]) is None
    found = fault(younger, older)
    assert found.message.startswith("Intake a.dead is the intake or its dead-letter queue of pool team/1:")


# The schema ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("intake", ["tasks", "tasks.dead", "genpool.x", "amq.x", "", "q" * 201, "任" * 90])
def test_names_that_are_refused_as_they_are(intake: str) -> None:
    with pytest.raises(ValidationError):
        QueueSpec(name="tasks", intake=intake)
    with pytest.raises(ValidationError):
        QueueSpec(name="x.dead", intake="x")
