"""Which workflow, pool and parameter are meant."""

from __future__ import annotations

from typing import Any

import pytest

from genpool_cli.catalogue import choose, file_parameter, pool_of
from genpool_cli.commands.pools import find_pool
from genpool_cli.errors import CliError


def workflow(
    name: str, *pools: str, files: tuple[str, ...] = (), aliases: tuple[str, ...] = ()
) -> dict[str, Any]:
    return {"name": name, "aliases": list(aliases), "pools": list(pools), "files": list(files)}


TEXT = workflow("text-to-image", "art/text", aliases=("t2i",))
PEOPLE = workflow("people.json", "photos/people", files=("image_url",))
SAY = "say which by --workflow and --pool."
OTHER = workflow("people.json", "lab/people", files=("image_url",))


@pytest.mark.parametrize(
    ("known", "name", "pool", "expected"),
    [
        ([TEXT, PEOPLE], "text-to-image", None, TEXT),
        ([TEXT, PEOPLE], "t2i", None, TEXT),
        ([TEXT], None, None, TEXT),
        ([TEXT, PEOPLE], None, "photos/people", PEOPLE),
        ([PEOPLE, OTHER], "people.json", "lab/people", OTHER),
        ([TEXT, PEOPLE], None, "text", TEXT),
    ],
)
def test_the_one_that_fits(
    known: list[dict[str, Any]], name: str | None, pool: str | None, expected: dict[str, Any]
) -> None:
    assert choose(known, name, pool) is expected


@pytest.mark.parametrize(
    ("known", "name", "sentence"),
    [
        ([TEXT, PEOPLE], "x", "There is no workflow x. Known to this key: people.json, text-to-image."),
        ([], None, "There is no workflow. Known to this key: none."),
        (
            [PEOPLE, OTHER],
            "people.json",
            f"Several fit (people.json of lab/people, people.json of photos/people): {SAY}",
        ),
    ],
)
def test_what_cannot_be_told(known: list[dict[str, Any]], name: str | None, sentence: str) -> None:
    with pytest.raises(CliError) as caught:
        choose(known, name, None)
    assert caught.value.message == sentence


def test_the_parameter_that_is_a_file() -> None:
    assert file_parameter(PEOPLE) == "image_url"
    for files in ((), ("a", "b")):
        with pytest.raises(CliError, match="takes"):
            file_parameter(workflow("w", files=files))


def test_the_pool_of_an_upload() -> None:
    both = workflow("w", "a/x", "b/y")
    assert pool_of(PEOPLE, None) == "photos/people"
    assert pool_of(both, "y") == "b/y"
    with pytest.raises(CliError, match=r"served by a/x, b/y: say which by --pool"):
        pool_of(both, None)


def test_a_pool_by_its_name() -> None:
    pools = [{"name": name} for name in ("a/x", "b/x", "b/y")]
    assert find_pool(pools, "b/x") == {"name": "b/x"}
    assert find_pool(pools, "y") == {"name": "b/y"}
    for name, sentence in (
        ("x", "Several pools are called x: a/x, b/x."),
        ("z", "There is no pool z. Known: a/x"),
    ):
        with pytest.raises(CliError) as caught:
            find_pool(pools, name)
        assert caught.value.message.startswith(sentence)
