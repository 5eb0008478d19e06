"""The API keeps to its OpenAPI document: Schemathesis sends what the document allows and what it does not.

No 500, no status, media type or shape that the document does not have, no request that it forbids and the API takes.
``GENPOOL_CONTRACT_EXAMPLES`` is the number of requests for each operation and phase; ``make soak-api`` sets it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from integration.gateway.api import Api

EXAMPLES = os.environ.get("GENPOOL_CONTRACT_EXAMPLES", "10")
_SEED = os.environ.get("GENPOOL_CONTRACT_SEED", "8")
_STREAM = "/v1/tasks/{task}/events"
#: A task may be valid as JSON Schema and be refused all the same: which workflows there are, the schema cannot say.
_LEFT_OUT = "positive_data_acceptance"

_SETTINGS = """
[parameters]
# A request that may wait for a task's end does so: no worker is here.
"query.wait" = 0.01
[checks.negative_data_rejection]
expected-statuses = ["401", "403", "404", "405", "413", "415", "422"]
# Two readers of a dead-letter queue would change its order: the second one is told to wait.
[[operations]]
include-path-regex = "^/v1/dead-letters/"
[operations.checks.not_a_server_error]
expected-statuses = ["200", "4xx", "503"]
[operations.checks.negative_data_rejection]
expected-statuses = ["401", "403", "404", "405", "413", "415", "422", "503"]
"""


@pytest.fixture
def api_settings() -> dict[str, str]:
    return {"GENPOOL_REQUESTS_PER_SECOND": "0"}


def _schemathesis(api: Api, folder: Path, *options: str) -> None:
    (folder / "schemathesis.toml").write_text(_SETTINGS, encoding="utf-8")
    program = str(Path(sys.executable).with_name("schemathesis"))
    words = ["run", f"{api.url}/openapi.json", "--header", f"Authorization: Bearer {api.key}"]
    words += ["--checks", "all", "--exclude-checks", _LEFT_OUT, "--seed", _SEED, "--request-timeout", "10"]
    words += ["--max-examples", EXAMPLES, "--generation-database", "none", "--continue-on-failure"]
    done = subprocess.run(
        [program, "--no-color", *words, *options], cwd=folder, capture_output=True, text=True, check=False
    )
    said = (done.stdout + done.stderr).replace(api.key, "KEY")
    assert done.returncode == 0, said
    assert "Test cases" in said, said
    assert "request_failed" not in api.process.log


def test_the_api_does_as_its_document_says(api: Api, tmp_path: Path) -> None:
    _schemathesis(api, tmp_path, "--exclude-path", _STREAM)
    # A stream of a task that has not ended has no end: ids that a request before it has made are left out.
    _schemathesis(api, tmp_path, "--include-path", _STREAM, "--phases", "coverage,fuzzing")


def test_a_stream_is_what_the_document_says(api: Api) -> None:
    task = api.submit()
    api.ended(task)
    api.until_status(task["id"], "succeeded")
    answer = api.call("GET", f"/v1/tasks/{task['id']}/events")
    document = api.call("GET", "/openapi.json", key=None).json()
    (media_type,) = document["paths"][_STREAM]["get"]["responses"]["200"]["content"]
    assert answer.headers["Content-Type"].partition(";")[0] == media_type


def test_the_document_is_whole(api: Api) -> None:
    document = api.call("GET", "/openapi.json", key=None).json()
    assert document["openapi"].startswith("3.1.")
    assert set(document["components"]["securitySchemes"]) == {"bearer", "apiKey", "session"}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert operation["summary"], (path, method)
            problems = {status for status in operation["responses"] if status >= "4"}
            # A link to a file is its own key.
            expected = {"422", "500", "503"} | ({"403"} if operation.get("security") == [] else {"401"})
            assert expected <= problems, (path, method)
            for status in problems:
                assert list(operation["responses"][status]["content"]) == ["application/problem+json"]
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if body is not None:
                name = body["schema"]["$ref"].rpartition("/")[2]
                assert document["components"]["schemas"][name]["examples"], name


def test_the_page_needs_no_internet(api: Api) -> None:
    page: requests.Response = api.call("GET", "/docs", key=None)
    assert page.status_code == 200
    assert "https://" not in page.text.replace("https://app.example.org", "")
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    for path in api.call("GET", "/openapi.json", key=None).json()["paths"]:
        assert path in page.text
