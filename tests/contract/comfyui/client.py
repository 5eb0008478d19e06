"""A small client of ComfyUI's API: plain calls, no decisions, so that tests see what happened."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import requests
import websocket

Json = dict[str, Any]
Frame = Json | bytes
T = TypeVar("T")
DEADLINE_SECONDS = 20.0


def wait_for(what: str, probe: Callable[[], T | None], seconds: float = DEADLINE_SECONDS) -> T:
    """Poll until the probe returns something true; fail with what was waited for."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = probe()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError(f"not within {seconds:g} s: {what}")


class Events:
    """One websocket, read to a condition."""

    def __init__(self, socket: websocket.WebSocket, client_id: str) -> None:
        self.socket = socket
        self.client_id = client_id

    def next(self) -> Frame:
        data = self.socket.recv()
        return data if isinstance(data, bytes) else dict(json.loads(data))

    def until(self, event: str, **data: object) -> list[Frame]:
        """Return all frames up to the first one of that type with these data."""
        frames: list[Frame] = []
        while True:
            frame = self.next()
            frames.append(frame)
            if isinstance(frame, dict) and frame["type"] == event:
                got = frame["data"]
                if all(key in got and got[key] == value for key, value in data.items()):
                    return frames

    def until_job_end(self, prompt_id: str) -> list[Frame]:
        return self.until("executing", node=None, prompt_id=prompt_id)

    def silent_for(self, seconds: float) -> bool:
        """Whether nothing but `status` arrives for that long."""
        self.socket.settimeout(seconds)
        try:
            while True:
                frame = self.next()
                if isinstance(frame, bytes) or frame["type"] != "status":
                    return False
        except websocket.WebSocketTimeoutException:
            return True
        finally:
            self.socket.settimeout(DEADLINE_SECONDS)


class ComfyUI:
    """One server, real or stand-in."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.http = requests.Session()

    def close(self) -> None:
        self.http.close()

    def get(
        self, path: str, params: Json | None = None, headers: dict[str, str] | None = None
    ) -> requests.Response:
        return self.http.get(self.url + path, params=params, headers=headers, timeout=DEADLINE_SECONDS)

    def post(
        self,
        path: str,
        json: object = None,
        *,
        data: bytes | dict[str, str] | None = None,
        files: dict[str, tuple[str, bytes]] | None = None,
    ) -> requests.Response:
        return self.http.post(self.url + path, json=json, data=data, files=files, timeout=DEADLINE_SECONDS)

    def answers(self) -> bool:
        try:
            return self.http.get(self.url + "/system_stats", timeout=2).ok
        except requests.RequestException:
            return False

    @property
    def profile(self) -> str:
        """The recorded version that this server should behave like."""
        version = self.get("/system_stats").json()["system"]["comfyui_version"]
        major, minor = (int(part) for part in version.lstrip("v").split(".")[:2])
        return "0.3.64" if (major, minor) <= (0, 3) else "0.33.0"

    def queue(self, graph: Json, **more: object) -> str:
        """Post a prompt that must be accepted, and return its id."""
        answer = self.post("/prompt", json={"prompt": graph, **more})
        assert answer.status_code == 200, answer.text
        assert answer.json()["node_errors"] == {}
        return str(answer.json()["prompt_id"])

    def history(self, prompt_id: str) -> Json:
        """Return the entry, `{}` where there is none."""
        return dict(self.get(f"/history/{prompt_id}").json().get(prompt_id, {}))

    def ended(self, prompt_id: str) -> Json:
        """Wait for the entry."""
        return wait_for(f"history of {prompt_id}", lambda: self.history(prompt_id))

    def run(self, graph: Json, **more: object) -> Json:
        """Post a prompt and wait for its history entry."""
        return self.ended(self.queue(graph, **more))

    def running(self) -> list[str]:
        return [row[1] for row in self.get("/queue").json()["queue_running"]]

    def pending(self) -> list[str]:
        return [row[1] for row in self.get("/queue").json()["queue_pending"]]

    def wait_until_running(self, prompt_id: str) -> None:
        wait_for(f"{prompt_id} to run", lambda: prompt_id in self.running())

    def wait_until_idle(self) -> None:
        def idle() -> bool:
            info = self.get("/prompt").json()["exec_info"]
            return bool(info["queue_remaining"] == 0)

        wait_for("an empty queue", idle)

    def upload(self, name: str, data: bytes, **fields: str) -> requests.Response:
        return self.post("/upload/image", files={"image": (name, data)}, data=fields)

    def view(self, image: Json, headers: dict[str, str] | None = None) -> requests.Response:
        return self.get("/view", params=image, headers=headers)

    @contextmanager
    def events(self, client_id: str | None = None) -> Iterator[Events]:
        """Connect a websocket under a fresh clientId, and wait for the server's greeting."""
        chosen = client_id or uuid.uuid4().hex
        address = f"{self.url.replace('http', 'ws', 1)}/ws?clientId={chosen}"
        socket = websocket.create_connection(address, timeout=DEADLINE_SECONDS)
        try:
            events = Events(socket, chosen)
            events.until("status", sid=chosen)
            yield events
        finally:
            socket.close()


def last_message(entry: Json) -> tuple[str, Json]:
    """Return name and data of a history entry's last message."""
    name, data = entry["status"]["messages"][-1]
    return name, data
