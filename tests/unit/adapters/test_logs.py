from __future__ import annotations

import pytest

from genpool_adapters.logs import hide_secrets


@pytest.mark.parametrize(
    "key", ["password", "client_secret", "Authorization", "X-Amz-Signature", "access_token"]
)
def test_a_secret_value_is_never_written(key: str) -> None:
    assert hide_secrets(None, "info", {"event": "e", key: "s3cr3t"}) == {"event": "e", key: "(hidden)"}


def test_other_values_are_kept() -> None:
    assert hide_secrets(None, "info", {"event": "e", "queue": "q"}) == {"event": "e", "queue": "q"}
