"""``make try``: GenPool on this machine with ComfyUI's stand-in, for somebody who wants to look; nothing is installed.

It is ``genpool local`` with a pool that has the shipped workflows, a folder for results, and the stand-in for ComfyUI.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import yaml

from genpool_cli.local.erase import erase
from genpool_cli.local.folder import Folder, write
from genpool_cli.local.logins import login_link
from genpool_cli.local.ports import HOST, free_ports, is_free
from genpool_cli.local.up import Options, down, first_key, up
from genpool_core.jsontypes import JsonObject
from genpool_core.names import API_VERSION, KIND
from genpool_dev.cluster.settings import cache_home
from genpool_dev.progress import Steps

PORT = 8000
_WORKFLOWS = ("text-to-image", "DDColor人物黑白修复.json", "DDColor建筑黑白修复.json")


def manifest(results: Path) -> JsonObject:
    """The pool. Pure."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": "try", "namespace": "genpool"},
        "spec": {
            "queue": {"name": "generation_tasks"},
            "workflows": [
                {"name": name, "source": {"builtin": name}, "fallback": name == _WORKFLOWS[0]}
                for name in _WORKFLOWS
            ],
            "comfyui": {"image": "stand-in"},
            "worker": {"previews": True},
            "storage": {"type": "Folder", "folder": {"path": str(results)}},
        },
    }


def start() -> None:
    """Start it, or find it running, and say where its page is. Raises GenPoolError."""
    folder, steps = _folder(), Steps()
    run = folder.run()
    if run is None or not run.alive:
        folder.make()
        pool = _pool_file(folder)
        write(pool, yaml.safe_dump(manifest(folder.data / "results"), allow_unicode=True))
        with steps.step(
            "RabbitMQ, gateway, worker and a stand-in for ComfyUI", "about 15 s; 34 MB the first time"
        ):
            run = up(folder, _options(folder, pool), steps.say)
    page, key = login_link(folder, run.url), first_key(folder)
    print(f"""
GenPool runs on this machine. ComfyUI is a stand-in: its pictures say so.

  the page    {page}
  the API     {run.url}/docs, with the key in {key}
  the queue   `genpool local status --folder {folder.root}` says what runs; logs are in {folder.logs}

`make try` gives a new link to the page (one is good once, for ten minutes), `make try-down` ends it.
""")
    print(json.dumps({"page": page, "gateway": run.url, "api_key_file": str(key)}))


def end() -> None:
    """End it and take its data away. Raises GenPoolError."""
    folder = _folder()
    ran = down(folder)
    _pool_file(folder).unlink(missing_ok=True)
    erase(folder)
    print("GenPool has ended, and its data are gone." if ran else "GenPool was not running.")


def _pool_file(folder: Folder) -> Path:
    return folder.root / "pool.yaml"


def _folder() -> Folder:
    return Folder(cache_home() / "try")


def _options(folder: Folder, pool: Path) -> Options:
    comfyui, other = free_ports(2)
    stand_in = f"{sys.executable} -m genpool_dev.comfyui --listen {HOST} --port {{port}}"
    return Options(
        pool,
        f"http://{HOST}:{comfyui}",
        comfyui_command=f"{stand_in} --base-directory {folder.data / 'comfyui'}",
        port=PORT if is_free(PORT) else other,
    )
