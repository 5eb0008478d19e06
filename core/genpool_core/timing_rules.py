"""How the times of ``genpool_core.timing`` must fit each other, and why.

Each rule is an inequality over names of that module, by the module's sections. A test evaluates every rule, and finds
for every time a change that breaks one: so a number that is changed alone is found, with the reason why it was so.
"""

from __future__ import annotations

from collections.abc import Mapping

from genpool_core.timing_rule import Rule
from genpool_core.timing_rules_callbacks import CALLBACK_RULES
from genpool_core.timing_rules_cli import CLI_RULES
from genpool_core.timing_rules_gateway import GATEWAY_RULES
from genpool_core.timing_rules_operator import OPERATOR_RULES
from genpool_core.timing_rules_refusals import REFUSAL_RULES
from genpool_core.timing_rules_wedged import WEDGED_RULES

__all__ = ["RULES", "Rule"]

RULES: Mapping[str, tuple[Rule, ...]] = {
    "Retries of tasks": (
        Rule("list(RETRY_STEPS) == sorted(set(RETRY_STEPS))", "each delay step is longer than the last"),
        Rule("PARK_SECONDS in RETRY_STEPS", "a parked message waits in a delay queue that exists"),
        Rule(
            "set(PUT_OFF_STEPS) <= set(RETRY_STEPS)",
            "a task that is put off waits in a delay queue that exists",
        ),
        Rule("list(PUT_OFF_STEPS) == sorted(PUT_OFF_STEPS)", "what lasts is looked at less and less often"),
        Rule(
            "23 * 3600 <= sum(PUT_OFF_STEPS) <= 25 * 3600",
            "a missing model that is put back within a day loses no task, and no task waits for ever",
        ),
        Rule(
            "3 * PARK_SECONDS <= LEASE_SECONDS",
            "looking again adds little to the wait for the lease of a worker that was lost",
        ),
        Rule(
            "RUN_SECONDS + FETCH_TOTAL_SECONDS + TRANSFER_SECONDS <= RETRY_MARGIN_SECONDS",
            "a retry may stand behind one run of the default length with slow inputs, and no duplicate overtakes it",
        ),
    ),
    "Claims": (
        Rule(
            "4 * (RENEW_SECONDS + CLAIM_CONNECT_SECONDS + CLAIM_READ_SECONDS) + STORE_CLOCK_SECONDS < LEASE_SECONDS",
            "three renewals without an answer may follow each other, and the fourth is in time",
        ),
        Rule(
            "10 * STORE_CLOCK_SECONDS < LEASE_SECONDS",
            "the store's whole seconds make little of a lease",
        ),
        Rule("CLAIM_CONNECT_SECONDS < CLAIM_READ_SECONDS", "what is gone is found sooner than what is slow"),
        Rule(
            "2 * (CLAIM_CONNECT_SECONDS + CLAIM_READ_SECONDS) + max(COMFYUI_TICK_SECONDS, DRAIN_TICK_SECONDS)"
            " < RELEASE_SECONDS",
            "a drain whose time is over is noticed, waits for a renewal that hangs, and can still release the claim",
        ),
        Rule(
            "LEASE_SECONDS < 2 * AMQP_HEARTBEAT_SECONDS",
            "when a node is lost, RabbitMQ gives its task out again only after the lease: nobody looks in vain",
        ),
        Rule("3 * AMQP_HEARTBEAT_SECONDS <= 2 * LEASE_SECONDS", "a lost node costs no more than two leases"),
        Rule(
            "(1 + 2 + 4 + 8) * LEDGER_RETRY_SECONDS + 2 * LEDGER_RETRY_MOST_SECONDS < PARK_SECONDS",
            "writers that meet at a record have settled it before a parked message of the task looks again",
        ),
    ),
    "The object store": (
        Rule("STORE_CONNECT_SECONDS < STORE_READ_SECONDS", "what is gone is found sooner than what is slow"),
        Rule("STORE_TRIES >= 2", "a request over a connection that the store has closed is made once more"),
        Rule(
            "STORE_CONNECT_SECONDS + STORE_READ_SECONDS < STORE_FRESH_SECONDS",
            "asking a slow store takes less time than passes between two questions",
        ),
        Rule(
            "LINK_SECONDS >= CALLBACK_GIVE_UP_SECONDS",
            "a callback's links are valid as long as it is tried",
        ),
        Rule(
            "2 * IDENTITY_LINK_SECONDS < IDENTITY_SESSION_SECONDS",
            "a session signs links for most of its life before it is renewed",
        ),
        Rule(
            "sum(RETRY_STEPS[:3]) < IDENTITY_LINK_SECONDS",
            "a link that a pod identity signed is valid through the first three retries of its callback",
        ),
        Rule(
            "IDENTITY_SESSION_SECONDS < LINK_SECONDS",
            "a pool without keys whose links have the default life is told that this is not kept",
        ),
    ),
    "RabbitMQ, by AMQP": (
        Rule("AMQP_SOCKET_SECONDS < AMQP_STACK_SECONDS", "the socket comes before TLS and login"),
        Rule(
            "(1 + 2 + 4) * AMQP_RETRY_SECONDS < BROKER_LOST_SECONDS",
            "three attempts to connect again are made before a condition of the pool changes",
        ),
        Rule(
            "AMQP_RETRY_MOST_SECONDS + AMQP_SOCKET_SECONDS < HEARTBEAT_EXPIRY_SECONDS",
            "once RabbitMQ is back, every worker is connected again within the time that one heartbeat counts",
        ),
        Rule(
            "EVENT_PUBLISH_SECONDS < PUBLISH_SECONDS < PUBLISH_PATIENT_SECONDS < AMQP_BLOCKED_SECONDS",
            "what may be dropped waits least, and a broker in alarm is told of before the connection is given up",
        ),
        Rule(
            "AMQP_HANDOVER_SECONDS < SHORTEST_GRACE_SECONDS - DRAIN_MARGIN_MIN_SECONDS",
            "a drain that cannot tell a stuck connection to stop deliveries still has its whole margin",
        ),
        Rule(
            "AMQP_STOP_SECONDS <= AMQP_HANDOVER_SECONDS",
            "closing waits no longer for a connection's thread than any other call",
        ),
        Rule(
            "FETCH_TOTAL_SECONDS + 2 * TRANSFER_SECONDS + AMQP_BLOCKED_SECONDS < CONSUMER_TIMEOUT_MARGIN_SECONDS",
            "RabbitMQ takes no delivery back while its worker is at it, unless an outage lasts for most of an hour",
        ),
    ),
    "RabbitMQ, by its management API": (
        Rule(
            "MANAGEMENT_CONNECT_SECONDS < MANAGEMENT_READ_SECONDS",
            "what is gone is found sooner than what is slow",
        ),
        Rule(
            "MANAGEMENT_CONNECT_SECONDS + MANAGEMENT_READ_SECONDS < LIST_EXPIRY_SECONDS",
            "a list that is answered at the last moment is still evidence",
        ),
        Rule(
            "MANAGEMENT_WAIT_SECONDS < MANAGEMENT_CONNECT_SECONDS",
            "no pass waits for a broker that cannot be connected to until its time-out",
        ),
        Rule(
            "3 * MANAGEMENT_WAIT_SECONDS < MANAGEMENT_READ_SECONDS",
            "a broker that hangs is waited for during less than a third of its time-out",
        ),
    ),
    "Inputs": (
        Rule(
            "FETCH_CONNECT_SECONDS < FETCH_READ_SECONDS < FETCH_TOTAL_SECONDS",
            "each limit is inside the next",
        ),
        Rule(
            "FETCH_TOTAL_SECONDS <= TRANSFER_SECONDS",
            "a slow host holds a worker no longer than a slow ComfyUI",
        ),
        Rule(
            "FETCH_READ_SECONDS < IMAGE_READ_SECONDS < FETCH_TOTAL_SECONDS",
            "reading a sane image never fails by time, and a hostile one costs less than a slow host",
        ),
    ),
    "ComfyUI": (
        Rule(
            "COMFYUI_ASIDE_SECONDS < COMFYUI_CONNECT_SECONDS",
            "what is only shown holds up an end for less than anything that matters",
        ),
        Rule(
            "COMFYUI_CONNECT_SECONDS < COMFYUI_QUICK_SECONDS < COMFYUI_ASK_SECONDS < COMFYUI_SEND_SECONDS",
            "the more an answer takes, the longer it is waited for",
        ),
        Rule(
            "3 * (COMFYUI_CONNECT_SECONDS + COMFYUI_SEND_SECONDS + COMFYUI_RETRY_SECONDS) <= TRANSFER_SECONDS",
            "an upload or a download without an answer is made at least three times",
        ),
        Rule(
            "PUT_OFF_STEPS[0] < WORKFLOW_TRIAL_SECONDS <= PUT_OFF_STEPS[1]",
            "not every task that comes back is tried, and one that comes back for the second time is",
        ),
        Rule(
            "CHECK_SECONDS < WORKFLOW_CHECK_SECONDS < PUT_OFF_STEPS[0]",
            "what was put into the models volume is known before the first task that waits for it comes back",
        ),
        Rule(
            "COMFYUI_TICK_SECONDS + 2 * CANCEL_TICK_SECONDS <= 1",
            "where ComfyUI heeds at once, a cancelled task has its end a second later",
        ),
        Rule(
            "COMFYUI_TICK_SECONDS <= COMFYUI_POLL_ALONE_SECONDS < COMFYUI_POLL_SECONDS",
            "without a websocket only the history tells of a prompt's end, so it is asked at every look",
        ),
        Rule(
            "COMFYUI_POLL_SECONDS < COMFYUI_PING_SECONDS",
            "an end that a dead websocket did not tell is seen before the websocket is found dead",
        ),
        Rule("2 * COMFYUI_PING_SECONDS < COMFYUI_SOCKET_DEAD_SECONDS", "one pong may be lost"),
        Rule(
            "COMFYUI_POLL_ALONE_SECONDS <= COMFYUI_SOCKET_RETRY_SECONDS",
            "a websocket that does not open is tried no more often than the history is asked",
        ),
        Rule(
            "COMFYUI_TICK_SECONDS <= PROGRESS_SECONDS < HEARTBEAT_SECONDS",
            "progress is told at every look, more often than a worker's state",
        ),
        Rule(
            "COMFYUI_TICK_SECONDS <= PREVIEW_SECONDS <= PROGRESS_SECONDS",
            "a watched task costs RabbitMQ at most two pictures a second",
        ),
        Rule(
            "COMFYUI_ASK_SECONDS <= PROBE_TIMEOUT_SECONDS <= PROBE_PERIOD_SECONDS",
            "a probe is as patient with a busy interpreter as the worker, and ends before the next one",
        ),
        Rule("PROBE_FAILURES >= 2", "one late answer restarts nothing"),
        Rule("PROBE_GRACE_SECONDS < PROBE_PERIOD_SECONDS", "a ComfyUI that hangs is gone one period later"),
        Rule(
            "PROBE_FAILURES * PROBE_PERIOD_SECONDS + PROBE_TIMEOUT_SECONDS + PROBE_GRACE_SECONDS < TRANSFER_SECONDS",
            "a ComfyUI that hangs is restarted by its probe, and found gone, before the attempt gives up",
        ),
        Rule("STARTUP_PERIOD_SECONDS < PROBE_PERIOD_SECONDS", "the worker starts soon after its ComfyUI"),
        Rule(
            "10 * PROBE_FAILURES * PROBE_PERIOD_SECONDS <= STARTUP_SECONDS",
            "importing its nodes may take ComfyUI many times longer than any answer",
        ),
    ),
    "A ComfyUI that is wedged": WEDGED_RULES,
    "Times in end records": (
        Rule(
            "OWN_CLOCK_SECONDS < COMFYUI_SEND_SECONDS < SENDER_CLOCK_SECONDS < 15 * 60",
            "clocks of one pod agree best; the time zone of ComfyUI's log is seen in steps of 15 minutes",
        ),
    ),
    "A worker between tasks": (
        Rule(
            "CLOSED_SECONDS < CHECK_SECONDS <= HEARTBEAT_SECONDS",
            "a worker that tasks may wait for looks most often, and any heartbeat tells of a look since the last",
        ),
        Rule("PARK_SECONDS < FAULT_SECONDS", "a fault of ours comes back less often than a parked message"),
        Rule(
            "OUTAGE_FIRST_SECONDS <= CLOSED_SECONDS",
            "after an outage of a moment a worker with a task goes on as soon as one without",
        ),
        Rule(
            "OUTAGE_FIRST_SECONDS < OUTAGE_LONGEST_SECONDS <= PUBLISH_SECONDS",
            "while RabbitMQ is away a worker that holds a task spends no more time waiting than trying",
        ),
        Rule(
            "EVENT_PUBLISH_SECONDS <= HEARTBEAT_SECONDS",
            "a heartbeat that is held up does not delay the one after it",
        ),
        Rule(
            "3 * HEARTBEAT_SECONDS + EVENT_PUBLISH_SECONDS < HEARTBEAT_EXPIRY_SECONDS",
            "two heartbeats may be lost, and the third late, before a worker counts as silent",
        ),
        Rule(
            "AMQP_BLOCKED_SECONDS + AMQP_RETRY_MOST_SECONDS < HEARTBEAT_FORGET_SECONDS",
            "since when a worker holds its task is still known after its broker was in alarm",
        ),
    ),
    "The end of a worker's pod": (
        Rule(
            "SIGNAL_LOOK_SECONDS == DRAIN_TICK_SECONDS",
            "that it must go is noticed by a program as soon as by a worker",
        ),
        Rule(
            "RELEASE_SECONDS + HEARTBEAT_STOP_SECONDS + 2 * (BROKER_STOP_SECONDS + BROKER_ABORT_SECONDS)"
            " + WEB_STOP_SECONDS < DRAIN_MARGIN_MIN_SECONDS",
            "the least margin holds every step of closing down, one after the other, and then the end of ComfyUI",
        ),
        Rule("IDLE_STOP_SECONDS < RELEASE_SECONDS", "a worker without a task has nothing to give back"),
        Rule(
            "FAILED_TICK_SECONDS <= IDLE_STOP_SECONDS",
            "a worker that cannot work goes as soon as an idle one",
        ),
        Rule(
            "DRAIN_MARGIN_MIN_SECONDS <= SHORTEST_GRACE_SECONDS / 2",
            "half of the shortest grace is the task's",
        ),
        Rule("DRAIN_MARGIN_MIN_SECONDS < DRAIN_MARGIN_MAX_SECONDS", "the margin grows with the grace"),
        Rule(
            "2 * (STORE_CONNECT_SECONDS + STORE_READ_SECONDS) < GRACE_MARGIN_SECONDS - DRAIN_MARGIN_MAX_SECONDS",
            "after the longest run a store that answers at the last moment can take a result and the end record",
        ),
        Rule(
            "FETCH_TOTAL_SECONDS + 2 * TRANSFER_SECONDS < MIN_GRACE_SECONDS - DRAIN_MARGIN_MAX_SECONDS",
            "a short run with slow inputs and slow results ends within the least grace",
        ),
    ),
    "Probes of GenPool's programs": (
        Rule(
            "WORKER_READY_TIMEOUT_SECONDS <= WORKER_READY_PERIOD_SECONDS < WORKER_LIVE_TIMEOUT_SECONDS"
            " < WORKER_LIVE_PERIOD_SECONDS",
            "a probe ends before the next one, and what restarts a worker is the most patient",
        ),
        Rule(
            "WORKER_START_PERIOD_SECONDS < WORKER_READY_PERIOD_SECONDS",
            "a worker that has started is ready without a wait for its probe",
        ),
        Rule(
            "WORKER_START_SECONDS >= 3 * WORKER_LIVE_FAILURES * WORKER_LIVE_PERIOD_SECONDS",
            "a start that others leave no processor for is not begun anew again and again",
        ),
        Rule(
            "WORKER_READY_FAILURES >= 2",
            "one late answer makes no pod unready, which Kubernetes would end first",
        ),
        Rule(
            "PROBE_FAILURES * PROBE_PERIOD_SECONDS + PROBE_TIMEOUT_SECONDS + PROBE_GRACE_SECONDS"
            " < WORKER_LIVE_FAILURES * WORKER_LIVE_PERIOD_SECONDS",
            "where both hang, ComfyUI is restarted first: the worker is there to tell of it",
        ),
        Rule(
            "DRAIN_MARGIN_MIN_SECONDS < WORKER_HUNG_GRACE_SECONDS <= SHORTEST_GRACE_SECONDS",
            "a worker that hangs has time to close down, and no more than the shortest grace",
        ),
        Rule(
            "CHART_START_PERIOD_SECONDS < CHART_TIMEOUT_SECONDS <= GATEWAY_READY_PERIOD_SECONDS"
            " <= OPERATOR_READY_PERIOD_SECONDS <= CHART_LIVE_PERIOD_SECONDS",
            "a program that started is used soon, and what restarts it is asked least often",
        ),
        Rule(
            "GATEWAY_START_FAILURES < OPERATOR_START_FAILURES"
            " <= CHART_LIVE_FAILURES * CHART_LIVE_PERIOD_SECONDS / CHART_START_PERIOD_SECONDS",
            "a program that does not start is restarted no later than one that hangs; the operator loads most code",
        ),
        Rule(
            "CHART_LIVE_FAILURES * CHART_LIVE_PERIOD_SECONDS <= STUCK_SECONDS",
            "restarting an operator that is stuck takes no longer than finding it so",
        ),
        Rule(
            "max(CHART_TIMEOUT_SECONDS, WORKER_LIVE_TIMEOUT_SECONDS) < WEB_READ_SECONDS",
            "a probe gives up before the server drops it",
        ),
    ),
    **OPERATOR_RULES,
    **REFUSAL_RULES,
    **CALLBACK_RULES,
    **GATEWAY_RULES,
    **CLI_RULES,
}
