from __future__ import annotations

import subprocess
import sys

import pytest

from genpool_adapters.logs import hide_secrets

_FAILS = """
import structlog
from genpool_adapters.logs import configure_logging
configure_logging("test", "{fmt}", "INFO")
def connect(token):
    raise ValueError("refused")
try:
    connect("s3cr" + "3t")
except ValueError:
    structlog.get_logger().exception("connection_failed")
"""


@pytest.mark.parametrize(
    "key", ["password", "client_secret", "Authorization", "X-Amz-Signature", "access_token"]
)
def test_a_secret_value_is_never_written(key: str) -> None:
    assert hide_secrets(None, "info", {"event": "e", key: "s3cr3t"}) == {"event": "e", key: "(hidden)"}


def test_other_values_are_kept() -> None:
    assert hide_secrets(None, "info", {"event": "e", "queue": "q"}) == {"event": "e", "queue": "q"}


@pytest.mark.parametrize("fmt", ["json", "console"])
def test_a_traceback_shows_no_local_variables(fmt: str) -> None:
    code = _FAILS.format(fmt=fmt)
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "ValueError: refused" in done.stderr
    assert "s3cr3t" not in done.stderr
