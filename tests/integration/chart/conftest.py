from __future__ import annotations

import os

import pytest


@pytest.fixture(scope="session")
def helm() -> str:
    """The cluster's Helm, or that of ``GENPOOL_TEST_HELM``."""
    given = os.environ.get("GENPOOL_TEST_HELM")
    if given:
        return given
    from genpool_dev.cluster import api  # noqa: PLC0415 - only who needs the cluster starts it

    return str(api.ensure_up().helm)
