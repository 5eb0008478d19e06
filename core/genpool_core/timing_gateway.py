"""The second file of ``genpool_core.timing``, which has these names too: the times of the gateway."""

from __future__ import annotations

# Callbacks ---------------------------------------------------------------------------------------------------------

CALLBACK_GIVE_UP_SECONDS = 24 * 3600
"""A callback is given up when its waits would sum up to more than this."""
CALLBACK_CONNECT_SECONDS = 5.0
"""Connecting to one address of a callback's receiver."""
CALLBACK_TIMEOUT_SECONDS = 10.0
"""One attempt to deliver a callback beyond the time to connect, however slowly the receiver speaks."""
CALLBACK_SLOW_SECONDS = 4.0
"""A receiver that needs longer for an attempt counts as slow and gets few attempts at a time."""
CALLBACK_SLOW_WINDOW_SECONDS = 120.0
"""A receiver that failed or was slow, and that nothing waits for, is remembered as such for so long."""
CALLBACK_HOLD_SECONDS = 60.0
"""A callback waits so long in the gateway for a receiver that is away, before it is set aside into a delay step."""
RECEIVER_PAUSE_SECONDS = 1.0
"""First pause between attempts at a receiver that fails; each further pause is twice as long."""
RECEIVER_PAUSE_MOST_SECONDS = 30.0
"""Longest such pause."""
CALLBACK_RETRY_SECONDS = 1.0
"""First wait before the outcome of an attempt is published again; each further wait is twice as long."""
CALLBACK_RETRY_MOST_SECONDS = 30.0
"""Longest such wait."""
GATEWAY_DRAIN_SECONDS = 25
"""Default for how long the gateway waits for attempts in flight after SIGTERM."""
GATEWAY_CLOSE_SECONDS = 1.0
"""Closing one of the gateway's two connections of a vhost, when the drain has used up its time."""
GATEWAY_PRESTOP_SECONDS = 5
"""One of several gateways goes on answering so long before SIGTERM, until no node sends it requests (``preStop``)."""
GATEWAY_GRACE_SECONDS = 50
"""``terminationGracePeriodSeconds`` of the gateway's pods, in the chart."""

# The gateway: pools ------------------------------------------------------------------------------------------------

POOLS_WATCH_SECONDS = 60
"""The API server ends a watch of the gateway after this, and all is listed anew."""
POOLS_RELIST_SECONDS = 1.0
"""Least wait between the end of a watch and the next list."""
POOLS_RETRY_STEPS: tuple[int, ...] = (1, 1, 2, 3, 5, 8, 13)
"""Waits of the gateway between attempts to reach the API server; the last one again and again."""
POOLS_FILES_SECONDS = 2.0
"""Files with pools are looked at so often."""
POOLS_NEWS_SECONDS = 0.5
"""The gateway looks this often whether a vhost has other pools; its connections there then try at once."""

# The gateway: what the operator hears of it ------------------------------------------------------------------------

BACKLOG_EXPIRY_SECONDS = 30.0
"""How many messages are of cancelled tasks: a figure that is older is not subtracted from the depth of the queue."""

# The gateway: the task store ---------------------------------------------------------------------------------------

IDEMPOTENCY_SECONDS = 24 * 3600
"""A task that is sent again under the same ``Idempotency-Key`` within this time is the same task."""
TASK_STORE_CONNECT_SECONDS = 5
"""Connecting to PostgreSQL, one address; also how long a stop waits for the thread that listens to it."""
TASK_STORE_POOL_SECONDS = 5.0
"""Waiting for a connection that another request uses."""
TASK_STORE_LOCK_SECONDS = 5.0
"""Waiting for a row or file that another transaction writes."""
TASK_STORE_STATEMENT_SECONDS = 10.0
"""One statement in PostgreSQL, and the time that it lets a transaction do nothing."""
TASK_STORE_KEEPALIVE_SECONDS = 5
"""A silent connection to PostgreSQL is probed after this time, and again."""
TASK_STORE_SILENCE_SECONDS = 15.0
"""PostgreSQL is gone when it has not confirmed for so long what it was sent; what only listens asks this often."""
TASK_STORE_LISTEN_SECONDS = 0.5
"""The thread that listens looks this often whether it shall stop."""
TASK_STORE_LISTEN_RETRY_SECONDS = 0.5
"""First wait before PostgreSQL is listened to again; each further wait is twice as long."""
TASK_STORE_LISTEN_RETRY_MOST_SECONDS = 10.0
"""Longest such wait."""
TASK_STORE_MIGRATION_SECONDS = 300.0
"""A gateway that starts waits so long for another one to change the tables, and for each step of its own."""
# The gateway: accepting tasks ----------------------------------------------------------------------------------------

ACCEPT_GATHER_SECONDS = 0.003
"""Tasks that arrive within this are stored in one commit; within more, where the last commit took longer."""
ACCEPT_GATHER_MOST_SECONDS = 0.008
"""Longest time that a task waits for others to be stored with it."""
THREAD_SWITCH_SECONDS = 0.002
"""A thread of the gateway that computes lets another one go on after so long."""
ACCEPT_IDLE_SECONDS = 0.05
"""Without new tasks, what the broker has confirmed is noted after so long."""
ACCEPT_CONFIRM_SECONDS = 10.0
"""A request waits so long for database and broker; after that the outcome is not known, and it is told so."""
ACCEPT_RETRY_SECONDS = 30.0
"""A task without a known outcome is published again so long after it was stored."""
REPLAY_SECONDS = 30.0
"""A next run that was about to begin, and was not heard of since, keeps its task from being deleted so long."""
ACCEPT_LOOK_SECONDS = 5.0
"""Such tasks are looked for this often."""

# The gateway: ends that no worker makes ------------------------------------------------------------------------------

UNENDED_LOOK_SECONDS = 1.0
"""Tasks that are to end, because somebody cancelled them or their time is over, are looked for this often."""
CANCEL_COMMAND_SECONDS = 3.0
"""The command that ends a running task is sent again after so long, until the end is there."""
END_PUBLISH_SECONDS = 10.0
"""The broker's confirmation of an end's event or callback; without it the end is announced again later."""
END_RETRY_SECONDS = 2.0
"""First wait of a pool whose ends could not be made; each further wait is twice as long."""
END_RETRY_MOST_SECONDS = 30.0
"""Longest such wait."""
BACKLOG_SECONDS = 2.0
"""How many messages are of cancelled tasks is told this often."""
BACKLOG_LEAST_SECONDS = 0.25
"""It is told no more often than this, however often it changes."""
LOST_LOOK_SECONDS = 15.0
"""It is looked this often whether messages of tasks were lost with their queue."""
LOST_SECONDS = 60.0
"""A task of which nothing was heard for so long, while its pool had nothing at all, is published again."""
LOST_MOST_SECONDS = 3600.0
"""Longest wait before one that stays unheard of is published once more; each is twice the one before."""
TAKE_OUT_SECONDS = 30.0
"""Messages of cancelled tasks are taken out of a queue that nobody consumes at most this often."""
TAKE_OUT_PASS_SECONDS = 5.0
"""How long messages are taken for that; giving them back takes about as long."""

# The gateway: its API ----------------------------------------------------------------------------------------------

WAIT_ANSWER_SECONDS = 60.0
"""Longest time that a request may wait for its task's end."""
STREAM_COMMENT_SECONDS = 15.0
"""A stream of events in which nothing happens sends a comment at least this often, so that proxies keep it open."""
KEY_CACHE_SECONDS = 5.0
"""An API key that was looked up is believed for so long."""
LOGIN_WORD_SECONDS = 600.0
"""A link that opens the page, logged in, is good for so long."""
SESSION_SECONDS = 12 * 3600
"""A browser that showed its API key is known by its cookie for so long."""
API_KEEP_ALIVE_SECONDS = 75.0
"""An idle connection is closed after so long: later than the 60 s of the usual proxies, which would send into it."""
REQUEST_BURST_SECONDS = 4.0
"""A caller may send as many requests at once as its rate allows in this time."""
TASK_LIMIT_SECONDS = 30 * 86_400
"""Longest time that a sender may give a task to start, or to end."""
HEADERS_SECONDS = 10.0
"""The headers of a request must be there after so long, also the first ones of a connection."""
BODY_SECONDS = 20.0
"""The body of a request must be there after so long."""
API_DRAIN_SECONDS = 10.0
"""Requests in hand may go on so long after SIGTERM."""

# The gateway: dead letters -----------------------------------------------------------------------------------------

QUEUE_PASS_SECONDS = 120.0
"""Taking all messages of a queue in one pass, and giving them back; one message takes about a millisecond."""
QUEUE_RETURN_SECONDS = 1.0
"""A few messages that were given back are counted by their queue within this time."""
QUEUE_RETURN_LOOK_SECONDS = 0.002
"""The queue is asked for its count this often meanwhile."""

# The gateway: events -------------------------------------------------------------------------------------------------

EVENT_REST_MOST_SECONDS = 0.1
"""Longest rest of the thread that stores events, in which others gather: so late is a status that watchers see."""
EVENT_STORE_RETRY_SECONDS = 0.5
"""First wait before events are stored again, when the task store failed; each further wait is twice as long."""
EVENT_STORE_RETRY_MOST_SECONDS = 15.0
"""Longest such wait."""

EVENTS_COUNT_SECONDS = 0.2
"""Until the events of a vhost were counted for the first time, the gateway tries it this often, and takes none."""
EVENTS_FULL_SECONDS = 5.0
"""A queue that is full is counted this often: when it is no more, the ledgers are read."""
REBUILD_LOOK_SECONDS = 30.0
"""The gateway looks this often whether an events queue is full."""
REBUILD_RETRY_SECONDS = 30.0
"""First wait before a ledger that could not be read is read again; each further wait is twice as long."""
REBUILD_RETRY_MOST_SECONDS = 3600.0
"""Longest such wait."""

# The gateway: retention --------------------------------------------------------------------------------------------

RETENTION_LOOK_SECONDS = 300.0
"""What has been kept long enough is looked for this often."""
HOUSEKEEPING_SECONDS = 2.0
"""The thread that does this looks so often whether something is due, or a pool has another bucket."""
TASK_KEEP_SECONDS = 90 * 86_400
"""Default age at which the task store forgets a task that has ended."""

PLACE_MARGIN_SECONDS = 86_400
"""Workers of a pool may use the bucket of the spec before so long after it was changed."""

# The gateway: buckets and folders ------------------------------------------------------------------------------------

STORE_CHECK_SECONDS = 60.0
"""The gateway tries this often whether the bucket or folder of a pool lets it do its work there."""

# The gateway: figures of pools over time -----------------------------------------------------------------------------

POOL_SAMPLE_SECONDS = 60
"""The figures of all pools are kept this often, in one statement."""
POOL_SAMPLE_LOOK_SECONDS = 2.0
"""Whether that is due is looked at this often."""
POOL_SAMPLE_FINE_SECONDS = 86_400
"""For so long all of them stay."""
POOL_SAMPLE_COARSE_SECONDS = 900
"""Of those that are older, one stays for each such step."""
POOL_SAMPLE_KEEP_SECONDS = 7 * 86_400
"""Age at which they go; what is older, Prometheus has."""
POOL_STATUS_SILENT_SECONDS = 660.0
"""Figures that the operator read before this are not those of now: it is away."""

# The gateway: its start ---------------------------------------------------------------------------------------------

STORE_OPEN_RETRY_SECONDS = 0.5
"""First wait before a task store that could not be opened is tried again; each further wait is twice as long."""
STORE_OPEN_RETRY_MOST_SECONDS = 5.0
"""Longest such wait."""

# The gateway: the intake, and full queues ----------------------------------------------------------------------------

INTAKE_LOOK_SECONDS = 1.0
"""The gateway looks this often which pools are behind which intake."""
INTAKE_IDLE_SECONDS = 0.25
"""An intake in which nothing happens looks this often for publishes that are overdue."""
INTAKE_CONFIRM_SECONDS = 10.0
"""A queue that has not confirmed a message for so long, while others have, is out of order: the message comes later."""
INTAKE_RETRY_SECONDS = 0.5
"""First wait before a message is published again; each further wait is twice as long."""
INTAKE_RETRY_MOST_SECONDS = 15.0
"""Longest such wait."""
INTAKE_ASIDE_SECONDS = 120
"""The longest delay step for a message whose pool does not take it now."""
QUEUE_COUNT_SECONDS = 1.0
"""How many tasks wait in a queue with a limit is read this often."""
QUEUE_RATE_SECONDS = 60.0
"""Time constant of the rate at which tasks leave such a queue."""
RETRY_AFTER_MOST_SECONDS = 3600
"""The longest ``Retry-After`` for a full queue."""

# The gateway: uploads ------------------------------------------------------------------------------------------------

UPLOAD_LINK_SECONDS = 900.0
"""The link by which a file is uploaded is valid for so long."""
UNUSED_INPUT_SECONDS = 86_400
"""Inputs that were put into a bucket and that no task uses are deleted so long after that."""
INPUT_STORE_SECONDS = 10.0
"""A request waits so long for the bucket to take what came inside its task."""
UPLOAD_LOOK_SECONDS = 2.0
"""A request waits so long for the bucket to tell of the uploads that its task names."""
FOLDER_STAGED_SECONDS = 24 * 3600
"""Age at which a file of a folder that was not written to its end is deleted."""
