"""ComfyUI's HTTP API by requests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from genpool_adapters.bounded import AnswerTooLarge, BoundedSession, read_limited
from genpool_core import timing
from genpool_core.errors import AttemptFailed
from genpool_core.jsontypes import JsonObject, JsonValue
from genpool_core.workflow.lacks import NodeClass
from genpool_worker.adapters.comfyui_ws import open_listener
from genpool_worker.comfyui_json import (
    HistoryEntry,
    LogEntry,
    NodeErrors,
    PromptAnswer,
    PromptQueue,
    QueueInfo,
    RawLog,
    SystemStats,
    Upload,
)
from genpool_worker.errors import ComfyUIGone, ComfyUIRefused, ComfyUISilent
from genpool_worker.ports import Listener, OutputRef, Where

#: Seconds to connect, and for the answer. A busy interpreter stalls the server for a while; a hung one for good.
QUICK = (timing.COMFYUI_CONNECT_SECONDS, timing.COMFYUI_QUICK_SECONDS)
ASK = (timing.COMFYUI_CONNECT_SECONDS, timing.COMFYUI_ASK_SECONDS)
ASIDE = (timing.COMFYUI_ASIDE_SECONDS, timing.COMFYUI_ASIDE_SECONDS)
SEND = (timing.COMFYUI_CONNECT_SECONDS, timing.COMFYUI_SEND_SECONDS)
_CHUNK = 1 << 20
_OK = 200
_MARK = "genpool"
#: An answer that broke off. Other errors of requests are faults of ours, and no silence.
_BROKEN = (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError)


class ComfyUIHttp:
    """Implements ``ports.ComfyUI``; for one thread. ComfyUI is in the same pod: no proxy, no environment.

    ``previews``: it is asked for pictures of what it works on. A release without this question sends them where its
    ``--preview-method`` says so.
    """

    def __init__(self, url: str, *, previews: bool = False) -> None:
        self._url = url.rstrip("/")
        self._previews = previews
        self._session = BoundedSession()

    def waiting(self) -> int:
        """Prompts that wait or run."""
        return QueueInfo.read_object(self._json("GET", "/prompt", timeout=QUICK)).exec_info.queue_remaining

    def node_class(self, name: str) -> NodeClass | None:
        """What it says of a node class."""
        answer = self._json("GET", f"/object_info/{quote(name, safe='')}", timeout=ASK)
        found = NodeClass.read_map(answer).get(name)
        if found is None and answer != {}:
            raise ComfyUIRefused("ComfyUI describes a node class in a way of its own.", status=_OK)
        return found

    def upload(self, subfolder: str, filename: str, data: bytes, content_type: str) -> str:
        """Upload an input file."""
        answer = Upload.read_object(
            self._json(
                "POST",
                "/upload/image",
                timeout=SEND,
                files={"image": (filename, data, content_type)},
                data={"subfolder": subfolder, "type": "input"},
            )
        )
        name = answer.name or filename
        return f"{answer.subfolder}/{name}" if answer.subfolder else name

    def listen(self, client_id: str) -> AbstractContextManager[Listener]:
        """Open a websocket."""
        host = urlsplit(self._url).netloc
        return open_listener(f"ws://{host}/ws?clientId={client_id}", previews=self._previews)

    def submit(self, prompt_id: str, client_id: str, graph: JsonObject, mark: str) -> NodeErrors:
        """Queue a prompt."""
        body = {
            "prompt": graph,
            "prompt_id": prompt_id,
            "client_id": client_id,
            "extra_data": {_MARK: mark, **({"preview_method": "auto"} if self._previews else {})},
        }
        return PromptAnswer.read_object(self._json("POST", "/prompt", timeout=SEND, json=body)).node_errors

    def where(self, prompt_id: str) -> Where:
        """Look for a prompt in the queue."""
        queue = self._queue()
        if any(entry.prompt_id == prompt_id for entry in queue.queue_running):
            return Where.RUNNING
        if not any(entry.prompt_id == prompt_id for entry in queue.queue_pending):
            return Where.ABSENT
        return Where.NEXT if queue.nothing_runs else Where.PENDING

    def ours(self) -> list[str]:
        """Prompts with a mark of ours."""
        queue = self._queue()
        entries = (*queue.queue_running, *queue.queue_pending)
        return [entry.prompt_id for entry in entries if _MARK in entry.extra_data]

    def in_progress(self) -> list[str]:
        """Prompts that run, whoever sent them."""
        return [entry.prompt_id for entry in self._queue().queue_running]

    def history(self, prompt_id: str) -> HistoryEntry | None:
        """The history entry of a prompt that has ended."""
        return HistoryEntry.read_map(self._json("GET", f"/history/{prompt_id}", timeout=ASK)).get(prompt_id)

    def forget(self, prompt_id: str) -> None:
        """Delete a history entry."""
        self._json("POST", "/history", timeout=QUICK, json={"delete": [prompt_id]})

    def stop(self, prompt_id: str) -> None:
        """Drop a prompt and interrupt it if it runs. The id matters: without it whatever runs is interrupted."""
        self._json("POST", "/queue", timeout=QUICK, json={"delete": [prompt_id]})
        self._json("POST", "/interrupt", timeout=QUICK, json={"prompt_id": prompt_id})

    def free(self) -> None:
        """Unload models and free memory."""
        self._json("POST", "/free", timeout=QUICK, json={"unload_models": True, "free_memory": True})

    def download(self, ref: OutputRef, path: Path) -> int:
        """Store a result as a file."""
        params = {"filename": ref.filename, "subfolder": ref.subfolder, "type": ref.type}
        whole = timing.TRANSFER_SECONDS
        with self._answer("GET", "/view", timeout=SEND, seconds=whole, params=params) as response:
            size = 0
            with path.open("wb") as file:
                for chunk in response.iter_content(_CHUNK):
                    size += file.write(chunk)
        return size

    def version(self) -> str | None:
        """Its version."""
        stats = SystemStats.read_object(self._json("GET", "/system_stats", timeout=ASIDE))
        return stats.system.comfyui_version or None

    def log(self) -> tuple[LogEntry, ...]:
        """Its last writes; the route has no /api prefix."""
        return RawLog.read_object(self._json("GET", "/internal/logs/raw", timeout=ASIDE)).entries

    def _queue(self) -> PromptQueue:
        return PromptQueue.read_object(self._json("GET", "/queue", timeout=ASK))

    def _json(self, method: str, path: str, *, timeout: tuple[float, float], **kwargs: Any) -> JsonValue:  # noqa: ANN401 - requests' own arguments
        with self._answer(method, path, timeout=timeout, **kwargs) as response:
            return _body(response)

    @contextmanager
    def _answer(
        self,
        method: str,
        path: str,
        *,
        timeout: tuple[float, float],
        seconds: float | None = None,
        **kwargs: Any,  # noqa: ANN401 - requests' own arguments
    ) -> Iterator[requests.Response]:
        """An answer with status 200, until it was read; every way in which it can fail is translated.

        ``seconds``: for all of it; to connect and to answer when absent.
        """
        whole = sum(timeout) if seconds is None else seconds
        try:
            with self._session.exchange(
                method, f"{self._url}{path}", seconds=whole, timeout=timeout, allow_redirects=False, **kwargs
            ) as response:
                if response.status_code != _OK:
                    raise ComfyUIRefused(
                        f"ComfyUI answered {response.status_code} to {method} {path}.",
                        status=response.status_code,
                        body=_body(response),
                    )
                yield response
        except requests.exceptions.InvalidJSONError as error:
            # Not a byte was sent: the graph holds what JSON cannot express.
            raise AttemptFailed(
                "the prompt for ComfyUI cannot be written as JSON: the template or a default of the workflow holds "
                "NaN, an infinite number or broken text.",
                reason="InvalidPrompt",
                retryable=False,
            ) from error
        except requests.ConnectionError as error:
            if _is_refused(error):
                raise ComfyUIGone("ComfyUI does not run: nothing listens at its port.") from error
            raise ComfyUISilent(f"the connection to ComfyUI broke in {method} {path}.") from error
        except AnswerTooLarge as error:
            raise ComfyUISilent(f"ComfyUI's answer to {method} {path} was not read: {error}.") from error
        except (requests.Timeout, *_BROKEN) as error:
            raise ComfyUISilent(f"ComfyUI did not answer {method} {path} in time.") from error


def _is_refused(error: BaseException) -> bool:
    """Whether nothing listened: the refusal is deep inside what requests raises."""
    seen: BaseException | None = error
    for _ in range(10):
        if seen is None:
            return False
        if isinstance(seen, ConnectionRefusedError) or "Connection refused" in str(seen):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _body(response: requests.Response) -> JsonValue:
    """JSON of an answer, None where it is something else: several routes answer with nothing or plain text."""
    try:
        body: JsonValue = json.loads(read_limited(response))
    except ValueError:
        return None
    return body
