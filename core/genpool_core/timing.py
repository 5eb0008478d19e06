"""Every wait, lease, grace and time-out of GenPool: the one place where such a number stands.

All values are seconds unless a docstring says otherwise. ``genpool_core.timing_rules`` has the inequalities that tie
them together, by the sections of this file, and ``docs/explanation/timing.md`` is generated from both. What a pool or
an installation can set is not here; the bounds and defaults that a rule needs are.
"""

from __future__ import annotations

from genpool_core.timing_cli import *  # noqa: F403 - one namespace in three files
from genpool_core.timing_gateway import *  # noqa: F403

# Retries of tasks --------------------------------------------------------------------------------------------------

RETRY_STEPS: tuple[int, ...] = (5, 30, 120, 600, 3600)
"""A message waits this long in a delay step; every vhost has one delay queue for each step."""
PARK_SECONDS = RETRY_STEPS[0]
"""A message whose task another worker holds waits so long before it is looked at again."""
PUT_OFF_STEPS: tuple[int, ...] = (30, 120, *(600,) * 6, *(3600,) * 23)
"""Delay steps, in their order, of a task whose workflow ComfyUI cannot run; after the last one the task is dead."""
RUN_SECONDS = 600
"""Default of ``workflows[].timeoutSeconds``: the longest run of one attempt in ComfyUI."""
RETRY_MARGIN_SECONDS = 900
"""Beyond its delay step a retry may wait so long in the work queue before a duplicate may overtake it."""

# Claims ------------------------------------------------------------------------------------------------------------

RENEW_SECONDS = 5.0
"""A worker renews its claim so long after the last renewal has ended."""
LEASE_SECONDS = 30.0
"""A claim that was not renewed for so long is lost: another worker may begin the next attempt."""
STORE_CLOCK_SECONDS = 1.0
"""The object store tells times in whole seconds: the age of a claim may be wrong by so much."""
CLAIM_CONNECT_SECONDS = 0.75
"""Connecting to the object store to renew or release a claim; one try."""
CLAIM_READ_SECONDS = 1.25
"""Waiting for bytes of its answer. A store that needs longer for a small object is too slow for the lease."""
LEDGER_RETRY_SECONDS = 0.1
"""First wait when several writers meet at one record of the ledger; each further wait is twice as long."""
LEDGER_RETRY_MOST_SECONDS = 1.0
"""Longest such wait."""

# The object store --------------------------------------------------------------------------------------------------

STORE_CONNECT_SECONDS = 3.0
"""Connecting to the object store."""
STORE_READ_SECONDS = 20.0
"""Waiting for bytes of the object store's answer."""
STORE_TRIES = 4
"""A request without an answer is made so often in all before the store counts as away (a number, not seconds)."""
STORE_FRESH_SECONDS = 30.0
"""A worker asks the store this often, between tasks, whether it still answers."""
LINK_SECONDS = 86_400
"""Default of ``storage.s3.urlTTLSeconds``: a signed link to a result is valid for so long."""
IDENTITY_LINK_SECONDS = 600
"""A link that a pod identity signed is valid for at least so long: boto3 renews a session this long before its end."""
IDENTITY_SESSION_SECONDS = 3600
"""The session that AWS gives to a role of a service account (IRSA) where, as by boto3, none is asked for."""

# RabbitMQ, by AMQP -------------------------------------------------------------------------------------------------

AMQP_HEARTBEAT_SECONDS = 20
"""Heartbeat of AMQP. RabbitMQ closes a connection after two to three times as long without a byte from it."""
AMQP_SOCKET_SECONDS = 10
"""Connecting a socket to RabbitMQ."""
AMQP_STACK_SECONDS = 15
"""Connecting with TLS and login."""
AMQP_RETRY_SECONDS = 0.5
"""First wait before a lost connection is made anew; each further wait is twice as long, and chance shortens each."""
AMQP_RETRY_MOST_SECONDS = 15.0
"""Longest such wait."""
AMQP_BLOCKED_SECONDS = 60
"""RabbitMQ may hold up a publishing connection (memory or disk alarm) so long before it is made anew."""
AMQP_HANDOVER_SECONDS = 10.0
"""A call that only hands something to a connection's thread."""
AMQP_STOP_SECONDS = 10.0
"""Closing a connection, where no grace is counted out."""
BROKER_ABORT_SECONDS = 1.0
"""Dropping a connection that could not be closed in time."""
PUBLISH_SECONDS = 10.0
"""A publish with its confirmation, where a worker waits with its GPU and tries again."""
PUBLISH_PATIENT_SECONDS = 30.0
"""The same in the gateway. After a time-out the message is sent again, and the receiver may get both."""
EVENT_PUBLISH_SECONDS = 5.0
"""A publish of an event that is worth waiting for, but not worth a stopped GPU."""
CONSUMER_TIMEOUT_MARGIN_SECONDS = 3600
"""RabbitMQ takes a delivery back so long after the longest run (``consumer-timeout``)."""

# RabbitMQ, by its management API -----------------------------------------------------------------------------------

MANAGEMENT_CONNECT_SECONDS = 3.05
"""Connecting to the management API; a little over the 3 s after which TCP sends its first packet again."""
MANAGEMENT_READ_SECONDS = 10
"""The management API's whole answer, once it is connected."""
MANAGEMENT_WAIT_SECONDS = 3.0
"""A pass of the operator waits so long for the thread that asks the management API, then goes on without."""
STATISTICS_SECONDS = 5
"""RabbitMQ renews the statistics behind its lists this often (``collect_statistics_interval``)."""

# Inputs ------------------------------------------------------------------------------------------------------------

FETCH_CONNECT_SECONDS = 10.0
"""Connecting to one address of an input file's host."""
FETCH_READ_SECONDS = 20.0
"""Waiting for the next bytes of an input file."""
FETCH_TOTAL_SECONDS = 120.0
"""Fetching an input file, with its redirects, however slowly its host sends and however many addresses it has."""
IMAGE_READ_SECONDS = 30.0
"""Processor time for reading one image. A sane one of any size takes about 3; hostile ones of a megabyte take hours."""

# ComfyUI -----------------------------------------------------------------------------------------------------------

COMFYUI_CONNECT_SECONDS = 3.0
"""Connecting to ComfyUI in the same pod."""
COMFYUI_ASIDE_SECONDS = 2.0
"""Answer that is only shown and that nothing waits for: ComfyUI's version, its last log lines."""
COMFYUI_QUICK_SECONDS = 5.0
"""Answer to a question that needs no work; opening the websocket."""
COMFYUI_ASK_SECONDS = 10.0
"""Answer with a history entry or the queue, which may be large."""
COMFYUI_SEND_SECONDS = 30.0
"""Taking an upload or a prompt, or the bytes of a result: a busy interpreter stalls its server for a while."""
COMFYUI_RETRY_SECONDS = 1.0
"""Wait after a call to ComfyUI that got no answer."""
COMFYUI_TICK_SECONDS = 0.5
"""A worker that waits for a prompt's end looks this often whether it was cancelled, or a time of its is over."""
CANCEL_TICK_SECONDS = 0.2
"""A worker that waits for an input, or for a prompt that was told to stop, looks this often whether it may go on."""
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
PROGRESS_SECONDS = 1.0
"""The progress of a task is published no more often than this."""
PREVIEW_SECONDS = 0.5
"""A preview of what ComfyUI works on is published no more often than this."""
TRANSFER_SECONDS = 120.0
"""While inputs are given to ComfyUI, or results taken from it, a call without an answer is made again for so long.

Taking one result takes no longer either, however slowly it comes.
"""
STARTUP_SECONDS = 600
"""Default of ``comfyui.probe.startupSeconds``: ComfyUI may take so long to start."""
STARTUP_PERIOD_SECONDS = 2
"""ComfyUI is probed this often while it starts."""
PROBE_PERIOD_SECONDS = 10
"""Default of ``comfyui.probe.periodSeconds``."""
PROBE_TIMEOUT_SECONDS = 10
"""Default of ``comfyui.probe.timeoutSeconds``."""
PROBE_FAILURES = 3
"""Default of ``comfyui.probe.failureThreshold`` (a number, not seconds)."""
PROBE_GRACE_SECONDS = 5
"""Grace of a ComfyUI whose liveness probe failed: it hangs, and the pod's grace is for the longest task."""

# A ComfyUI that is wedged ------------------------------------------------------------------------------------------

COMFYUI_HEED_SECONDS = 10.0
"""A prompt that was told to stop may run on for so long, and one that nothing keeps may take so long to begin.

After that ComfyUI is wedged, if it answered all the time.
"""
LIVENESS_PERIOD_SECONDS = 5
"""ComfyUI's liveness script runs this often. A wedged ComfyUI fails it at once, a silent one as ``probe`` says."""
LIVENESS_MARGIN_SECONDS = 5
"""The liveness script may take so long beyond its questions, to start and to end."""
WEDGED_REPLACE_SECONDS = 60.0
"""The pod of a ComfyUI that has been wedged for so long is replaced: its restart did not come."""
WEDGED_TIMES = 3
"""The same when restarts helped so often in a row, each until the next prompt (a number, not seconds)."""
REPLACE_EVERY_SECONDS = 300.0
"""A pool's pods are replaced one at a time, and no more often than this."""

# Times in end records ----------------------------------------------------------------------------------------------

OWN_CLOCK_SECONDS = 5.0
"""Times that ComfyUI tells may lie so far before or after the worker's own; they are of one node's clock."""
SENDER_CLOCK_SECONDS = 300.0
"""The time at which a message says it was enqueued may lie so far in the future, by its sender's or broker's clock."""

# A worker between tasks --------------------------------------------------------------------------------------------

WORKFLOW_CHECK_SECONDS = 15.0
"""While ComfyUI lacks something for a workflow, a worker asks it again so often between tasks."""
WORKFLOW_TRIAL_SECONDS = 120.0
"""After a prompt failed through no fault of its task, another task of its workflow is tried after this."""
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

# The end of a worker's pod -----------------------------------------------------------------------------------------

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
DRAIN_TICK_SECONDS = 1.0
"""Longest wait at a time of a draining worker that holds a task: then it looks whether its time is over."""
SIGNAL_LOOK_SECONDS = 1.0
"""Longest wait at a time for a signal that tells a program to end: one that came just before goes unnoticed by it."""
RELEASE_SECONDS = 5.5
"""A draining worker waits so long for its thread to give the task back, once the time for the task is over."""
IDLE_STOP_SECONDS = 1.0
"""A draining worker without a task waits so long for its thread, which may be asking a ComfyUI that hangs."""
FAILED_TICK_SECONDS = 0.5
"""A worker looks this often whether its work has failed for good, and then ends."""
HEARTBEAT_STOP_SECONDS = 0.5
"""Ending the thread that publishes heartbeats."""
BROKER_STOP_SECONDS = 2.0
"""Closing one of the worker's two connections to RabbitMQ."""
WEB_STOP_SECONDS = 1.0
"""Ending the server of probes and metrics."""

# Probes of GenPool's programs --------------------------------------------------------------------------------------

WEB_READ_SECONDS = 10
"""The server of probes and metrics drops a client that is silent for so long."""
WORKER_START_PERIOD_SECONDS = 1
"""Whether a worker has started is asked this often."""
WORKER_START_SECONDS = 180
"""A worker that does not answer after so long is restarted; a node without a free processor starts slowly."""
WORKER_READY_PERIOD_SECONDS = 2
"""A worker's readiness is asked this often."""
WORKER_READY_TIMEOUT_SECONDS = 2
"""Answer to that."""
WORKER_READY_FAILURES = 3
"""So many in a row without an answer make its pod not ready (a number, not seconds)."""
WORKER_LIVE_PERIOD_SECONDS = 10
"""A worker's liveness is asked this often."""
WORKER_LIVE_TIMEOUT_SECONDS = 5
"""Answer to that."""
WORKER_LIVE_FAILURES = 6
"""So many in a row without an answer restart it (a number, not seconds)."""
WORKER_HUNG_GRACE_SECONDS = 30
"""Grace of a worker whose liveness probe failed."""
CHART_TIMEOUT_SECONDS = 5
"""Answer of operator and gateway to a probe, in the chart, as the following seven."""
CHART_START_PERIOD_SECONDS = 2
"""Operator and gateway are asked this often while they start."""
OPERATOR_START_FAILURES = 60
"""So many in a row without an answer restart an operator that starts (a number, not seconds)."""
GATEWAY_START_FAILURES = 30
"""The same for the gateway (a number, not seconds)."""
OPERATOR_READY_PERIOD_SECONDS = 10
"""The operator's readiness is asked this often."""
GATEWAY_READY_PERIOD_SECONDS = 5
"""The gateway's readiness is asked this often."""
CHART_LIVE_PERIOD_SECONDS = 20
"""Liveness of operator and gateway is asked this often."""
CHART_LIVE_FAILURES = 6
"""So many in a row without a good answer restart either (a number, not seconds)."""

# The operator: looks at pools --------------------------------------------------------------------------------------

TICK_SECONDS = 1.0
"""Queue, workers and pods of every pool are looked at this often, and what deleted pools left is cleared away."""
RESYNC_SECONDS = 30
"""Default for how often everything is listed and every pool looked at in full."""
RESYNC_RETRY_SECONDS = 5.0
"""The same after a list that failed."""
PASSING_SECONDS = 1.0
"""A pool that waits for Kubernetes to remove an object is looked at in full again after this."""
UNSETTLED_SECONDS = 5.0
"""A pool in whose way something is, is looked at in full again after this."""
RECONCILE_RETRY_SECONDS = 1.0
"""First wait after a pass that failed; each further wait is twice as long."""
RECONCILE_RETRY_MOST_SECONDS = 60.0
"""Longest such wait."""
STUCK_SECONDS = 120.0
"""With pools to look at, one must have been looked at within this, or the operator is unhealthy."""
TOPOLOGY_SECONDS = 60.0
"""The topology of a vhost is read again after this, and drift repaired."""
TOPOLOGY_UNSETTLED_SECONDS = 4.0
"""The same while something is wrong with it."""
TOPOLOGY_EXPIRY_SECONDS = 150.0
"""What was read of a topology stands so long while a slow management API is asked anew."""
UNSCHEDULABLE_SECONDS = 600.0
"""A pod may wait so long for a node before the pool is not Ready: nodes may follow demand."""
START_MARGIN_SECONDS = 600.0
"""Beyond ``startupSeconds`` a pod on its node may take so long to be ready, for images and volumes; then it is told."""
ROLLOUT_MARGIN_SECONDS = 600
"""Beyond grace and start-up of a pod, until Kubernetes calls a rollout stuck."""
ACCESS_SECONDS = 10.0
"""The operator reads its keys, and compares the gateway's users on each broker, this often."""
SECRET_APPLY_SECONDS = 60.0
"""A Secret that the operator may not read is applied again after this, in case somebody deleted it."""
KUBELET_SECRET_SECONDS = 75.0
"""The kubelet brings a changed Secret to running pods within so long: its period and its cache, as they usually are."""
ROTATION_SECONDS = 120.0
"""So long after a new key was put before the old one, no pod uses the old one any more; the documentation's."""
USER_DELETE_RETRY_SECONDS = 10.0
"""A deleted pool's RabbitMQ user that could not be deleted is tried again after this."""
USER_OVERDUE_SECONDS = 300.0
"""Beyond the grace of its pods a deleted pool's user is deleted although pods are still seen."""
USER_GIVE_UP_SECONDS = 3600.0
"""A user that could not be deleted for so much longer is left."""

# The operator: Kubernetes ------------------------------------------------------------------------------------------

KUBE_CONNECT_SECONDS = 5
"""Connecting to the Kubernetes API."""
KUBE_CONNECT_TRIES = 3
"""Connecting is tried so often for one request (a number, not seconds)."""
KUBE_READ_SECONDS = 20
"""The Kubernetes API's whole answer, once it is connected."""
TOMBSTONE_SECONDS = 120.0
"""A deletion is remembered so long: a list that began before it must not bring the object back."""
WATCH_SERVER_SECONDS = 300
"""The API server ends a watch after this."""
WATCH_CLIENT_SECONDS = 330
"""The operator ends a watch after this: the server's end of it was lost."""
WATCH_LIST_SECONDS = 60
"""Answer to kopf's list of all objects of a kind, before a watch."""
WATCH_RETRY_STEPS: tuple[int, ...] = (1, 1, 2, 3, 5, 8, 13, 20)
"""Waits between attempts of kopf to reach the API server; the last one again and again."""
RESYNC_STOP_SECONDS = 60.0
"""At its end the operator waits so long for a list of everything. Kubernetes may kill it before: nothing is lost."""
RECONCILE_STOP_SECONDS = 30.0
"""The same for each thread that looks at pools."""
MONITOR_STOP_SECONDS = 15.0
"""The same for each thread that asks RabbitMQ."""

# The operator: depth of a queue ------------------------------------------------------------------------------------

LIST_SECONDS = 2.0
"""The queues of a vhost are listed this often."""
LIST_RETRY_SECONDS = 2.0
"""The same after a list that failed."""
LIST_EXPIRY_SECONDS = 15.0
"""A list that is older is no evidence of a queue's depth."""
LIST_LAG_SECONDS = 10.0
"""The list may be behind the queue by so much."""
COUNT_SECONDS = 0.5
"""The depth of every work queue is asked by passive declare this often."""
COUNTS_PER_SECOND = 400
"""Passive declares that a broker is asked to answer in a second, for each vhost (a rate, not seconds)."""
COUNT_CONNECT_SECONDS = 1.0
"""A new connection for passive declares is waited for so long; then the round goes on without."""
COUNT_TIMEOUT_SECONDS = 2.0
"""Answer to a passive declare."""
COUNT_EXPIRY_SECONDS = 5.0
"""A passive declare that is older is no evidence of a queue's depth."""
IDLE_SECONDS = 15
"""Default of ``scaling.idleSeconds``: fewer pods must have been enough for so long before one goes."""

# The operator: status ----------------------------------------------------------------------------------------------

BROKER_LOST_SECONDS = 5.0
"""A failure to reach the broker that is shorter changes no condition."""
WORKER_WAITS_SECONDS = 5.0
"""What a worker waits for (its bucket, its broker) for a shorter time changes no condition."""
WORK_STATUS_SECONDS = 3.0
"""Whether there is work at all is written to the status within this."""
FIGURES_STATUS_SECONDS = 15.0
"""Other figures are written no more often than this."""
FRESH_STATUS_SECONDS = 300.0
"""A status in which only the time of the reading differs is written this often."""

# What is refused or handed back --------------------------------------------------------------------------------------

STORE_HOLD_SECONDS = 10.0
"""A store that fails before the claim is tried for so long, with the message in hand; then the message goes back."""
REPAIR_SECONDS = 150.0
"""What an end needs on RabbitMQ and lacks (a queue, a right) is waited for so long: the operator repairs it."""
REFUSED_SECONDS = 60.0
"""A worker whose end was refused for good takes nothing for so long."""
DELIVERY_LIMIT = 1000
"""A quorum queue dead-letters a message that was handed back more often (``delivery-limit``; a number, not seconds)."""
