"""Small things of HTTP: what a header may say, and what an answer takes from a request."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from genpool_gateway.api.accept import preferred_wait
from unit.gateway.api.world import TASK, ApiWorld


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("wait=20", 20),
        ('wait="20"', 20),
        ("respond-async, WAIT = 20 ", 20),
        ('return=minimal, wait="20"; x=y', 20),
        ("wait=99999999999", 60),
        ('wait="20', 0),
        ("wait=-1", 0),
        ("wait=2.5", 0),
        ("wait=٢", 0),
        ("wait=", 0),
        ("await=20", 0),
    ],
)
def test_the_wait_that_a_client_prefers(header: str | None, seconds: float) -> None:
    assert preferred_wait(header) == seconds


@pytest.mark.parametrize("way", [{}, {"params": {"wait": "0"}}])
def test_a_compressed_body_is_refused_with_its_encoding(way: dict[str, Any]) -> None:
    body = gzip.compress(json.dumps(TASK).encode())
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = ApiWorld().call("POST", "/v1/tasks", content=body, headers=headers, **way)
    assert (answer.status_code, answer.json()["reason"]) == (415, "UnsupportedMediaType")
    assert (
        answer.json()["detail"] == "the body is encoded (gzip): send it as it is, without Content-Encoding."
    )


def test_an_encoding_that_is_none_is_taken() -> None:
    answer = ApiWorld().call("POST", "/v1/tasks", json=TASK, headers={"Content-Encoding": "identity"})
    assert answer.status_code == 202


@pytest.mark.parametrize("path", ["/v1/tasks/", "/v1/pools/", "/v1/tasks/abc/", "/docs/"])
def test_nobody_is_sent_to_the_host_that_a_request_names(path: str) -> None:
    answer = ApiWorld().call("GET", path, headers={"Host": "evil.example"})
    assert "location" not in answer.headers
    assert (answer.status_code, answer.json()["reason"]) == (404, "NotFound")


@pytest.mark.parametrize("number", ["1_0", " 10", "+10", "1e1", "0x10", "１０", "", "ten"])
@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/tasks", "limit"),
        ("/v1/dead-letters", "limit"),
        ("/v1/audit", "limit"),
        ("/v1/pools/team/pictures/history", "hours"),
        (f"/v1/tasks/{'a' * 40}", "wait"),
    ],
)
def test_a_number_of_a_query_is_written_in_digits(path: str, name: str, number: str) -> None:
    answer = ApiWorld().call("GET", path, params={name: number})
    assert (answer.status_code, answer.json()["reason"]) == (422, "InvalidRequest")
    assert answer.json()["parameter"] == name
