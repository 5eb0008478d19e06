"""A wrong manifest is refused when it is applied, with a sentence about what to change."""

from __future__ import annotations

import pytest
import yaml

from e2e.lab import Lab
from e2e.manifests import pool
from genpool_core.jsontypes import JsonObject

WRONG: dict[str, tuple[JsonObject, str]] = {
    "unknown field": ({"scaling": {"maxReplica": 3}}, 'unknown field "spec.scaling.maxReplica"'),
    "more at least than at most": (
        {"scaling": {"minReplicas": 3, "maxReplicas": 2}},
        "minReplicas is larger than maxReplicas: lower minReplicas or raise maxReplicas",
    ),
    "no workflow": (
        {"workflows": None},
        "for example {name: text-to-image, source: {builtin: text-to-image}}",
    ),
    "empty list of workflows": ({"workflows": []}, "workflows is empty: list at least one"),
    "two sources": (
        {
            "workflows": [
                {
                    "name": "x",
                    "source": {
                        "builtin": "text-to-image",
                        "configMap": {"name": "c", "key": "k", "parametersKey": "p"},
                    },
                }
            ]
        },
        "a workflow's source is either builtin or configMap: set exactly one of them",
    ),
    "pinned to nothing": (
        {"scaling": {"mode": "Pinned"}},
        "mode Pinned needs replicas: set scaling.replicas",
    ),
    "reserved queue": ({"queue": {"name": "amq.tasks"}}, "give the queue another name"),
}


@pytest.mark.together
@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_manifest_is_refused_with_a_sentence(lab: Lab, case: str) -> None:
    changes, sentence = WRONG[case]
    manifest = pool(lab.info, lab.servers, "default", changes)
    manifest["metadata"] = {"name": "wrong", "namespace": "default"}
    done = lab.kubectl.attempt("apply", "--filename=-", stdin=yaml.safe_dump(manifest))
    assert done.returncode != 0, done.stdout
    assert sentence in done.stderr
    assert lab.kubectl.find("generationpool", "wrong", "--namespace=default") is None


@pytest.mark.together
def test_a_name_that_cannot_change_says_so(lab: Lab) -> None:
    with lab.warm() as scene:
        manifest = scene.manifest(queue={"name": "another"})
        done = lab.kubectl.attempt("apply", "--filename=-", stdin=yaml.safe_dump(manifest))
        assert done.returncode != 0, done.stdout
        assert "the queue's name cannot change: make another pool" in done.stderr
