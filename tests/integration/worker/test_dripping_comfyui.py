"""What runs in ComfyUI may send anything: no answer of it holds the worker's thread. All wait at the same time."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from genpool_core import timing
from genpool_worker.adapters.comfyui_http import ComfyUIHttp
from genpool_worker.adapters.comfyui_ws import open_listener
from genpool_worker.errors import ComfyUISilent
from support.dripping import WAYS, Dripping

QUICK = timing.COMFYUI_CONNECT_SECONDS + timing.COMFYUI_QUICK_SECONDS
LOADED_MACHINE = 10.0


def given_up_after(call: Callable[[], object]) -> float:
    began = time.monotonic()
    with pytest.raises(ComfyUISilent):
        call()
    return time.monotonic() - began


def ask(way: str) -> float:
    with Dripping(WAYS[way]) as server:
        return given_up_after(ComfyUIHttp(server.url).waiting)


def handshake() -> float:
    with Dripping(WAYS["headers"]) as server:
        return given_up_after(open_listener(f"ws://127.0.0.1:{server.port}/ws", previews=False).__enter__)


def test_every_call_ends_in_time() -> None:
    with ThreadPoolExecutor(len(WAYS) + 1) as threads:
        opening = threads.submit(handshake)
        asked = list(threads.map(ask, WAYS))
        opened = opening.result()
    assert all(QUICK * 0.9 < seconds < QUICK + LOADED_MACHINE for seconds in asked), asked
    assert opened < timing.COMFYUI_QUICK_SECONDS + LOADED_MACHINE
