"""Leaving the machine to others: ``make test`` runs tests beside those that have little to do."""

from __future__ import annotations

import os
from pathlib import Path

from genpool_dev.testrun import QUIET


def tell_quiet() -> None:
    """Tell who waits for it that from here on these tests leave most of the processors to others."""
    if file := os.environ.get(QUIET):
        Path(file).touch()
