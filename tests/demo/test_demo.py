"""``make demo`` as README and tutorial say: kept, looked at, ended. Last, on a cluster without GenPool."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from genpool_dev.cluster import api
from support.documented import by_hand
from support.quiet import tell_quiet

ROOT = Path(__file__).resolve().parents[2]
_SECONDS = 600


def _types(*words: str, **environment: str) -> str:
    done = subprocess.run(
        words,
        cwd=ROOT,
        env=by_hand(os.environ) | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    return done.stdout


def test_a_demo_that_is_kept_is_looked_at_and_ended() -> None:
    tell_quiet()
    try:
        last: dict[str, Any] = json.loads(_types("make", "demo", KEEP="1").splitlines()[-1])
        assert (last["tasks"], last["results"], last["dead"]) == (24, 24, 0)
        assert Path(last["api_key_file"]).is_file()
        info = api.info()
        assert info is not None
        path = f"{info.kubectl.parent}:{os.environ['PATH']}"
        cluster = {"KUBECONFIG": str(info.kubeconfig), "PATH": path}
        assert "text" in _types("kubectl", "-n", "genpool-demo", "get", "gp", **cluster)
        assert "Ready" in _types("kubectl", "-n", "genpool-demo", "describe", "gp", "text", **cluster)
    finally:
        _types("make", "demo-down")
    assert not Path(last["api_key_file"]).exists()
