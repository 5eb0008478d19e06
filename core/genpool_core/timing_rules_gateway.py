"""Rules of the gateway's sections; ``genpool_core.timing_rules`` has the others."""

from __future__ import annotations

from collections.abc import Mapping

from genpool_core.timing_rule import Rule

GATEWAY_RULES: Mapping[str, tuple[Rule, ...]] = {
    "The gateway: pools": (
        Rule(
            "POOLS_RELIST_SECONDS < KUBE_READ_SECONDS < POOLS_WATCH_SECONDS",
            "a watch is worth its list, and one whose server fell silent is soon given up",
        ),
        Rule(
            "list(POOLS_RETRY_STEPS) == sorted(POOLS_RETRY_STEPS)",
            "each wait is at least as long as the last",
        ),
        Rule(
            "POOLS_RELIST_SECONDS <= POOLS_RETRY_STEPS[0] <= POOLS_RETRY_STEPS[-1] < KUBE_READ_SECONDS",
            "a Kubernetes that is back is found within the time of one slow answer",
        ),
        Rule("POOLS_FILES_SECONDS <= RESYNC_RETRY_SECONDS", "an edited file counts within seconds"),
        Rule(
            "2 * POOLS_NEWS_SECONDS == POOLS_RELIST_SECONDS",
            "a pool of a new vhost gets its connections about as soon as the gateway knows of it",
        ),
    ),
    "The gateway: what the operator hears of it": (
        Rule(
            "BACKLOG_EXPIRY_SECONDS == HEARTBEAT_EXPIRY_SECONDS",
            "a gateway that restarts starts no pods for cancelled tasks; one that is gone is believed no longer than"
            " a worker",
        ),
    ),
    "The gateway: the task store": (
        Rule(
            "IDEMPOTENCY_SECONDS == CALLBACK_GIVE_UP_SECONDS",
            "one day is as long as a sender keeps on trying",
        ),
        Rule(
            "TASK_STORE_POOL_SECONDS == TASK_STORE_LOCK_SECONDS == TASK_STORE_CONNECT_SECONDS",
            "a request waits equally long for whatever it needs of the database",
        ),
        Rule(
            "TASK_STORE_LOCK_SECONDS < TASK_STORE_STATEMENT_SECONDS < TASK_STORE_SILENCE_SECONDS",
            "the error names the narrowest cause: a lock, then a slow statement, then a server that is gone",
        ),
        Rule(
            "TASK_STORE_STATEMENT_SECONDS == 2 * TASK_STORE_LOCK_SECONDS",
            "a statement that got its lock late can still end",
        ),
        Rule(
            "TASK_STORE_SILENCE_SECONDS == 3 * TASK_STORE_KEEPALIVE_SECONDS",
            "a connection with nothing to send is given up as soon as one with something: after two probes",
        ),
        Rule(
            "TASK_STORE_LISTEN_SECONDS <= TASK_STORE_LISTEN_RETRY_SECONDS"
            " < TASK_STORE_LISTEN_RETRY_MOST_SECONDS < TASK_STORE_SILENCE_SECONDS",
            "watchers hear of tasks again soon after PostgreSQL is back, and one that is away costs little",
        ),
        Rule("4 * TASK_STORE_LISTEN_SECONDS <= CALLBACK_SLOW_SECONDS", "a stop is quick"),
        Rule("10 * TASK_STORE_LISTEN_SECONDS >= TASK_STORE_CONNECT_SECONDS", "looking costs next to nothing"),
        Rule(
            "20 * TASK_STORE_LISTEN_RETRY_SECONDS == TASK_STORE_LISTEN_RETRY_MOST_SECONDS",
            "a few tries are close together",
        ),
        Rule(
            "TASK_STORE_MIGRATION_SECONDS >= 20 * TASK_STORE_SILENCE_SECONDS",
            "a change of large tables ends, and one whose gateway is gone has been given up by then",
        ),
        Rule(
            "TASK_STORE_MIGRATION_SECONDS <= CALLBACK_GIVE_UP_SECONDS / 200",
            "somebody waits for the gateway to start",
        ),
    ),
    "The gateway: accepting tasks": (
        Rule(
            "0.001 < ACCEPT_GATHER_SECONDS < 0.005",
            "a commit takes a few milliseconds: waiting as long for company costs a lone task no more than that",
        ),
        Rule(
            "2 * ACCEPT_GATHER_SECONDS < ACCEPT_GATHER_MOST_SECONDS < ACCEPT_IDLE_SECONDS / 5",
            "groups grow where commits are slow, and a database that is away for a moment makes no wait of it",
        ),
        Rule(
            "10 * ACCEPT_GATHER_SECONDS < ACCEPT_IDLE_SECONDS < 0.1",
            "under load a later group notes it in its own commit, and a lone task is soon shown as queued",
        ),
        Rule(
            "0.001 < THREAD_SWITCH_SECONDS < ACCEPT_GATHER_SECONDS",
            "a thread costs a task less time than its group does, and is not interrupted at each step",
        ),
        Rule(
            "PUBLISH_SECONDS <= ACCEPT_CONFIRM_SECONDS < WAIT_ANSWER_SECONDS / 5",
            "the broker has as long as for any publish, and most of a request that waits is for the task",
        ),
        Rule(
            "2 * ACCEPT_CONFIRM_SECONDS < ACCEPT_RETRY_SECONDS < WAIT_ANSWER_SECONDS",
            "nothing is published again that a request still waits for, and a lost task is not late by minutes",
        ),
        Rule(
            "2 * ACCEPT_CONFIRM_SECONDS < REPLAY_SECONDS < WAIT_ANSWER_SECONDS",
            "while a replay may still be confirmed nobody deletes its task, and one that died holds none up for long",
        ),
        Rule(
            "ACCEPT_CONFIRM_SECONDS / 3 < ACCEPT_LOOK_SECONDS < ACCEPT_RETRY_SECONDS / 4",
            "looking is one query of an index: often beside the wait that it ends",
        ),
    ),
    "The gateway: ends that no worker makes": (
        Rule(
            "UNENDED_LOOK_SECONDS + CANCEL_COMMAND_SECONDS < 5",
            "a cancel that another gateway was asked for, or whose first command was lost, counts within 5 s",
        ),
        Rule(
            "2 * COMFYUI_TICK_SECONDS < CANCEL_COMMAND_SECONDS < HEARTBEAT_EXPIRY_SECONDS",
            "a worker has had time to heed one command before the next",
        ),
        Rule(
            "END_PUBLISH_SECONDS == PUBLISH_SECONDS",
            "the broker has as long as for any publish",
        ),
        Rule(
            "UNENDED_LOOK_SECONDS < END_RETRY_SECONDS < END_RETRY_MOST_SECONDS <= STORE_HOLD_SECONDS * 3",
            "a bucket that is away is asked seldom, and one that is back soon has its ends",
        ),
        Rule(
            "8 * BACKLOG_LEAST_SECONDS <= BACKLOG_SECONDS < BACKLOG_EXPIRY_SECONDS / 10",
            "a figure that was lost is soon followed by another, and many changes are no flood",
        ),
        Rule(
            "LEASE_SECONDS + FIGURES_STATUS_SECONDS + LOST_LOOK_SECONDS <= LOST_SECONDS",
            "a worker that died holds no claim any more, and the operator has told of one that took the task just now",
        ),
        Rule(
            "LOST_SECONDS < LOST_MOST_SECONDS == RETRY_STEPS[-1]",
            "a task that no worker says anything of starts a pod for nothing no more than once an hour",
        ),
        Rule(
            "TAKE_OUT_PASS_SECONDS * 6 <= TAKE_OUT_SECONDS <= BACKLOG_EXPIRY_SECONDS",
            "a queue is left alone most of the time: each pass may count as a delivery of what stays",
        ),
        Rule(
            "DELIVERY_LIMIT / 2 * TAKE_OUT_SECONDS > 2000",
            "half of the deliveries that the broker allows last for a long row of passes",
        ),
    ),
    "The gateway: its API": (
        Rule(
            "WAIT_ANSWER_SECONDS == 4 * STREAM_COMMENT_SECONDS",
            "proxies close what is silent for 60 s: a wait ends by then, and a stream speaks several times before",
        ),
        Rule(
            "2 < KEY_CACHE_SECONDS < ACCEPT_CONFIRM_SECONDS",
            "a revoked key ends within seconds, and the database is not asked at each request",
        ),
        Rule(
            "5 * LOCAL_UP_SECONDS <= LOGIN_WORD_SECONDS <= SESSION_SECONDS / 50",
            "somebody who saw the link on a screen is too late, and who started GenPool and went for a coffee is not",
        ),
        Rule(
            "8 * 3600 < SESSION_SECONDS < 24 * 3600",
            "a working day needs one login, and a browser that was left open is nobody's the next day",
        ),
        Rule(
            "WAIT_ANSWER_SECONDS < API_KEEP_ALIVE_SECONDS < 2 * WAIT_ANSWER_SECONDS",
            "a proxy closes its idle connection first, or a request could be sent into one that we close",
        ),
        Rule(
            "2 < REQUEST_BURST_SECONDS < ACCEPT_CONFIRM_SECONDS / 2",
            "a page that loads is no flood, and a flood is no page",
        ),
        Rule(
            "2 * HEADERS_SECONDS == BODY_SECONDS",
            "headers are small, so a slow line has them in half of the time of a body",
        ),
        Rule(
            "ACCEPT_CONFIRM_SECONDS < BODY_SECONDS < WAIT_ANSWER_SECONDS / 2",
            "a body of the largest size comes over a slow line, and a caller that drips holds nothing for long",
        ),
        Rule(
            "10 * sum(PUT_OFF_STEPS) < TASK_LIMIT_SECONDS < 100 * sum(PUT_OFF_STEPS)",
            "a limit leaves room for whatever a task may wait for, and a task is not for ever",
        ),
        Rule(
            "ACCEPT_CONFIRM_SECONDS <= API_DRAIN_SECONDS <= GATEWAY_DRAIN_SECONDS / 2",
            "a task that is being accepted is answered, and the rest of the gateway has its time to end too",
        ),
    ),
    "The gateway: dead letters": (
        Rule(
            "WAIT_ANSWER_SECONDS <= QUEUE_PASS_SECONDS < API_KEEP_ALIVE_SECONDS * 2",
            "100,000 messages are taken in this time, and whoever asked for it is still there",
        ),
        Rule(
            "3 * QUEUE_RETURN_SECONDS < TAKE_OUT_PASS_SECONDS",
            "where a consumer takes what is given back, a pass ends soon",
        ),
        Rule(
            "100 * QUEUE_RETURN_LOOK_SECONDS < QUEUE_RETURN_SECONDS",
            "an answer of a broker takes about a millisecond, a write to its disk some",
        ),
    ),
    "The gateway: events": (
        Rule("EVENT_REST_MOST_SECONDS <= PREVIEW_SECONDS / 4", "watchers see a status as it comes"),
        Rule(
            "10 * ACCEPT_IDLE_SECONDS <= EVENT_STORE_RETRY_SECONDS < 1",
            "a database that restarts is asked a few times a second at most",
        ),
        Rule(
            "EVENT_STORE_RETRY_MOST_SECONDS == STREAM_COMMENT_SECONDS",
            "a status is late by no more than watchers are left without a word",
        ),
        Rule(
            "ACCEPT_IDLE_SECONDS < EVENTS_COUNT_SECONDS < EVENT_STORE_RETRY_SECONDS",
            "a vhost that is connected is counted at once, and one that is missing costs nothing",
        ),
        Rule(
            "10 * EVENTS_COUNT_SECONDS < EVENTS_FULL_SECONDS < REBUILD_LOOK_SECONDS / 5",
            "each count of a full queue is a commit, and the ledgers wait for the last one",
        ),
        Rule(
            "REBUILD_LOOK_SECONDS == 2 * STREAM_COMMENT_SECONDS",
            "a full queue of five million events is not drained by a tenth, 500,000, between two looks",
        ),
        Rule(
            "REBUILD_RETRY_SECONDS == REBUILD_LOOK_SECONDS",
            "what could not be read is tried at the next look",
        ),
        Rule(
            "100 * REBUILD_RETRY_SECONDS < REBUILD_RETRY_MOST_SECONDS <= 3600",
            "a ledger that cannot be read is not listed all the time, and one that can be again waits an hour at most",
        ),
    ),
    "The gateway: retention": (
        Rule(
            "4 * WAIT_ANSWER_SECONDS < RETENTION_LOOK_SECONDS <= 3600 / 10",
            "the shortest retentionSeconds is an hour: contents outlive it by little, and looking costs little",
        ),
        Rule(
            "2 * TASK_LIMIT_SECONDS < TASK_KEEP_SECONDS < 5 * TASK_LIMIT_SECONDS",
            "no event of a task can come when its row is gone: it would make a row that never ends",
        ),
        Rule(
            "HOUSEKEEPING_SECONDS == POOLS_FILES_SECONDS",
            "the bucket of a pool is known before a task of it can end",
        ),
        Rule(
            "PLACE_MARGIN_SECONDS == IDEMPOTENCY_SECONDS",
            "a worker that began before the change has long ended, and other tasks' buckets are left alone",
        ),
    ),
    "The gateway: buckets and folders": (
        Rule(
            "20 * HOUSEKEEPING_SECONDS < STORE_CHECK_SECONDS < KUBELET_SECRET_SECONDS",
            "it costs the store next to nothing, and new keys are tried sooner than they come to the pod",
        ),
        Rule(
            "STORE_TRIES * (STORE_CONNECT_SECONDS + STORE_READ_SECONDS) < 2 * STORE_CHECK_SECONDS",
            "a try that has taken so long has no time-out of its own that would end it",
        ),
    ),
    "The gateway: figures of pools over time": (
        Rule(
            "3600 % POOL_SAMPLE_COARSE_SECONDS == 0 and POOL_SAMPLE_COARSE_SECONDS == 15 * POOL_SAMPLE_SECONDS"
            " and POOL_SAMPLE_SECONDS == 60",
            "steps begin with the minutes, quarters and hours of the clock, in every gateway alike",
        ),
        Rule(
            "POOL_SAMPLE_LOOK_SECONDS == HOUSEKEEPING_SECONDS and 20 * POOL_SAMPLE_LOOK_SECONDS < POOL_SAMPLE_SECONDS",
            "a sample is of the beginning of its minute",
        ),
        Rule(
            "POOL_SAMPLE_FINE_SECONDS == 86_400",
            "a day in minutes: what happened last night can be seen as it was",
        ),
        Rule(
            "POOL_SAMPLE_KEEP_SECONDS == 7 * POOL_SAMPLE_FINE_SECONDS"
            " and POOL_SAMPLE_FINE_SECONDS / POOL_SAMPLE_SECONDS"
            " + (POOL_SAMPLE_KEEP_SECONDS - POOL_SAMPLE_FINE_SECONDS) / POOL_SAMPLE_COARSE_SECONDS <= 2016",
            "a week shows the weekend before; 200 pools have no more than 403,200 rows",
        ),
        Rule(
            "2 * FRESH_STATUS_SECONDS + POOL_SAMPLE_SECONDS == POOL_STATUS_SILENT_SECONDS",
            "the status of a pool in which nothing happens is not taken for old, nor when it is written late once",
        ),
    ),
    "The gateway: its start": (
        Rule(
            "STORE_OPEN_RETRY_SECONDS == TASK_STORE_LISTEN_RETRY_SECONDS",
            "a database that starts beside the gateway is found as soon as one that restarts",
        ),
        Rule(
            "STORE_OPEN_RETRY_MOST_SECONDS == GATEWAY_READY_PERIOD_SECONDS",
            "whoever looks at the readiness sees the newest try",
        ),
    ),
    "The gateway: the intake, and full queues": (
        Rule(
            "POOLS_RELIST_SECONDS == INTAKE_LOOK_SECONDS < POOLS_FILES_SECONDS",
            "a pool that is new gets its tasks as soon as the gateway knows of it",
        ),
        Rule(
            "4 * INTAKE_IDLE_SECONDS == QUEUE_COUNT_SECONDS",
            "looking at what is overdue costs less than what it ends",
        ),
        Rule(
            "INTAKE_CONFIRM_SECONDS == PUBLISH_SECONDS",
            "the broker has as long as for any publish",
        ),
        Rule(
            "INTAKE_RETRY_SECONDS == EVENT_STORE_RETRY_SECONDS"
            " and INTAKE_RETRY_MOST_SECONDS == EVENT_STORE_RETRY_MOST_SECONDS",
            "the waits of the gateway for what is away are the same",
        ),
        Rule(
            "INTAKE_ASIDE_SECONDS == RETRY_STEPS[2]",
            "a pool that has room again has its tasks soon, and a long backlog does not go round all the time",
        ),
        Rule(
            "QUEUE_COUNT_SECONDS == INTAKE_LOOK_SECONDS",
            "a queue is over its limit for no longer than a second",
        ),
        Rule(
            "20 * QUEUE_COUNT_SECONDS < QUEUE_RATE_SECONDS < INTAKE_ASIDE_SECONDS",
            "the rate is of many tasks, and follows when pods come and go",
        ),
        Rule(
            "RETRY_AFTER_MOST_SECONDS == RETRY_STEPS[-1]",
            "nobody is sent away for longer than a task is put off",
        ),
    ),
    "The gateway: uploads": (
        Rule(
            "10 * WAIT_ANSWER_SECONDS < UPLOAD_LINK_SECONDS < IDEMPOTENCY_SECONDS / 24",
            "a slow line uploads its file, and a link that leaks is soon worth nothing",
        ),
        Rule(
            "UNUSED_INPUT_SECONDS == IDEMPOTENCY_SECONDS",
            "an upload waits for its task as long as a sender keeps on trying",
        ),
        Rule(
            "INPUT_STORE_SECONDS == ACCEPT_CONFIRM_SECONDS",
            "a sender waits for the bucket as long as for the broker",
        ),
        Rule(
            "UPLOAD_LOOK_SECONDS == CLAIM_CONNECT_SECONDS + CLAIM_READ_SECONDS",
            "one short try: a bucket that does not answer keeps no task from its queue",
        ),
        Rule(
            "4 * UPLOAD_LINK_SECONDS < FOLDER_STAGED_SECONDS <= IDEMPOTENCY_SECONDS",
            "a file that somebody still uploads is not taken for left over, and what is left over is soon gone",
        ),
    ),
}
