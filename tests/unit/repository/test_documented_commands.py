"""Each command of the README and of the tutorials is run by a test, and the test is named here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.documented import commands

ROOT = Path(__file__).resolve().parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs" / "tutorial").glob("*.md"))]
WALK, PERSON, DEMO = (
    "tests/integration/dev/test_tutorial.py",
    "tests/e2e/test_command_line.py",
    "tests/demo/test_demo.py",
)
#: Pattern of a whole command; the file that runs it, and words of that file which do.
RUN_BY = (
    # The walk takes the commands from the page itself.
    (r"make try|make try-down", WALK, "one-machine.md"),
    (r"export (PATH|GENPOOL_URL|GENPOOL_API_KEY)=.*|cp .*pool\.yaml pool\.yaml", WALK, "one-machine.md"),
    (r"genpool (pools|list|submit .*)", WALK, "one-machine.md"),
    (r"genpool explain genpool/try|unset GENPOOL_URL GENPOOL_API_KEY", PERSON, '"explain"'),
    (r"kubectl apply -f pool\.yaml", PERSON, "the_pool_of_make_try"),
    (
        r"kubectl create namespace genpool|kubectl -n genpool create secret generic .*",
        "tests/e2e/lab.py",
        ".secret(",
    ),
    (r"kubectl get gp -n (pictures|genpool)", PERSON, '"get", "gp"'),
    (r"(KEEP=1 )?make demo|make demo-down", DEMO, '"demo'),
    (r"export KUBECONFIG=… PATH=…|kubectl -n genpool-demo (get|describe) gp( text)?", DEMO, '"describe"'),
    (r"make test", ".ci/run", "make test"),
    (r'curl "\$API/v1/tasks" .*|curl -N .*/events" .*', WALK, "README.md"),
)


def test_what_a_command_is() -> None:
    page = (
        "words\n\n    make try      # and why\n    make test\n\n"
        "```console\n$ kubectl get gp\nNAME  READY\n$ curl a \\\n    -d b\n```\n\n"
        "```yaml\nkind: a\n```\n\n```sh\ngenpool pools\n```\n* a list\n    that goes on\n"
    )
    assert commands(page) == ["make try", "make test", "kubectl get gp", "curl a -d b", "genpool pools"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_command_is_run_by_a_test(page: Path) -> None:
    found = commands(page.read_text(encoding="utf-8"))
    assert found
    assert [each for each in found if not any(re.fullmatch(pattern, each) for pattern, _, _ in RUN_BY)] == []


@pytest.mark.parametrize(("pattern", "file", "words"), RUN_BY)
def test_the_test_that_is_named_is_there_and_is_needed(pattern: str, file: str, words: str) -> None:
    assert words in (ROOT / file).read_text(encoding="utf-8")
    every = [command for page in PAGES for command in commands(page.read_text(encoding="utf-8"))]
    assert any(re.fullmatch(pattern, command) for command in every)
