"""ComfyUI's JSON: the fields that the worker reads.

What ComfyUI shows of a node, the node's author wrote: it can be anything.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, InstanceOf, Strict

from genpool_core.jsontypes import JsonObject
from genpool_core.loose import Entries, Items, LooseArray, LooseModel

NodeId = Annotated[str, Strict(strict=False), Field(coerce_numbers_to_str=True)]
"""A key of the graph."""

# POST /prompt ------------------------------------------------------------------------------------------------------


class FaultInfo(LooseModel):
    """Which input a fault is about. The rest stays out: it can hold paths of the server."""

    input_name: str = ""


class Fault(LooseModel):
    """What is wrong with a prompt or a node's input."""

    type: str = ""
    message: str = ""
    details: str = ""
    extra_info: FaultInfo = FaultInfo()


class NodeFaults(LooseModel):
    """What is wrong with a node."""

    class_type: str = "?"
    errors: Items[Annotated[Fault, BeforeValidator(Fault.read_object)]] = ()


#: That a node has faults matters more than what they say: an entry that cannot be read is not left out.
NodeErrors = dict[str, Annotated[NodeFaults, BeforeValidator(NodeFaults.read_object)]]


class PromptAnswer(LooseModel):
    """Answer to a prompt that was accepted; with ``node_errors`` it will not give all its outputs."""

    node_errors: NodeErrors = Field(default_factory=dict)


class PromptRefusal(LooseModel):
    """Answer to a prompt that was not."""

    error: Fault = Fault()
    node_errors: NodeErrors = Field(default_factory=dict)


# GET /history/{id} -------------------------------------------------------------------------------------------------


class OutputFile(LooseModel):
    """A file among a node's outputs. Without a ``filename`` it is none: nodes show texts and flags as well.

    Without a ``type`` it is a result; with one that is no text it is none.
    """

    filename: str | None = None
    subfolder: str = ""
    type: object = None


class MessageData(LooseModel):
    """What a message of the run says: of a failure, or (``nodes``) which results came from the cache."""

    nodes: Items[NodeId] = ()
    node_id: NodeId = "?"
    node_type: str = "?"
    exception_type: str = ""
    exception_message: str = ""
    timestamp: float = 0.0
    """Milliseconds since 1970."""


class StatusMessage(LooseArray):
    """A message of the run: ``[kind, data]``."""

    kind: str = ""
    data: MessageData = MessageData()


class HistoryStatus(LooseModel):
    """How a run ended. Only the last message tells an error from an interruption."""

    status_str: object = "success"
    messages: Items[StatusMessage] = ()


class HistoryEntry(LooseModel):
    """A run that has ended. ``outputs`` are files by node and kind."""

    status: HistoryStatus = HistoryStatus()
    outputs: Entries[Entries[Items[OutputFile]]] = Field(default_factory=dict)


# GET /queue, GET /prompt, POST /upload/image -----------------------------------------------------------------------


class QueueEntry(LooseArray):
    """A prompt in the queue: ``[number, id, prompt, extra_data, outputs]``."""

    number: object = None
    prompt_id: str = ""
    prompt: object = None
    extra_data: InstanceOf[JsonObject] = Field(default_factory=dict)


class PromptQueue(LooseModel):
    """The queue."""

    queue_running: Items[QueueEntry] = ()
    queue_pending: Items[QueueEntry] = ()
    running_as_it_came: Annotated[object, Field(alias="queue_running")] = None

    @property
    def nothing_runs(self) -> bool:
        """True only where ComfyUI says so; entries that cannot be read run, too."""
        return self.running_as_it_came == []


class ExecInfo(LooseModel):
    """How many prompts wait or run."""

    queue_remaining: int = 0


class QueueInfo(LooseModel):
    """The cheap answer about the queue."""

    exec_info: ExecInfo = ExecInfo()


class Upload(LooseModel):
    """Where an uploaded file went; empty where ComfyUI does not say."""

    name: str = ""
    subfolder: str = ""


# GET /system_stats, GET /internal/logs/raw -------------------------------------------------------------------------


class SystemInfo(LooseModel):
    """Of the machine and the program; the command line stays out, since it may hold secrets."""

    comfyui_version: str = ""


class SystemStats(LooseModel):
    """What ComfyUI says of itself."""

    system: SystemInfo = SystemInfo()


class LogEntry(LooseModel):
    """One write to ComfyUI's output: its local time, and the text."""

    t: str = ""
    m: str = ""


class RawLog(LooseModel):
    """The last 300 of them."""

    entries: Items[LogEntry] = ()


# The websocket -----------------------------------------------------------------------------------------------------


class FrameData(LooseModel):
    """What a frame tells. ``node`` is None when the run has ended; ``output`` are files of a node by kind."""

    prompt_id: str = ""
    node: NodeId | None = None
    nodes: Items[NodeId] = ()
    output: Entries[Items[OutputFile]] = Field(default_factory=dict)
    value: float = 0.0
    maximum: Annotated[float, Field(alias="max")] = 0.0


class Frame(LooseModel):
    """A frame of JSON; without a type it is none."""

    type: str = ""
    data: FrameData = FrameData()
