"""Which intakes there are, and which pool gets what."""

from __future__ import annotations

from genpool_gateway.intake.behind import intakes
from support.pool_objects import BUILDINGS, PEOPLE, TEXT, directory, pool_object
from unit.gateway.intake.samples import BUILDINGS_POOL, INTAKE, PEOPLE_POOL, behind, fallback, pool


def test_only_intakes_in_force_are_consumed() -> None:
    found = directory(PEOPLE_POOL, pool("other", TEXT, intake="elsewhere", in_force=False), pool_object())
    assert list(intakes(found)) == [("default", "pictures", INTAKE)]


def test_each_workflow_has_its_pool_under_every_name() -> None:
    people = pool("people", PEOPLE)
    people["spec"]["workflows"][0]["aliases"] = ["p"]
    found = behind(people, BUILDINGS_POOL)
    assert {name: place.pool.ref.name for name, place in found.by_name.items()} == {
        PEOPLE: "people",
        "p": "people",
        BUILDINGS: "buildings",
    }
    assert all(place.ready for place in found.by_name.values())
    assert (found.workflows, found.fallback) == ((PEOPLE, BUILDINGS), None)


def test_the_older_of_two_pools_has_a_workflow_as_the_operator_says() -> None:
    found = behind(pool("young", PEOPLE, age=9), pool("old", PEOPLE, age=1))
    assert found.by_name[PEOPLE].pool.ref.name == "old"


def test_a_fallback_is_one_that_is_set() -> None:
    assert behind(PEOPLE_POOL, fallback(pool("buildings", BUILDINGS))).fallback is not None
    two = behind(fallback(pool("young", PEOPLE, age=9)), fallback(pool("old", BUILDINGS, age=1)))
    assert two.fallback is not None
    assert two.fallback.pool.ref.name == "old"


def test_a_pool_that_the_operator_has_not_put_behind_it_yet_is_known() -> None:
    soon = pool("buildings", BUILDINGS, in_force=False, age=1)
    found = behind(PEOPLE_POOL, fallback(soon))
    assert (found.by_name[PEOPLE].ready, found.by_name[BUILDINGS].ready) == (True, False)
    assert found.fallback is not None
    assert not found.fallback.ready


def test_a_pool_on_another_vhost_is_behind_another_intake() -> None:
    other = pool("buildings", BUILDINGS, broker={"vhost": "other"})
    found = intakes(directory(PEOPLE_POOL, other))
    assert {name[1]: list(each.by_name) for name, each in found.items()} == {
        "pictures": [PEOPLE],
        "other": [BUILDINGS],
    }


def test_a_pool_whose_work_queue_is_anothers_gets_nothing() -> None:
    thief = pool("thief", BUILDINGS, age=5)
    thief["spec"]["queue"]["name"] = "people_tasks"
    assert list(behind(PEOPLE_POOL, thief).by_name) == [PEOPLE]
