"""Every reason with which a task, an attempt, a callback or a request can end or be refused, and its number.

A reason is a constant in CamelCase for programs that read text, its number the same for those that compare. Both are
stable: a number is never given to another reason, and a reason that is no longer used keeps its line.

======  =====================================================================================
0       it succeeded
1xxx    the task itself: its sender has to change something
2xxx    ComfyUI, its workflow, its card
3xxx    the object store, RabbitMQ, the pod's volumes, the gateway's database
4xxx    the pool: its pods, its rules
5xxx    GenPool's own fault
6xxx    ended on purpose
7xxx    a request to the API that was refused
8xxx    a callback that was not delivered
======  =====================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

RANGES: Mapping[int, str] = {
    1: "The task itself: its sender has to change something",
    2: "ComfyUI, its workflow, its card",
    3: "The object store, RabbitMQ, the pod's volumes, the gateway's database",
    4: "The pool: its pods, its rules",
    5: "GenPool's own fault",
    6: "Ended on purpose",
    7: "A request to the API that was refused",
    8: "A callback that was not delivered",
}


@dataclass(frozen=True)
class Reason:
    """Number of a reason, what happened, and what to do."""

    code: int
    happened: str
    advice: str


_PUBLISH_AGAIN = (
    "Nothing, if it was a short outage; else look at RabbitMQ and at the rights of GenPool's users."
)

REASONS: Mapping[str, Reason] = {
    "Succeeded": Reason(0, "All results are in the bucket.", "Nothing."),
    # The task itself ------------------------------------------------------------------------------------------------
    "InvalidMessage": Reason(1001, "The message is no JSON object.", "Send one JSON object in UTF-8."),
    "InvalidTask": Reason(
        1002,
        "The task names an unknown workflow, misses a parameter, has one out of its bounds, or a callback that may not "
        "be reached.",
        "Correct what the message names.",
    ),
    "RefusedInput": Reason(
        1003,
        "An input is at a host that the pool does not allow, too large, or no whole image.",
        "Send another link, or add the host to security.imageHosts.",
    ),
    "AddressNotAllowed": Reason(
        1004,
        "A host name leads to an address inside the cluster or another private network.",
        "Use a public host, or allow the address in the pool by an entry with cidrs.",
    ),
    "TooManyRedirects": Reason(
        1005, "A link leads to one redirect after the other.", "Send the link to the file."
    ),
    "InputUnavailable": Reason(
        1006, "An input could not be fetched.", "Look whether the link works and does not expire too soon."
    ),
    "InvalidPrompt": Reason(
        1007,
        "ComfyUI refused what the task asked for, or would leave out a part of the result.",
        "Correct the values or the graph that the message names.",
    ),
    "TaskFailed": Reason(1008, "The task failed.", "Read the message."),
    "PoolUnknown": Reason(1009, "There is no pool of that name.", "Correct the name."),
    "PoolAmbiguous": Reason(1010, "More than one pool has that name.", "Name its namespace too."),
    "WorkflowUnknown": Reason(
        1011, "No pool serves that workflow.", "Correct the name, or add it to a pool."
    ),
    "WorkflowAmbiguous": Reason(1012, "More than one pool serves that workflow.", "Name the pool too."),
    # ComfyUI --------------------------------------------------------------------------------------------------------
    "NodeFailed": Reason(
        2001,
        "A node of the workflow raised an error.",
        "Read the node, its error and the log lines; correct the input or the workflow.",
    ),
    "OutOfMemory": Reason(
        2002,
        "The card or the machine ran out of memory.",
        "Ask for a smaller size, or give the pool a larger card.",
    ),
    "DeviceFailed": Reason(
        2003,
        "The card or its driver failed.",
        "Look at the node's card; drain the node where it fails again.",
    ),
    "NoOutput": Reason(
        2004, "The workflow ran and saved no file.", "Add a node that saves, such as SaveImage."
    ),
    "OutputMissing": Reason(
        2005,
        "ComfyUI lists a result and does not return it, or returns one of an earlier run.",
        "Let the node save under its own filename_prefix.",
    ),
    "BrokenOutput": Reason(2006, "A result is empty or cut off.", "Look whether ComfyUI's disk is full."),
    "OutputTooLarge": Reason(2007, "A result has too many pixels.", "Let the workflow make a smaller image."),
    "TimedOut": Reason(
        2008,
        "The run took longer than the workflow's timeoutSeconds.",
        "Raise it, or ask for fewer steps or a smaller size.",
    ),
    "Interrupted": Reason(2009, "Somebody interrupted the run in ComfyUI.", "Send the task again."),
    "Wedged": Reason(
        2010,
        "ComfyUI answers and does not get on; it is restarted.",
        "Look for a node that heeds no interrupt, and for a card that hangs.",
    ),
    "ComfyUILost": Reason(
        2011,
        "ComfyUI crashed or was restarted during the run.",
        "Look at the last state of its container: OOMKilled means that it ran out of memory.",
    ),
    "ComfyUIUnresponsive": Reason(
        2012, "ComfyUI did not answer until the run's time was over.", "Look at its log and at the card."
    ),
    "ComfyUIError": Reason(2013, "ComfyUI answered with an error of its own.", "Look at its log."),
    "ComfyUIRefused": Reason(2014, "ComfyUI refused a call.", "Read the message and ComfyUI's log."),
    "WorkflowUnavailable": Reason(
        2015,
        "ComfyUI could not run the workflow for a day: a node class or a model is missing, or a node fails for every "
        "task.",
        "Install what the pool's condition WorkflowsReady names.",
    ),
    "AttemptFailed": Reason(2016, "The attempt failed.", "Read the message."),
    # Store, broker, volumes -----------------------------------------------------------------------------------------
    "StorageUnavailable": Reason(
        3001,
        "The object store does not answer or refuses.",
        "Look at the store, and at the pool's keys for it.",
    ),
    "StorageCredentialsMissing": Reason(
        3002,
        "The keys for the object store are missing.",
        "Make the Secret that storage.s3.credentials names.",
    ),
    "ResultRefused": Reason(
        3003,
        "The store will not accept a result.",
        "Raise the store's limit for objects, or make smaller results.",
    ),
    "UnreadableLedger": Reason(
        3004,
        "An object in the task's place in the bucket is no record of GenPool.",
        "Look at it, and delete it if GenPool did not write it.",
    ),
    "ScratchFull": Reason(3005, "The pod's scratch volume is full.", "Raise comfyui.scratchSize."),
    "VolumeFailed": Reason(
        3006,
        "A volume of the pod is read-only or broken.",
        "Look at the pod's volumes and at its node's disk.",
    ),
    "BrokerUnreachable": Reason(3007, "RabbitMQ does not answer or refuses.", _PUBLISH_AGAIN),
    "BrokerRefused": Reason(3008, "RabbitMQ refused a request.", "Look at the rights of GenPool's users."),
    "PublishRefused": Reason(
        3009, "RabbitMQ refused a message.", "Look for a full queue and for too large a message."
    ),
    "Unroutable": Reason(
        3010, "No queue takes the message.", "Wait for the operator to repair the topology."
    ),
    "Refused": Reason(3011, "RabbitMQ or the store refuses what the task's end needs.", "Read the message."),
    "TaskStoreUnavailable": Reason(
        3012,
        "The gateway's database does not answer or refuses.",
        "Look at the database; try again when it is back.",
    ),
    "DeliveryLimitReached": Reason(
        3013,
        "The message was given back so often that RabbitMQ delivers it no more.",
        "Look at the log of the pool's workers, then replay the task.",
    ),
    "RejectedByConsumer": Reason(
        3014,
        "A consumer that is none of GenPool's rejected the message.",
        "Look who else consumes the work queue.",
    ),
    "QueueOverflowed": Reason(
        3015,
        "The queue was longer than a policy allows, and RabbitMQ took the message out.",
        "Look at the policies of the queue; set queue.maxWaiting instead.",
    ),
    # The pool -------------------------------------------------------------------------------------------------------
    "WorkerLost": Reason(
        4001,
        "The pod that worked on the task was killed, ran out of memory, or its node was lost.",
        "Look at that pod's last state.",
    ),
    "HandedBack": Reason(
        4002, "The pod had to go, and gave the task back.", "Nothing: another pod takes it."
    ),
    "Drained": Reason(
        4003, "The pod was told to end, and gave the task back.", "Nothing: another pod takes it."
    ),
    "PoolUnavailable": Reason(
        4004,
        "The pool is there and takes no task now.",
        "Look at its conditions; ask again when the cause is gone.",
    ),
    "PoolsUnknown": Reason(4005, "The gateway has not read the pools yet.", "Ask again in a moment."),
    "StoreNotListed": Reason(
        4006,
        "The gateway may not use the pool's bucket or folder: it ends no waiting task, takes no upload, deletes "
        "nothing there.",
        "Add the bucket to gateway.stores in the chart's values, or the folder to GENPOOL_FOLDERS.",
    ),
    "QueueUnknown": Reason(
        4007,
        "RabbitMQ dead-lettered a message of a queue that is no pool's.",
        "Look at the message, and at the pool that it was for.",
    ),
    "StoreRefused": Reason(
        4008,
        "The pool's bucket or folder refuses the gateway, which may use it: it ends no waiting task there.",
        "Correct the keys, the bucket or the rights that the message names: the gateway tries again every minute.",
    ),
    # GenPool --------------------------------------------------------------------------------------------------------
    "InternalError": Reason(5000, "A fault of GenPool's own.", "Report it with the traceback of the log."),
    # On purpose -----------------------------------------------------------------------------------------------------
    "Cancelled": Reason(6001, "Somebody cancelled the task.", "Nothing."),
    "Expired": Reason(
        6002,
        "The task waited or ran for longer than it was allowed to.",
        "Send it again; look at the pool's size where that happens often.",
    ),
    "StartDeadlineExceeded": Reason(
        6003,
        "The task had not begun within its start_within_seconds.",
        "Send it again; look at the pool's size where that happens often.",
    ),
    "EndDeadlineExceeded": Reason(
        6004,
        "The task had not ended within its end_within_seconds.",
        "Send it again with more time; look at the pool's size where that happens often.",
    ),
    # Requests to the API --------------------------------------------------------------------------------------------
    "InvalidRequest": Reason(
        7001, "The request has a field that cannot be.", "Correct the field that it names."
    ),
    "Unauthenticated": Reason(7002, "No API key, or none that is known.", "Send a key that was not revoked."),
    "Forbidden": Reason(
        7003, "The key may not do this.", "Use a key with the role or the pool that it names."
    ),
    "NotFound": Reason(
        7004, "There is no such thing, or it is another owner's.", "Correct the id or the path."
    ),
    "MethodNotAllowed": Reason(7005, "The path does not know this method.", "See /docs."),
    "NotEnded": Reason(7006, "The task has not ended.", "Cancel it, or wait for its end."),
    "RequestTooLarge": Reason(
        7007,
        "The body is too large, or its task does not fit into a queue and its files cannot go to the pool's bucket.",
        "Send files as links, or list the bucket in gateway.stores.",
    ),
    "UnsupportedMediaType": Reason(
        7008,
        "The body is of a type that the call does not take, or compressed.",
        "Send what the message names.",
    ),
    "IdempotencyKeyReused": Reason(
        7009, "The Idempotency-Key was used for another request.", "Send a new key with a new request."
    ),
    "TooManyRequests": Reason(7010, "More requests than the key may send.", "Wait as Retry-After says."),
    "TooManyTasks": Reason(
        7011, "The key has as many unfinished tasks as it may.", "Wait until some have ended."
    ),
    "QueueFull": Reason(7012, "The pool's queue has reached queue.maxWaiting.", "Wait as Retry-After says."),
    "NotAccepted": Reason(7013, "The task was not accepted, and nothing is kept of it.", "Send it again."),
    "BrokerUnavailable": Reason(
        7014, "RabbitMQ does not have the task, and nothing is kept of it.", "Send it again in a moment."
    ),
    "NotConfirmed": Reason(
        7015,
        "It is not known whether RabbitMQ has the task; it is settled later under the same id.",
        "Ask for the task, or send it again under the same Idempotency-Key.",
    ),
    "GatewayOverloaded": Reason(
        7016, "The gateway stops, or holds as many tasks as it can.", "Send the task again in a moment."
    ),
    "QueueBusy": Reason(7017, "Somebody else reads the dead letters now.", "Try again in a moment."),
    "RangeNotSatisfiable": Reason(
        7030, "A part of a file was asked for that it does not have.", "Ask for a part of the file's size."
    ),
    "RequestTimeout": Reason(7018, "A request did not come whole in time.", "Send it again, faster."),
    "MalformedRequest": Reason(
        7033, "What came is no HTTP request.", "See what program or proxy sends it, and over which protocol."
    ),
    "HeadersTooLarge": Reason(
        7034, "The headers of a request are too large.", "Send fewer, or shorter ones."
    ),
    "NoCallback": Reason(
        7019,
        "The task has no callback that could be sent again.",
        "Nothing: its sender wanted none, or it was deleted.",
    ),
    "NotReplayable": Reason(
        7020,
        "The gateway does not have the task's message.",
        "Send the task again, or replay its dead letter.",
    ),
    "TaskIdReused": Reason(
        7031,
        "A task with this task_id and the same contents was sent before, with other options.",
        "Leave out the options that it names, or send another task_id.",
    ),
    "TaskErased": Reason(
        7032,
        "The task was sent before, has ended, and its contents were deleted.",
        "Send it with another task_id, and another Idempotency-Key, to have it done again.",
    ),
    # Callbacks ------------------------------------------------------------------------------------------------------
    "ReceiverFailed": Reason(
        8001,
        "The receiver answered with an error for 24 hours.",
        "Correct the receiver, then replay the callback.",
    ),
    "ReceiverAway": Reason(
        8002, "The receiver did not answer for 24 hours.", "Bring it back, then replay the callback."
    ),
    "UntrustedSender": Reason(
        8003,
        "A message asked for a callback, and is not from the pool's workers.",
        "Look who may publish there.",
    ),
    "InvalidUrl": Reason(
        8004, "A URL cannot be asked for.", "Send an http or https URL with a host that exists."
    ),
}

CODES: Mapping[str, int] = {name: reason.code for name, reason in REASONS.items()}


def code_of(reason: str) -> int:
    """Number of a reason. One that is not listed, as of a newer release, counts as GenPool's own fault."""
    return CODES.get(reason, CODES["InternalError"])
