"""``genpool`` as a person types it, on the gateway that it finds through the kube-context."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import requests

from e2e.lab import Lab
from e2e.manifests import POOL, task
from genpool_adapters.shipped_workflows import default_workflows
from genpool_cli.batch.run import JOURNAL
from genpool_cli.errors import ExitCode
from genpool_dev.stack.install import ROOT
from genpool_dev.trying import manifest
from support.waiting import wait_until

PEOPLE = "DDColor人物黑白修复.json"
SECONDS = 150


@dataclass(frozen=True)
class Person:
    """Somebody at a terminal, with the cluster's kubeconfig."""

    lab: Lab

    def types(self, *words: str, expect: ExitCode = ExitCode.DONE, **environment: str) -> str:
        """All that a command says; its exit code is as expected."""
        done = self._runs(words, environment, expect)
        return done.stdout + done.stderr

    def reads(self, *words: str, expect: ExitCode | None = ExitCode.DONE) -> Any:  # noqa: ANN401 - JSON
        """The JSON that a command prints on standard output."""
        return json.loads(self._runs((*words, "-o", "json"), {}, expect).stdout)

    def _runs(
        self, words: Sequence[str], environment: Mapping[str, str], expect: ExitCode | None
    ) -> subprocess.CompletedProcess[str]:
        kubeconfig = {"KUBECONFIG": str(self.lab.info.kubeconfig)}
        done = subprocess.run(
            [sys.executable, "-m", "genpool_cli", *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
            env=os.environ | kubeconfig | environment,
        )
        assert expect in {None, done.returncode}, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done


@pytest.mark.together
def test_a_task_from_submit_to_its_file(lab: Lab) -> None:
    with TemporaryDirectory() as name, lab.warm() as scene:
        folder = Path(name)
        person, pool = Person(lab), f"{scene.place}/{POOL}"
        words = ("submit", "--pool", pool, *_parameters("typed"))
        _until_taken(person, *words)
        out = person.types(*words, "--idempotency-key=typed", "--download", str(folder))
        (picture,) = folder.glob("*.png")
        assert str(picture) in out
        assert "succeeded" in out
        done = next(each for each in person.reads("list", "--pool", pool) if each["status"] == "succeeded")
        watched, got = (person.reads(word, done["id"]) for word in ("watch", "get"))
        assert [(each["status"], each["completed_at"]) for each in (watched, got)] == [
            ("succeeded", done["completed_at"])
        ] * 2
        shown = person.types("explain", done["id"])
        assert "Why so many" in shown
        assert pool in person.types("pools")
        assert person.reads("usage")["rows"]
        again = person.types("replay", done["id"])
        assert "queued" in again
        assert "Run" in person.types("watch", done["id"])
        person.types("download", done["id"], "--to", str(folder / "again"))
        assert len(list((folder / "again").glob("*.png"))) == 1
        person.types("delete", done["id"], "--yes")
        assert person.reads("get", done["id"])["erased_at"]


@pytest.mark.together
def test_what_fails_is_found_among_the_dead_letters_and_said_by_the_exit_code(lab: Lab) -> None:
    # Others take the dead letters of the warm one.
    with lab.scene("typed") as scene:
        scene.apply()
        person, pool = Person(lab), f"{scene.place}/{POOL}"
        words = ("submit", "--pool", pool, *_parameters("refused", "fail-node"))
        _until_taken(person, "submit", "--pool", pool, *_parameters("before"))
        failed = person.reads(*words, "--wait", expect=ExitCode.NOT_SUCCEEDED)
        assert failed["status"] == "failed"
        listed = wait_until(
            lambda: person.reads("dlq", "list", "--pool", pool),
            lambda rows: failed["id"] in {row["id"] for row in rows},
            "the dead letter to be listed",
            seconds=60,
        )
        assert {row["error"]["reason"] for row in listed if row["id"] == failed["id"]}
        assert failed["error"]["message"] in person.types("dlq", "show", failed["id"])
        assert "1 replayed" in person.types("dlq", "replay", "--pool", pool, failed["id"])
        wait_until(
            lambda: [row["id"] for row in person.reads("dlq", "list", "--pool", pool)],
            lambda ids: failed["id"] in ids,
            "it to fail again",
            seconds=60,
        )
        assert "1 discarded" in person.types("dlq", "discard", "--pool", pool, failed["id"], "--yes")
        person.types("dlq", "replay", "--pool", pool, expect=ExitCode.USAGE)


@pytest.mark.together
def test_a_task_is_cancelled_and_a_workflow_put_on_the_cluster(lab: Lab) -> None:
    with TemporaryDirectory() as name, lab.warm() as scene:
        person, pool = Person(lab), f"{scene.place}/{POOL}"
        sent = person.reads("submit", "--pool", pool, *_parameters("cancelled", "slow=60"))
        person.types("cancel", sent["id"])
        assert person.reads("watch", sent["id"], expect=ExitCode.NOT_SUCCEEDED)["status"] == "canceled"
        folder = Path(name) / "mine"
        shutil.copytree(default_workflows() / "text-to-image", folder)
        printed = person.types("workflow", "apply", str(folder), "--namespace", scene.place)
        assert "configMap" in printed
        scene.kubectl("get", "configmap", "workflow-mine")


@pytest.mark.together
def test_a_folder_of_photos_is_gone_on_with_where_it_broke_off(lab: Lab) -> None:
    workflows = [{"name": PEOPLE, "source": {"builtin": PEOPLE}, "timeoutSeconds": 120}]
    with TemporaryDirectory() as name, lab.shared("album", workflows=workflows) as scene:
        folder = Path(name)
        photos, out = folder / "photos", folder / "out"
        _album(lab, photos)
        person, pool = Person(lab), f"{scene.place}/{POOL}"
        each = ("submit", "--workflow", PEOPLE, "--pool", pool, "-p", "size=680")
        pattern = ("--each", f"{photos}/**/*.jpg", "--download", str(out))
        _until_taken(person, *each, "--file", f"{photos}/first.jpg")
        (photos / "later.jpg").rename(folder / "later.jpg")
        assert "2 files: 2 succeeded, 0 dealt with before, 0 failed" in person.types(*each, *pattern)
        (folder / "later.jpg").rename(photos / "later.jpg")
        # Of the first photo nothing but the upload is remembered, as when the program was killed just then.
        _forget_task(out / JOURNAL, "first.jpg")
        tasks = person.reads("list", "--pool", pool)
        assert "3 files: 2 succeeded, 1 dealt with before, 0 failed" in person.types(*each, *pattern)
        assert len(person.reads("list", "--pool", pool)) == len(tasks) + 1
        assert {str(path.relative_to(out)) for path in out.rglob("*.png")} == {
            "first.png",
            "later.png",
            "grandma/父母.png",
        }


@pytest.mark.together
def test_the_pool_of_make_try_serves_on_a_cluster_with_a_bucket_in_place_of_its_folder(lab: Lab) -> None:
    spec = manifest(Path("/unused"))["spec"]
    assert isinstance(spec, dict)
    kept = {name: value for name, value in spec.items() if name in {"workflows", "worker"}}
    with TemporaryDirectory() as name, lab.scene("try", **kept) as scene:
        scene.apply()
        person, pool, folder = Person(lab), f"{scene.place}/{POOL}", Path(name)
        _until_taken(person, "submit", "--pool", pool, *_parameters("try"))
        photo = str(ROOT / "docs" / "tutorial" / "old-photo.jpg")
        words = ("submit", "-w", PEOPLE, "--pool", pool, "--file", photo, "--download", str(folder))
        assert "succeeded" in person.types(*words)
        assert len(list(folder.glob("*.png"))) == 1
        assert "Why so many" in person.types("explain", pool)
        assert "True" in scene.kubectl("get", "gp", POOL)


@pytest.mark.together
def test_keys_and_a_gateway_that_is_not_there(lab: Lab) -> None:
    with lab.warm() as scene:
        person, pool = Person(lab), f"{scene.place}/{POOL}"
        made = person.reads("keys", "make", "of-the-command-line", "--pool", pool)
        theirs = ("--url", lab.api().url)
        shown = person.types(*theirs, "pools", GENPOOL_API_KEY=made["key"])
        assert pool in shown
        assert made["key"] not in person.types("keys", "list")
        person.types(*theirs, "keys", "list", expect=ExitCode.REFUSED, GENPOOL_API_KEY=made["key"])
        person.types("keys", "revoke", made["id"])
        refused = wait_until(
            lambda: _refused(person, *theirs, "pools", key=made["key"]),
            bool,
            "the key to open nothing",
            seconds=30,
        )
        assert "key" in refused
        found = person.reads("doctor", expect=None)
        states = {each["what"]: each["state"] for each in found}
        assert {states[what] for what in ("gateway", "cluster", "CRD", "operator")} == {"ok"}
        assert f"pool {pool}" in states
        nowhere = person.types("pools", expect=ExitCode.REFUSED, KUBECONFIG="/nowhere")
        assert "No gateway is named (--url, or GENPOOL_URL)" in nowhere


def _refused(person: Person, *words: str, key: str) -> str:
    try:
        return person.types(*words, expect=ExitCode.REFUSED, GENPOOL_API_KEY=key)
    except AssertionError:
        return ""


def _parameters(name: str, *commands: str) -> list[str]:
    sent = task(f"{name}-of-the-command-line", *commands)
    return [f"-p{key}={sent[key]}" for key in ("prompt", "width", "height", "steps")]


def _until_taken(person: Person, *words: str) -> None:
    """A first task, which is taken once the gateway has a connection to the vhost."""
    found = person.reads(*words)
    assert found["status"] == "queued"


def _album(lab: Lab, photos: Path) -> None:
    """Three photos with different contents, in two folders."""
    for number, name in enumerate(("first.jpg", "later.jpg", "grandma/父母.jpg"), start=1):
        path = photos / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(requests.get(f"{lab.photos.url}/people/{number}.jpg", timeout=10).content)
    assert len({hashlib.sha256(path.read_bytes()).digest() for path in photos.rglob("*.jpg")}) == 3


def _forget_task(journal: Path, name: str) -> None:
    lines = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines() if line]
    kept = [line for line in lines if not line["file"].endswith(name) or not line["task"]]
    assert len(kept) < len(lines)
    journal.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
