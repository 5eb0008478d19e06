"""Uploads as inputs: their owner's only, and only where the gateway says who that is."""

from __future__ import annotations

import pytest

from fakes.worker_world import CONFIG, PHOTO, TEXT
from genpool_core.errors import RefusedInput
from genpool_core.tasks.check import ValidatedTask, validate
from genpool_core.tasks.uploads import upload_key, upload_value, upload_values
from genpool_core.workflow.catalog import Catalog

TOKEN = "0a" * 16
VALUE = upload_value(TOKEN, "a.png")


def _validated(value: str, owner: str | None) -> ValidatedTask:
    body = {"image_url": value, "workflow_type": PHOTO.entry.name}
    return validate(body, CONFIG, Catalog((TEXT, PHOTO)), owner=owner)


def test_an_upload_is_an_object_of_its_owner_and_nothing_to_fetch() -> None:
    validated = _validated(VALUE, "key-1")
    assert validated.uploads == {"image_url": f"{CONFIG.store.prefix}uploads/key-1/{TOKEN}/a.png"}
    assert validated.files == {}


@pytest.mark.parametrize(
    ("value", "owner", "said"),
    [
        (VALUE, None, "only a task that is sent to the gateway's API"),
        ("upload:", "key-1", "is no upload's id"),
        (f"upload:{TOKEN}/../../tasks/x.png", "key-1", "is no upload's id"),
        (f"upload:{TOKEN}/..", "key-1", "is no upload's id"),
        (f"upload:{TOKEN}/a.png\n", "key-1", "is no upload's id"),
        (f"upload:{TOKEN.upper()}/a.png", "key-1", "is no upload's id"),
        (f"upload://{TOKEN}/a.png", "key-1", "is no upload's id"),
        (f"Upload:{TOKEN}/a.png", "key-1", "not an http or https URL"),
        ("s3://results/uploads/key-1/a.png", "key-1", "not an http or https URL"),
    ],
)
def test_others_are_refused(value: str, owner: str | None, said: str) -> None:
    with pytest.raises(RefusedInput, match=said) as caught:
        _validated(value, owner)
    assert caught.value.parameter == "image_url"


def test_an_owner_cannot_lead_out_of_its_folder() -> None:
    assert upload_key(VALUE, prefix="p/", owner="../x") == f"p/uploads/..%2Fx/{TOKEN}/a.png"


def test_the_uploads_of_a_task() -> None:
    parameters = {"image": VALUE, "size": 5, "other": "https://example.com/a.png"}
    assert upload_values(parameters) == [VALUE]
