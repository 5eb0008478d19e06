"""Hostile input at the door: each is refused as a problem with a reason; nothing is queued, nothing secret logged."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from integration.gateway.api import QUEUE, Api

SECRET = "s3cr3t-in-a-query"
GOOD = {"pool": "text", "parameters": {"prompt": "a lake"}}


@pytest.fixture
def pool_spec() -> dict[str, Any]:
    return {"security": {"allowGraphs": True, "allowGraphsWithPodIdentity": True}}


@pytest.fixture
def api_settings() -> dict[str, str]:
    return {"GENPOOL_REQUESTS_PER_SECOND": "0", "GENPOOL_BODY_SECONDS": "1"}


@pytest.fixture(autouse=True)
def no_defect(api: Api) -> Iterator[None]:
    """Whatever is sent, the gateway meets no fault of its own."""
    yield
    log = api.process.log
    assert "Traceback" not in log
    assert "request_failed" not in log


def _problem(answer: requests.Response, *statuses: int) -> dict[str, Any]:
    assert answer.status_code in (statuses or (422,)), answer.text[:500]
    assert answer.headers["Content-Type"] == "application/problem+json"
    found = answer.json()
    assert found["status"] == answer.status_code
    assert re.fullmatch(r"[A-Z]\w+", found["reason"])
    assert found["code"] > 0
    assert len(answer.content) < 4000
    assert "Traceback" not in answer.text
    return dict(found)


def _post(api: Api, body: bytes | Iterator[bytes], **headers: str) -> requests.Response:
    sent = {"Authorization": f"Bearer {api.key}", "Content-Type": "application/json"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.post(f"{api.url}/v1/tasks", data=body, headers=sent, timeout=30)


def test_bodies_that_are_no_task(api: Api) -> None:
    prompt = b'{"pool":"text","parameters":{"prompt":%s}}'
    bodies = [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe{\x00}\x00",
        b'{"pool":"text","parameters":{"prompt":"\xff"}}',
        prompt % b"NaN",
        prompt % b"-Infinity",
        prompt % b"1e999",
        prompt % (b"9" * 4301),
        prompt % b'"\\ud800"',
        b'{"pool":"text","parameters":{"\\udfff":1}}',
        b'{"pool":"text","metadata":{"a":' + b'[{"a":' * 50_000 + b"1",
        b'{"pool":"text","metadata":{"a":' + b"[" * 70 + b"]" * 70 + b"}}",
        b'{"pool":"text","parameters":{"prompt":"x","seed":' + b"9" * 4300 + b"}}",
        b'{"pool":"text","parameters":{"prompt":"x","width":1e400}}',
        b'{"' + b"a" * 100_000 + b'":1}',
        json.dumps({"pool": "text", "parameters": {f"p{n}": n for n in range(10_000)}}).encode(),
        json.dumps({"pool": "text", "metadata": {f"p{n}": n for n in range(10_000)}}).encode(),
        json.dumps({"pool": "text\0", "parameters": {"prompt": "x"}}).encode(),
        json.dumps({"pool": "text", "workflow": "\0" * 129}).encode(),
        json.dumps({**GOOD, "priority": 10**30}).encode(),
        json.dumps({**GOOD, "priority": True}).encode(),
        json.dumps({**GOOD, "start_within_seconds": 10**4000}).encode(),
        json.dumps({**GOOD, "task_id": ""}).encode(),
        json.dumps({**GOOD, "callback_events": ["end"] * 100_000}).encode(),
    ]
    for body in bodies:
        _problem(_post(api, body))
    assert api.process.vhost.ready(QUEUE) == 0


def test_words_of_any_kind_come_back_as_they_went(api: Api) -> None:
    words = "NUL \0, \\u0000, \u202e, \U0001f3a8, \x7f"
    fields = {"task_id": words, "metadata": {words: words, "n": 10**15}}
    task = api.submit(words, **fields)
    assert (task["task_id"], task["metadata"]) == (words, fields["metadata"])
    found = api.task(task["id"])
    assert (found["task_id"], found["metadata"]) == (words, fields["metadata"])
    listed = api.call("GET", "/v1/tasks?task_id=" + requests.utils.quote(words, safe="")).json()["tasks"]
    assert [one["id"] for one in listed] == [task["id"]]
    ((_, body),) = api.queued()
    assert (body["task_id"], body["parameters"]["prompt"]) == (words, words)


def test_media_types_sizes_and_slowness(api: Api) -> None:
    good = json.dumps(GOOD).encode()
    for media_type in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "",
        "a" * 999,
    ):
        _problem(_post(api, good, Content_Type=media_type), 415)
    large = b'{"pool":"' + b"x" * 2**20 + b'"}'
    assert _problem(_post(api, large), 413)["reason"] == "RequestTooLarge"
    assert _problem(_post(api, iter([large[:1000]] * 2000)), 413)["reason"] == "RequestTooLarge"
    assert api.process.vhost.ready(QUEUE) == 0
    address = ("127.0.0.1", int(api.url.rpartition(":")[2]))
    with socket.create_connection(address, timeout=20) as caller:
        head = f"POST /v1/tasks HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.key}\r\n"
        caller.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n".encode())
        started = time.monotonic()
        answer = caller.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 408"), answer
    assert b"RequestTimeout" in answer
    assert time.monotonic() - started < 10


def test_headers(api: Api) -> None:
    good = json.dumps(GOOD).encode()
    for key in ("", "a b", "\xff", "x" * 256):
        _problem(_post(api, good, Idempotency_Key=key))
    assert api.process.vhost.ready(QUEUE) == 0
    task = api.submit()
    for wait in ("wait=\xb2", "wait=-1", "wait=1e9", "wait=" + "9" * 5000, "wait", ",,,;=", "respond-async"):
        answer = api.call("GET", f"/v1/tasks/{task['id']}", headers={"Prefer": wait.encode("latin-1")})  # type: ignore[dict-item]
        assert answer.status_code == 200
    for wait in ("\xb2", "-1", "nan", "inf", "1e9"):
        _problem(api.call("GET", f"/v1/tasks/{task['id']}?wait={wait}"))
    for wait in ("wait=\xb2", "wait=", "=", "wait=x"):
        assert _post(api, good, Prefer=wait).status_code == 202
    api.ended(task)
    api.until_status(task["id"], "succeeded")
    for last in ("9" * 32, "\xb2", "-1", "x", str(2**31), str(2**63)):
        answer = api.call("GET", f"/v1/tasks/{task['id']}/events", headers={"Last-Event-ID": last})
        assert answer.status_code == 200, answer.text
    _problem(api.call("GET", f"/v1/tasks/{task['id']}/events", headers={"Last-Event-ID": "9" * 33}))


def test_keys_that_are_none(api: Api) -> None:
    for sent in (
        "Bearer",
        "Bearer ",
        "Basic YTpi",
        f"Bearer {api.key}x",
        "Bearer \xff\xfe",
        "Bearer " + "k" * 5000,
    ):
        answer = requests.get(f"{api.url}/v1/tasks", headers={"Authorization": sent}, timeout=10)
        assert _problem(answer, 401)["reason"] == "Unauthenticated"
    for query in ("key", "api_key", "apikey", "access_token", "authorization", "x-api-key"):
        answer = requests.get(f"{api.url}/v1/tasks?{query}={api.key}", timeout=10)
        assert _problem(answer, 401)["reason"] == "Unauthenticated"
        assert api.key not in answer.text
    # A key in a path is neither believed nor repeated.
    answer = api.call("DELETE", f"/v1/keys/{api.key}")
    _problem(answer, 422)
    assert api.key not in answer.text


def test_paths_and_queries(api: Api) -> None:
    for path in (
        "/v1/tasks/%00",
        "/v1/tasks/..%2f..%2fetc",
        "/v1/tasks/" + "a" * 65,
        "/v1/tasks/ABCDEF",
        "/v1/tasks?cursor=%00",
        "/v1/tasks?cursor=MDAwMS0wMS0wMVQwMDowMDowMCsxNDowMCBh",  # 0001-01-01T00:00:00+14:00 a
        "/v1/tasks?cursor=MjAyNi0wMS0wMVQwMDowMDowMCswMDowMCAAAA",  # … and NUL as the id
        "/v1/tasks?limit=0",
        "/v1/tasks?limit=" + "9" * 5000,
        "/v1/tasks?status=nothing",
        "/v1/tasks?pool=%00",
        "/v1/usage?since=0001-01-01",
        "/v1/usage?until=9999-12-31",
        "/v1/usage?until=0",
        "/v1/usage?since=2026-01-01&until=2020-01-01",
        "/v1/audit?limit=1001",
    ):
        _problem(api.call("GET", path), 404, 422)
    for path in (
        "/v1/tasks?workflow=%00%ff",
        "/v1/tasks?task_id=%00",
        "/v1/tasks?status=queued" + "&status=queued" * 500,
    ):
        assert api.call("GET", path).status_code == 200
    _problem(api.call("DELETE", "/v1/keys/%00"))
    _problem(api.call("PATCH", "/v1/tasks"), 405)
    _problem(api.call("GET", "/v1/nothing"), 404)


def test_urls_that_lead_inside(api: Api) -> None:
    for url in (
        "http://127.0.0.1/?k=" + SECRET,
        "http://[::1]/?k=" + SECRET,
        "http://[::ffff:127.0.0.1]/",
        "http://0x7f000001/",
        "http://2130706433/",
        "http://0177.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1:22/",
        "https://user:" + SECRET + "@example.org/",
        "file:///etc/passwd",
        "gopher://example.org/",
        "http://",
        "http://example.org\r\nX: y/",
        "http://exa\0mple.org/",
        "//example.org/",
        "javascript:alert(1)",
        "http://example.org:99999/",
        "http://" + "a" * 300 + ".example/",
        "http://xn--\u2603.example/",
    ):
        answer = api.call("POST", "/v1/tasks", {**GOOD, "callback_url": url})
        # Whether a name leads inside shows only when it is looked up: that is the dispatcher's check.
        assert _problem(answer)["parameter"] == "callback_url", url
        assert SECRET not in answer.text
    assert api.process.vhost.ready(QUEUE) == 0


def test_graphs(api: Api) -> None:
    node: dict[str, Any] = {"class_type": "SaveImage", "inputs": {}}
    for graph in (
        {},
        {"1": None},
        {"1": []},
        {"1": {"class_type": 1, "inputs": {}}},
        {"1": {"class_type": "A", "inputs": []}},
        {str(n): {"class_type": "x"} for n in range(10_000)},
    ):
        _problem(api.call("POST", "/v1/tasks", {"pool": "text", "graph": graph}))
    _problem(api.call("POST", "/v1/tasks", {**GOOD, "graph": {"1": node}}))
    assert api.process.vhost.ready(QUEUE) == 0


def test_another_users_tasks_do_not_exist(api: Api) -> None:
    ann = api.call("POST", "/v1/keys", {"name": "ann"}).json()["key"]
    bob = api.call("POST", "/v1/keys", {"name": "bob"}).json()["key"]
    task = api.call("POST", "/v1/tasks", {**GOOD, "task_id": "t"}, key=ann).json()["id"]
    theirs = _problem(api.call("GET", f"/v1/tasks/{task}", key=bob), 404)
    nothing = _problem(api.call("GET", f"/v1/tasks/{'0' * len(task)}", key=bob), 404)
    assert theirs["detail"].replace(task, "") == nothing["detail"].replace("0" * len(task), "")
    _problem(api.call("GET", f"/v1/tasks/{task}/events", key=bob), 404)
    assert api.call("GET", "/v1/tasks?task_id=t", key=bob).json()["tasks"] == []
    # The same words of another key are another task.
    other = api.call("POST", "/v1/tasks", {**GOOD, "task_id": "t"}, key=bob)
    assert (other.status_code, other.json()["id"] == task) == (202, False)
