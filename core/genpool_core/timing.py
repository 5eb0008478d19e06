"""Every wait, lease, grace and time-out of GenPool, and the rules that tie them together.

All values are seconds. ``RULES`` are inequalities over these names; a test evaluates each, and finds for each value a
change that breaks a rule. ``docs/explanation/timing.md`` is generated from this file. What a pool or an installation
can set is not here; the bounds and defaults that a rule needs are.
"""

from __future__ import annotations

from dataclasses import dataclass

# Retries of tasks and callbacks ------------------------------------------------------------------------------------

RETRY_STEPS: tuple[int, ...] = (5, 30, 120, 600, 3600)
"""A message waits this long in a delay step; every vhost has one delay queue for each step."""
PARK_SECONDS = RETRY_STEPS[0]
"""A message whose task another worker holds waits so long before it is looked at again."""
RETRY_MARGIN_SECONDS = 900
"""Beyond its delay step a retry may wait so long in the work queue before a duplicate may overtake it."""
CALLBACK_GIVE_UP_SECONDS = 24 * 3600
"""A callback is given up when its waits would sum up to more than this."""
CALLBACK_TIMEOUT_SECONDS = 10.0
"""One attempt to deliver a callback, however slowly the receiver speaks."""
CALLBACK_SLOW_SECONDS = 4.0
"""A receiver that needs longer for an attempt counts as slow and gets few attempts at a time."""
CALLBACK_SLOW_WINDOW_SECONDS = 120.0
"""A receiver counts as slow for so long after its last slow attempt."""
GATEWAY_DRAIN_SECONDS = 25
"""Default for how long the gateway waits for attempts in flight after SIGTERM."""
GATEWAY_GRACE_SECONDS = 45
"""``terminationGracePeriodSeconds`` of the gateway's pods, in the chart."""

# Claims ------------------------------------------------------------------------------------------------------------

RENEW_SECONDS = 5.0
"""A worker renews its claim this often while it works."""
LEASE_SECONDS = 30.0
"""A claim that was not renewed for so long is lost: another worker may begin the next attempt."""
CLOCK_SKEW_SECONDS = 5.0
"""The clocks of two nodes may differ by so much."""

# The object store --------------------------------------------------------------------------------------------------

STORE_CONNECT_SECONDS = 3.0
"""Connecting to the object store."""
STORE_READ_SECONDS = 20.0
"""Waiting for bytes of the object store's answer."""
STORE_FRESH_SECONDS = 30.0
"""A worker without a task asks the store this often whether it still answers."""

# RabbitMQ, by AMQP -------------------------------------------------------------------------------------------------

AMQP_HEARTBEAT_SECONDS = 20
"""Heartbeat of AMQP; a connection that is silent for twice as long is closed."""
AMQP_SOCKET_SECONDS = 10
"""Connecting a socket to RabbitMQ."""
AMQP_STACK_SECONDS = 15
"""Connecting with TLS and login."""
AMQP_BLOCKED_SECONDS = 60
"""RabbitMQ may hold up a publishing connection (memory or disk alarm) so long before it is made anew."""
AMQP_HANDOVER_SECONDS = 10.0
"""A call that only hands something to a connection's thread."""
PUBLISH_SECONDS = 10.0
"""A publish with its confirmation, where the caller tries again."""
EVENT_PUBLISH_SECONDS = 5.0
"""A publish of an event that is worth waiting for, but not worth a stopped GPU."""
CONSUMER_TIMEOUT_MARGIN_SECONDS = 3600
"""RabbitMQ takes a delivery back so long after the longest run (``consumer-timeout``)."""

# RabbitMQ, by its management API -----------------------------------------------------------------------------------

MANAGEMENT_CONNECT_SECONDS = 3.05
"""Connecting to the management API; a little over the 3 s after which TCP sends its first packet again."""
MANAGEMENT_READ_SECONDS = 10
"""Waiting for the management API's answer."""
STATISTICS_SECONDS = 5
"""RabbitMQ renews the statistics behind its lists this often."""

# ComfyUI -----------------------------------------------------------------------------------------------------------

COMFYUI_CONNECT_SECONDS = 3.0
"""Connecting to ComfyUI in the same pod."""
COMFYUI_QUICK_SECONDS = 5.0
"""Answer to a question that needs no work."""
COMFYUI_ASK_SECONDS = 10.0
"""Answer with a history entry or the queue, which may be large."""
COMFYUI_SEND_SECONDS = 30.0
"""Taking an upload or a prompt, or the bytes of a result: a busy interpreter stalls its server for a while."""
COMFYUI_POLL_SECONDS = 5.0
"""The history is asked this often while a prompt runs and the websocket tells of it."""
COMFYUI_POLL_ALONE_SECONDS = 1.0
"""The same without a websocket that tells of the prompt."""
COMFYUI_PING_SECONDS = 10.0
"""The worker pings ComfyUI's websocket this often: the server sends no heartbeat of its own."""
COMFYUI_SOCKET_DEAD_SECONDS = 30.0
"""A websocket without a frame or a pong for so long is dead."""
COMFYUI_SOCKET_RETRY_SECONDS = 2.0
"""After a websocket could not be opened, it is tried again after this."""
TRANSFER_SECONDS = 120.0
"""ComfyUI may be silent so long while it takes inputs or gives results, before the attempt fails."""
PROBE_PERIOD_SECONDS = 10
"""Default of ``comfyui.probe.periodSeconds``."""
PROBE_TIMEOUT_SECONDS = 10
"""Default of ``comfyui.probe.timeoutSeconds``."""
PROBE_FAILURES = 3
"""Default of ``comfyui.probe.failureThreshold`` (a number, not seconds)."""
PROBE_GRACE_SECONDS = 5
"""Grace of a ComfyUI whose liveness probe failed: it hangs, and the pod's grace is for the longest task."""
STARTUP_PERIOD_SECONDS = 2
"""ComfyUI is probed this often while it starts."""

# Inputs ------------------------------------------------------------------------------------------------------------

FETCH_CONNECT_SECONDS = 10.0
"""Connecting to the host of an input file."""
FETCH_READ_SECONDS = 20.0
"""Waiting for the next bytes of an input file."""
FETCH_TOTAL_SECONDS = 120.0
"""Fetching one input file, however slowly its host sends."""

# A worker between tasks --------------------------------------------------------------------------------------------

CHECK_SECONDS = 2.0
"""A worker that consumes looks this often whether it may go on."""
CLOSED_SECONDS = 0.5
"""A worker that does not consume looks this often whether it may begin."""
FAULT_SECONDS = 10.0
"""Pause after a fault of the worker's own before a claim: the message comes back, and must not come back at once."""
OUTAGE_FIRST_SECONDS = 0.5
"""First wait of a worker that holds a task while store or broker is away; each further wait is twice as long."""
OUTAGE_LONGEST_SECONDS = 10.0
"""Longest such wait."""
HEARTBEAT_SECONDS = 5.0
"""A worker publishes its heartbeat this often, and at each change."""
HEARTBEAT_EXPIRY_SECONDS = 30.0
"""A heartbeat that is older says nothing any more."""
HEARTBEAT_FORGET_SECONDS = 600.0
"""A worker that was silent for so long is dropped from memory."""

# The end of a pod --------------------------------------------------------------------------------------------------

SHORTEST_GRACE_SECONDS = 30
"""Least ``terminationGracePeriodSeconds`` that a pool may set."""
MIN_GRACE_SECONDS = 600
"""Least grace of a pod whose pool sets none."""
GRACE_MARGIN_SECONDS = 120
"""Added to the longest run for the grace of a pod whose pool sets none: for inputs, results and the end record."""
DRAIN_MARGIN_MIN_SECONDS = 15.0
"""Least part of the grace that a draining worker keeps for giving its task back and closing down."""
DRAIN_MARGIN_MAX_SECONDS = 30.0
"""Most of it. Between the two it is a tenth of the grace."""
RELEASE_SECONDS = 4.0
"""A draining worker waits so long for its thread to give the task back, once the time for the task is over."""
IDLE_STOP_SECONDS = 1.0
"""A draining worker without a task waits so long for its thread, which may be asking a ComfyUI that hangs."""
BROKER_STOP_SECONDS = 2.0
"""Closing one of the worker's two connections to RabbitMQ."""
BROKER_ABORT_SECONDS = 1.0
"""Dropping a connection that could not be closed in time."""
HEARTBEAT_STOP_SECONDS = 0.5
"""Ending the thread that publishes heartbeats."""
WEB_STOP_SECONDS = 1.0
"""Ending the server of probes and metrics."""
COMFYUI_TERM_SECONDS = 1.0
"""ComfyUI has so long after SIGTERM, and as long again after SIGKILL."""
WORKER_HUNG_GRACE_SECONDS = 30
"""Grace of a worker whose liveness probe failed."""

# The operator ------------------------------------------------------------------------------------------------------

TICK_SECONDS = 1.0
"""Queue, workers and pods of every pool are looked at this often."""
RESYNC_SECONDS = 30
"""Default for how often everything is listed and every pool looked at in full."""
RESYNC_RETRY_SECONDS = 5.0
"""The same after a list that failed."""
TOMBSTONE_SECONDS = 120.0
"""A deletion is remembered so long: a list that began before it must not bring the object back."""
KUBE_CONNECT_SECONDS = 5
"""Connecting to the Kubernetes API."""
KUBE_READ_SECONDS = 20
"""Waiting for its answer."""
WATCH_SERVER_SECONDS = 300
"""The API server ends a watch after this."""
WATCH_CLIENT_SECONDS = 330
"""A watch that is silent for longer is begun anew."""
WATCH_RETRY_SECONDS = 20.0
"""Longest wait between two attempts to reach the API server."""
STUCK_SECONDS = 120.0
"""With pools to look at, one must have been looked at within this, or the operator is unhealthy."""
PASSING_SECONDS = 1.0
"""A pool that waits for Kubernetes to remove an object is looked at in full again after this."""
UNSETTLED_SECONDS = 5.0
"""A pool in whose way something is, is looked at in full again after this."""
RECONCILE_RETRY_SECONDS = 1.0
"""First wait after a pass that failed; each further wait is twice as long."""
RECONCILE_RETRY_MOST_SECONDS = 60.0
"""Longest such wait."""
TOPOLOGY_SECONDS = 60.0
"""The topology of a vhost is read again after this, and drift repaired."""
TOPOLOGY_UNSETTLED_SECONDS = 4.0
"""The same while something is wrong with it."""
LIST_SECONDS = 2.0
"""The queues of a vhost are listed this often."""
LIST_RETRY_SECONDS = 5.0
"""The same after a list that failed."""
LIST_EXPIRY_SECONDS = 15.0
"""A list that is older is no evidence of a queue's depth."""
LIST_LAG_SECONDS = 10.0
"""The list may be behind the queue by so much."""
COUNT_SECONDS = 0.5
"""The depth of every work queue is asked by passive declare this often."""
COUNTS_PER_SECOND = 400
"""Passive declares that a broker is asked to answer in a second (a rate, not seconds)."""
COUNT_TIMEOUT_SECONDS = 5.0
"""Answer to a passive declare."""
COUNT_EXPIRY_SECONDS = 5.0
"""A passive declare that is older is no evidence of a queue's depth."""
IDLE_SECONDS = 15
"""Default of ``scaling.idleSeconds``: fewer pods must have been enough for so long before one goes."""
BROKER_LOST_SECONDS = 5.0
"""A failure to reach the broker that is shorter changes no condition."""
UNSCHEDULABLE_SECONDS = 600.0
"""A pod may wait so long for a node before the pool is not Ready: nodes may follow demand."""
ROLLOUT_MARGIN_SECONDS = 600
"""Beyond grace and start-up of a pod, until Kubernetes calls a rollout stuck."""
WORK_STATUS_SECONDS = 3.0
"""Whether there is work at all is written to the status within this."""
FIGURES_STATUS_SECONDS = 15.0
"""Other figures are written no more often than this."""
FRESH_STATUS_SECONDS = 300.0
"""A status in which only the time of the reading differs is written this often."""
USER_DELETE_RETRY_SECONDS = 10.0
"""A deleted pool's RabbitMQ user that could not be deleted is tried again after this."""
USER_OVERDUE_SECONDS = 300.0
"""Beyond the grace of its pods a deleted pool's user is deleted although pods are still seen."""
USER_GIVE_UP_SECONDS = 3600.0
"""A user that could not be deleted for so much longer is left."""


@dataclass(frozen=True)
class Rule:
    """An inequality over the names above, and why it must hold."""

    holds: str
    why: str


RULES: tuple[Rule, ...] = (
    # Retries
    Rule(
        "list(RETRY_STEPS) == sorted(set(RETRY_STEPS))",
        "each further attempt waits longer than the one before",
    ),
    Rule(
        "PARK_SECONDS < LEASE_SECONDS", "the task of a lost worker waits for at most one lease and one step"
    ),
    Rule("PARK_SECONDS in RETRY_STEPS", "a parked message needs a delay queue that exists"),
    Rule(
        "RETRY_MARGIN_SECONDS >= MIN_GRACE_SECONDS",
        "a retry that comes home may find one long task before it",
    ),
    Rule(
        "sum(RETRY_STEPS) < CALLBACK_GIVE_UP_SECONDS",
        "a callback goes through every step before it is given up",
    ),
    Rule(
        "2 * CALLBACK_SLOW_SECONDS < CALLBACK_TIMEOUT_SECONDS",
        "a receiver is found slow well before its time-out",
    ),
    Rule(
        "CALLBACK_SLOW_WINDOW_SECONDS > RETRY_STEPS[1]",
        "a slow receiver is still known when its callback comes back",
    ),
    Rule(
        "CALLBACK_TIMEOUT_SECONDS + PUBLISH_SECONDS < GATEWAY_DRAIN_SECONDS",
        "an attempt in flight can end, and its outcome be published, within a drain",
    ),
    Rule(
        "GATEWAY_DRAIN_SECONDS + AMQP_HANDOVER_SECONDS < GATEWAY_GRACE_SECONDS",
        "the gateway closes its connections before Kubernetes kills it",
    ),
    # Claims
    Rule(
        "2 * RENEW_SECONDS + CLOCK_SKEW_SECONDS < LEASE_SECONDS",
        "one renewal may fail while the clocks differ, and the claim still stands",
    ),
    Rule(
        "RENEW_SECONDS + STORE_CONNECT_SECONDS + STORE_READ_SECONDS < LEASE_SECONDS",
        "a renewal that the store answers at the last moment is in time",
    ),
    Rule(
        "STORE_FRESH_SECONDS >= STORE_CONNECT_SECONDS + STORE_READ_SECONDS",
        "a question ends before the next is due",
    ),
    Rule(
        "STORE_CONNECT_SECONDS < STORE_READ_SECONDS",
        "a store that is gone is told sooner than one that is slow",
    ),
    # AMQP
    Rule("AMQP_SOCKET_SECONDS < AMQP_STACK_SECONDS", "the socket comes before TLS and login"),
    Rule(
        "AMQP_STACK_SECONDS < 2 * AMQP_HEARTBEAT_SECONDS",
        "connecting takes no longer than finding a dead connection",
    ),
    Rule(
        "AMQP_BLOCKED_SECONDS > 2 * AMQP_HEARTBEAT_SECONDS",
        "a connection that is held up is not taken for a dead one",
    ),
    Rule(
        "PUBLISH_SECONDS < AMQP_BLOCKED_SECONDS",
        "a publish to a broker in alarm is told before the connection goes",
    ),
    Rule("EVENT_PUBLISH_SECONDS < PUBLISH_SECONDS", "what may be dropped waits less than what may not"),
    Rule(
        "EVENT_PUBLISH_SECONDS <= HEARTBEAT_SECONDS",
        "a heartbeat that is held up does not delay the next one",
    ),
    Rule("AMQP_HANDOVER_SECONDS <= PUBLISH_SECONDS", "handing over takes no longer than publishing"),
    Rule(
        "CONSUMER_TIMEOUT_MARGIN_SECONDS > FETCH_TOTAL_SECONDS + 2 * TRANSFER_SECONDS + AMQP_BLOCKED_SECONDS",
        "RabbitMQ takes no delivery back whose worker is still at it",
    ),
    # ComfyUI
    Rule(
        "COMFYUI_CONNECT_SECONDS < COMFYUI_QUICK_SECONDS < COMFYUI_ASK_SECONDS < COMFYUI_SEND_SECONDS",
        "the more an answer takes, the longer it is waited for",
    ),
    Rule(
        "COMFYUI_POLL_ALONE_SECONDS < COMFYUI_POLL_SECONDS",
        "without a websocket the history is asked more often",
    ),
    Rule("COMFYUI_POLL_SECONDS < LEASE_SECONDS", "the end of a run is seen within the time of a claim"),
    Rule("2 * COMFYUI_PING_SECONDS < COMFYUI_SOCKET_DEAD_SECONDS", "one pong may be late"),
    Rule(
        "COMFYUI_SOCKET_RETRY_SECONDS < COMFYUI_POLL_SECONDS",
        "a websocket is back before polling is needed for long",
    ),
    Rule(
        "TRANSFER_SECONDS > PROBE_FAILURES * PROBE_PERIOD_SECONDS + PROBE_TIMEOUT_SECONDS + PROBE_GRACE_SECONDS",
        "a ComfyUI that hangs is restarted by its probe, and so found gone, before the attempt gives up",
    ),
    Rule("TRANSFER_SECONDS >= 3 * COMFYUI_SEND_SECONDS", "an upload or download is tried several times"),
    Rule(
        "PROBE_TIMEOUT_SECONDS >= COMFYUI_ASK_SECONDS",
        "a probe is as patient as the worker with a busy interpreter",
    ),
    Rule("PROBE_TIMEOUT_SECONDS <= PROBE_PERIOD_SECONDS", "a probe ends before the next one"),
    Rule("PROBE_FAILURES >= 2", "one late answer restarts nothing"),
    Rule("STARTUP_PERIOD_SECONDS < PROBE_PERIOD_SECONDS", "a ComfyUI that has started is used soon"),
    Rule(
        "PROBE_GRACE_SECONDS < WORKER_HUNG_GRACE_SECONDS",
        "ComfyUI goes sooner than the worker that tells of it",
    ),
    # Inputs
    Rule("FETCH_CONNECT_SECONDS < FETCH_READ_SECONDS < FETCH_TOTAL_SECONDS", "each limit is inside the next"),
    Rule("FETCH_TOTAL_SECONDS <= TRANSFER_SECONDS", "a slow host costs no more than a slow ComfyUI"),
    # Between tasks
    Rule(
        "CLOSED_SECONDS < CHECK_SECONDS < STORE_FRESH_SECONDS",
        "a worker that waits looks more often than one that works",
    ),
    Rule("CHECK_SECONDS <= HEARTBEAT_SECONDS", "a heartbeat is never older than two looks"),
    Rule("FAULT_SECONDS > PARK_SECONDS", "a fault of ours turns no faster than a parked message"),
    Rule(
        "OUTAGE_FIRST_SECONDS < OUTAGE_LONGEST_SECONDS < DRAIN_MARGIN_MIN_SECONDS",
        "a worker that waits for the store wakes up before its drain's margin is over",
    ),
    Rule(
        "HEARTBEAT_EXPIRY_SECONDS >= 3 * HEARTBEAT_SECONDS + 2 * EVENT_PUBLISH_SECONDS",
        "two heartbeats may be lost and a third late before a worker counts as silent",
    ),
    Rule(
        "HEARTBEAT_FORGET_SECONDS > HEARTBEAT_EXPIRY_SECONDS + LEASE_SECONDS",
        "a silent worker is forgotten last",
    ),
    # The end of a pod
    Rule(
        "DRAIN_MARGIN_MIN_SECONDS >= RELEASE_SECONDS + HEARTBEAT_STOP_SECONDS"
        " + 2 * (BROKER_STOP_SECONDS + BROKER_ABORT_SECONDS) + WEB_STOP_SECONDS + 2 * COMFYUI_TERM_SECONDS",
        "the least margin holds every step of closing down, one after the other",
    ),
    Rule("IDLE_STOP_SECONDS < RELEASE_SECONDS", "an idle worker goes sooner than one that gives a task back"),
    Rule(
        "DRAIN_MARGIN_MIN_SECONDS <= SHORTEST_GRACE_SECONDS / 2",
        "the task in hand keeps half of the shortest grace",
    ),
    Rule("DRAIN_MARGIN_MIN_SECONDS < DRAIN_MARGIN_MAX_SECONDS", "the margin grows with the grace"),
    Rule(
        "DRAIN_MARGIN_MAX_SECONDS <= GRACE_MARGIN_SECONDS / 2",
        "half of the added grace stays for inputs and results",
    ),
    Rule(
        "GRACE_MARGIN_SECONDS - DRAIN_MARGIN_MAX_SECONDS > 2 * (STORE_CONNECT_SECONDS + STORE_READ_SECONDS)",
        "after the longest run a slow store can still take results and end record",
    ),
    Rule(
        "MIN_GRACE_SECONDS >= GRACE_MARGIN_SECONDS + 2 * TRANSFER_SECONDS",
        "a short task fits into the least grace",
    ),
    Rule(
        "WORKER_HUNG_GRACE_SECONDS <= SHORTEST_GRACE_SECONDS",
        "a hung worker is given no more than the shortest grace",
    ),
    # The operator
    Rule("TICK_SECONDS < RESYNC_RETRY_SECONDS < RESYNC_SECONDS", "small looks are frequent, full ones rare"),
    Rule("TICK_SECONDS >= COUNT_SECONDS", "each tick finds a depth that is newer than the last one's"),
    Rule("PASSING_SECONDS >= TICK_SECONDS", "a full look is not taken more often than a small one"),
    Rule(
        "PASSING_SECONDS < UNSETTLED_SECONDS < RESYNC_SECONDS", "what passes by itself is looked at soonest"
    ),
    Rule(
        "TOMBSTONE_SECONDS > KUBE_CONNECT_SECONDS + KUBE_READ_SECONDS + RESYNC_SECONDS",
        "a deletion is remembered longer than a list can take",
    ),
    Rule(
        "KUBE_CONNECT_SECONDS < KUBE_READ_SECONDS",
        "an API server that is gone is told sooner than one that is slow",
    ),
    Rule(
        "STUCK_SECONDS > 4 * (KUBE_CONNECT_SECONDS + KUBE_READ_SECONDS)",
        "slow answers are no reason for a restart",
    ),
    Rule("STUCK_SECONDS > RECONCILE_RETRY_MOST_SECONDS", "waiting after failures is no reason for a restart"),
    Rule(
        "RECONCILE_RETRY_SECONDS < UNSETTLED_SECONDS",
        "the first failure is tried again before an unsettled pool",
    ),
    Rule(
        "RECONCILE_RETRY_MOST_SECONDS >= RESYNC_SECONDS",
        "a pool that fails is looked at no more often than others",
    ),
    Rule(
        "WATCH_SERVER_SECONDS < WATCH_CLIENT_SECONDS",
        "the server ends a watch, the client only one that went silent",
    ),
    Rule("WATCH_RETRY_SECONDS < RESYNC_SECONDS", "watches are back before the next list"),
    Rule(
        "TOPOLOGY_UNSETTLED_SECONDS < UNSETTLED_SECONDS",
        "the next look at an unsettled pool reads its topology anew",
    ),
    Rule("RESYNC_SECONDS < TOPOLOGY_SECONDS", "pools of a vhost share one reading of it"),
    Rule(
        "LIST_EXPIRY_SECONDS >= 2 * LIST_SECONDS + LIST_RETRY_SECONDS",
        "one list may fail before the depth is unknown",
    ),
    Rule(
        "LIST_LAG_SECONDS >= STATISTICS_SECONDS + LIST_SECONDS",
        "a list is as old as its statistics and itself",
    ),
    Rule("LIST_LAG_SECONDS < LIST_EXPIRY_SECONDS", "a list can be doubted before it expires"),
    Rule("LIST_LAG_SECONDS < IDLE_SECONDS", "the default window of a scale-in is longer than the list lags"),
    Rule("LIST_SECONDS < STATISTICS_SECONDS", "every renewal of the statistics is seen"),
    Rule(
        "COUNT_EXPIRY_SECONDS >= COUNT_SECONDS + 1000 / COUNTS_PER_SECOND",
        "with 1,000 pools on a broker each depth is still fresh",
    ),
    Rule(
        "COUNT_TIMEOUT_SECONDS <= COUNT_EXPIRY_SECONDS",
        "an answer that is waited for is still worth something",
    ),
    Rule(
        "MANAGEMENT_CONNECT_SECONDS < MANAGEMENT_READ_SECONDS < LIST_EXPIRY_SECONDS",
        "a list that comes at the last moment is still evidence",
    ),
    Rule("BROKER_LOST_SECONDS >= LIST_RETRY_SECONDS", "one failed list changes no condition"),
    Rule(
        "BROKER_LOST_SECONDS < LIST_EXPIRY_SECONDS",
        "that the broker is lost is told before the depth is unknown",
    ),
    Rule(
        "COUNT_SECONDS < WORK_STATUS_SECONDS < FIGURES_STATUS_SECONDS < FRESH_STATUS_SECONDS",
        "the more a change matters, the sooner it is written",
    ),
    Rule(
        "UNSCHEDULABLE_SECONDS <= ROLLOUT_MARGIN_SECONDS",
        "a pod without a node is told before its rollout is stuck",
    ),
    Rule("ROLLOUT_MARGIN_SECONDS >= MIN_GRACE_SECONDS", "a rollout waits for one busy pod"),
    Rule(
        "USER_DELETE_RETRY_SECONDS < USER_OVERDUE_SECONDS < USER_GIVE_UP_SECONDS",
        "a user is tried many times before it is left",
    ),
    Rule("USER_OVERDUE_SECONDS > TOMBSTONE_SECONDS", "pods that are gone have left every list before"),
)
