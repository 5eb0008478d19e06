"""A Chromium for tests and pictures of the web page: Debian's, installed where it is missing, with Chinese fonts."""

from __future__ import annotations

import os
import shutil

from genpool_dev.cluster import shell
from genpool_dev.cluster.artifacts import packages
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.progress import Steps

NEEDS = (
    packages.Need("chromium", "chromium"),
    packages.Need("fonts-noto-cjk", "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
)


def executable() -> str:
    """Path of the program; raises ClusterError where it cannot be installed."""
    packages.install_missing(Steps(), NEEDS)
    found = shutil.which("chromium", path=shell.with_system_path()["PATH"])
    if found is None:
        raise ClusterError("chromium was installed and is not on the path: look at /usr/bin/chromium.")
    return found


def arguments() -> list[str]:
    """Options for a run without a screen. Its sandbox does not work as root: what it opens are our own pages."""
    return ["--no-sandbox"] if os.geteuid() == 0 else []
