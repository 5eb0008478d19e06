"""The web page of the installed gateway, in a real browser, with real workers: each page and each action."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Locator, expect, sync_playwright

from e2e.lab import Lab
from e2e.manifests import POOL
from e2e.scenes import Scene
from genpool_dev import browser as chromium
from genpool_dev.stack import layout
from genpool_dev.stack.gateway import first_key
from integration.gateway.page.pictures import lake
from support.page_visitor import DESK, PHONE, PageVisitor, observed, window
from support.waiting import wait_until

PHOTO = "DDColor人物黑白修复.json"
WORKFLOWS = [
    {"name": name, "source": {"builtin": name}, "timeoutSeconds": 240} for name in ("text-to-image", PHOTO)
]
#: All other tests run on the same cores.
PATIENCE_MS = 60_000
#: For a pod that starts on a cluster where all other tests run too.
START_MS = 150_000


@pytest.mark.together(seconds=100)
@pytest.mark.parametrize(("language", "size"), [("en", DESK), ("zh", PHONE)], ids=["en-desk", "zh-phone"])
def test_a_person_walks_through_all_pages(lab: Lab, language: str, size: tuple[int, int]) -> None:
    with lab.scene(f"page-{language}", workflows=WORKFLOWS, scaling={"minReplicas": 1}) as scene:
        scene.apply()
        with _person(lab, scene, language, size) as person:
            person.visitor.open()
            person.visitor.look("login")
            person.visitor.log_in()
            _create(person)
            _photos(person)
            _gallery(person)
            _pool(person)
            _dead_letters(person)
            _usage(person)
            _keys(person)
            person.button("logOut").click()
            expect(person.page.locator("#key")).to_be_visible()


@dataclass(frozen=True)
class Person:
    """Somebody who has a pool of their own, and reads the page in their language."""

    visitor: PageVisitor
    scene: Scene

    @property
    def page(self) -> Any:  # noqa: ANN401 - Playwright's
        return self.visitor.page

    @property
    def pool(self) -> str:
        return f"{self.scene.place}/{POOL}"

    @property
    def panel(self) -> Locator:
        """The task that is shown large."""
        found: Locator = self.page.locator("article.task")
        return found

    def words(self, key: str, **values: object) -> str:
        """What the page says in this language."""
        script = """async ([key, values]) => {
          const own = [...document.scripts].find(each => each.src.endsWith("/main.js")).src;
          return (await import(own.replace("main.js", "language.js"))).t(key, values);
        }"""
        return str(self.page.evaluate(script, [key, values]))

    def button(self, key: str, inside: Locator | None = None, **values: object) -> Locator:
        found: Locator = (inside or self.page).get_by_role(
            "button", name=self.words(key, **values), exact=True
        )
        return found

    def confirms(self, key: str) -> None:
        """Says yes to the question that is asked."""
        self.button(key, self.page.get_by_role("dialog")).click()

    def sends(self, prompt: str) -> None:
        """Fills in the form, and sends it."""
        before = self.panel.get_attribute("data-task") if self.panel.count() else None
        self.page.locator("#field-prompt").fill(prompt)
        self.page.locator("#field-width").fill("64")
        self.page.locator("#field-height").fill("64")
        self.page.locator("#send").click()
        # The task that was sent, and not another person's of the same words.
        self.page.wait_for_function(
            """before => {
              const task = document.querySelector("article.task")?.dataset.task;
              return task && task !== before && location.hash.includes(task);
            }""",
            arg=before,
        )
        expect(self.panel.locator(".task-title")).to_contain_text(prompt)

    def until(self, status: str) -> None:
        expect(self.panel).to_have_attribute("data-status", status, timeout=START_MS)


@contextmanager
def _person(lab: Lab, scene: Scene, language: str, size: tuple[int, int]) -> Iterator[Person]:
    """With a browser, and the way to the page that the documentation names."""
    with (
        _forwarded(lab) as url,
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=chromium.executable(), args=chromium.arguments()) as made,
        window(made, language, size) as page,
    ):
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        visitor = PageVisitor(url=url, key=first_key(lab.kubectl), page=page, language=language)
        with observed(visitor):
            yield Person(visitor, scene)


@contextmanager
def _forwarded(lab: Lab) -> Iterator[str]:
    """``kubectl port-forward``, as docs/how-to/web-page.md has it."""
    words = ["port-forward", f"--namespace={layout.SYSTEM_NAMESPACE}", "service/genpool-gateway", ":api"]
    command = [str(lab.info.kubectl), f"--kubeconfig={lab.info.kubeconfig}", f"--context={lab.info.context}"]
    with subprocess.Popen([*command, *words], stdout=subprocess.PIPE, text=True) as forward:
        try:
            assert forward.stdout is not None
            told = re.search(r"127\.0\.0\.1:(\d+)", forward.stdout.readline())
            assert told is not None
            yield f"http://localhost:{told[1]}"
        finally:
            forward.terminate()


def _create(person: Person) -> None:
    """From the form to the result, and what can be done with a task."""
    page, panel = person.page, person.panel
    person.visitor.go(f"#/create/text-to-image?pool={person.pool}")
    expect(page.locator("#field-prompt")).to_be_visible()
    person.button("random").click()
    person.sends("a lake at dawn [standin:slow=3]")
    expect(panel).to_have_attribute("data-status", re.compile("queued|running"))
    where = page.url
    person.visitor.look("queued")
    expect(panel.get_by_role("progressbar")).to_be_visible(timeout=START_MS)
    # Closed, and opened again: nothing is lost.
    page.goto("about:blank")
    page.goto(where)
    person.until("succeeded")
    expect(panel.locator("figure img").first).to_be_visible()
    assert (
        panel.locator("figure img").first.evaluate("image => image.decode().then(() => image.naturalWidth)")
        == 64
    )
    person.visitor.look("done")
    with page.expect_download() as saved:
        panel.locator("a.save").first.click()
    assert saved.value.suggested_filename.endswith(".png")

    panel.get_by_role("link", name=person.words("again")).click()
    expect(page.locator("#field-prompt")).to_have_value(re.compile("a lake at dawn"))
    person.sends("a lake that nobody wants [standin:slow=60]")
    person.until("running")
    person.button("cancel", panel).click()
    person.until("canceled")
    person.button("replay", panel).click()
    expect(panel).to_have_attribute("data-status", re.compile("queued|running"))
    person.button("cancel", panel).click()
    person.until("canceled")
    person.button("delete", panel).click()
    person.confirms("delete")
    expect(panel).to_contain_text(person.words("erased", when="|").partition("|")[0])


def _photos(person: Person) -> None:
    """Several photos at once, and a result beside its photo."""
    page = person.page
    person.visitor.go(f"#/create/{PHOTO}?pool={person.pool}")
    files = [
        FilePayload(name=f"lake {n}.png", mimeType="image/png", buffer=lake(n, 64, grey=True))
        for n in range(2)
    ]
    page.locator("input[type=file]").set_input_files(files)
    expect(page.locator(".photos li")).to_have_count(2)
    page.locator("#send").click()
    expect(page.locator(".note")).to_contain_text(person.words("sent", n=2))
    person.until("succeeded")
    slider = page.get_by_role("slider", name=person.words("compare"))
    slider.fill("30")
    assert "70%" in (page.locator(".compare .before").get_attribute("style") or "")
    person.visitor.look("compare")


def _gallery(person: Person) -> None:
    page = person.page
    person.visitor.go("#/gallery?status=succeeded")
    page.get_by_role("searchbox").fill("a lake at dawn")
    expect(page.locator(".tile")).not_to_have_count(0)
    page.locator(".filters select").select_option(PHOTO)
    expect(page.locator(".empty")).to_be_visible()
    page.locator(".filters select").select_option("text-to-image")
    expect(page.locator(".tile")).not_to_have_count(0)
    person.visitor.look("gallery")
    page.locator(".tile input").first.check()
    with page.expect_download():
        person.button("downloadAll", n=1).click()
    page.locator(".tile-link").first.click()
    expect(page.locator("article.task h1")).to_be_visible()
    page.locator("article.task summary").click()
    expect(page.locator(".details")).to_contain_text(person.words("gpuTime"))
    person.visitor.look("task")


def _pool(person: Person) -> None:
    page = person.page
    person.visitor.go("#/pools")
    page.get_by_role("searchbox").fill(person.pool)
    expect(page.locator("tbody tr")).to_have_count(1)
    person.visitor.look("pools")
    page.locator("tbody tr").get_by_role("link").first.click()
    expect(page.locator(".conditions li")).not_to_have_count(0)
    expect(page.locator(".conditions")).to_contain_text(person.words("condition.True"))
    person.visitor.look("pool")


def _dead_letters(person: Person) -> None:
    """One that is replayed, a kind of them, one that is discarded."""
    page = person.page
    api = person.scene.lab.api()
    for number in range(3):
        prompt = f"no good {number} [standin:fail-node]"
        api.submit({"pool": person.pool, "workflow": "text-to-image", "parameters": {"prompt": prompt}})
    person.visitor.go(f"#/dead?pool={person.pool}")
    letters = page.locator(".letter")
    expect(letters).to_have_count(3, timeout=START_MS)
    letters.first.locator("summary").click()
    expect(letters.first.locator("table tbody tr")).not_to_have_count(0)
    expect(letters.first.locator("pre")).to_contain_text("no good")
    person.visitor.look("dead")
    person.button("dead.discard", letters.first).click()
    person.confirms("dead.discard")
    expect(page.locator(".note")).to_contain_text(person.words("dead.discarded", n=1))
    expect(letters).to_have_count(2)
    first = letters.first.get_attribute("data-task")
    person.button("dead.replay", letters.first).click()
    expect(page.locator(".note")).to_contain_text(person.words("dead.replayed", n=1))
    # It fails again.
    wait_until(
        lambda: api.get(f"/v1/tasks/{first}"),
        lambda task: task["run"] == 2 and task["status"] == "failed",
        "a replayed task fails again",
        seconds=60,
    )
    reason = api.get(f"/v1/tasks/{first}")["error"]["reason"]
    person.visitor.go(f"#/dead?pool={person.pool}&reason={reason}")
    expect(letters).to_have_count(2)
    person.button("dead.discardKind").click()
    person.confirms("dead.discard")
    expect(letters).to_have_count(0)


def _usage(person: Person) -> None:
    page = person.page
    person.visitor.go("#/usage?days=7")
    expect(page.get_by_role("region", name=person.words("usage.byWorkflow"))).to_contain_text("text-to-image")
    person.visitor.look("usage")


def _keys(person: Person) -> None:
    page = person.page
    person.visitor.go("#/keys")
    name = f"album {person.scene.place}"
    page.locator(".keys form input").first.fill(name)
    page.locator(".keys form input").nth(1).fill(person.pool)
    page.locator(".keys form button[type=submit]").click()
    expect(page.locator(".made code")).to_be_visible()
    row = page.get_by_role("row", name=name)
    person.button("keys.revoke", row).click()
    person.confirms("keys.revoke")
    expect(row).to_contain_text(person.words("keys.revoked", when="|").partition("|")[0])
    person.visitor.look("keys")
