"""The rules of the operator's times; see ``timing_rules``."""

from __future__ import annotations

from collections.abc import Mapping

from genpool_core.timing_rule import Rule

OPERATOR_RULES: Mapping[str, tuple[Rule, ...]] = {
    "The operator: looks at pools": (
        Rule(
            "TICK_SECONDS < RESYNC_RETRY_SECONDS < RESYNC_SECONDS", "small looks are frequent, full ones rare"
        ),
        Rule(
            "TICK_SECONDS <= PASSING_SECONDS < UNSETTLED_SECONDS < RESYNC_SECONDS",
            "what passes by itself is looked at again soonest, and in full no more often than by a tick",
        ),
        Rule("RECONCILE_RETRY_SECONDS < UNSETTLED_SECONDS", "a first failure is tried again soon"),
        Rule(
            "RESYNC_SECONDS <= RECONCILE_RETRY_MOST_SECONDS",
            "a pool that fails again and again is looked at in full no more often than others",
        ),
        Rule(
            "4 * (KUBE_CONNECT_SECONDS + KUBE_READ_SECONDS) < STUCK_SECONDS",
            "a full look with four slow answers is no reason for a restart",
        ),
        Rule(
            "TOPOLOGY_UNSETTLED_SECONDS < UNSETTLED_SECONDS",
            "the next look at an unsettled pool reads its topology anew",
        ),
        Rule(
            "RESYNC_SECONDS < TOPOLOGY_SECONDS",
            "one reading of a vhost's topology serves all its pools, and more than one round of full looks",
        ),
        Rule(
            "MANAGEMENT_WAIT_SECONDS < TOPOLOGY_UNSETTLED_SECONDS",
            "a pass that waited in vain has gone on before the next reading may begin",
        ),
        Rule(
            "TOPOLOGY_SECONDS + 8 * MANAGEMENT_READ_SECONDS < TOPOLOGY_EXPIRY_SECONDS",
            "what was read stands until eight slow answers are there",
        ),
        Rule(
            "TOPOLOGY_EXPIRY_SECONDS < 3 * TOPOLOGY_SECONDS",
            "nothing that was read three rounds ago is believed",
        ),
        Rule(
            "UNSCHEDULABLE_SECONDS <= START_MARGIN_SECONDS <= ROLLOUT_MARGIN_SECONDS",
            "that a pod finds no node is told before Kubernetes calls its rollout stuck",
        ),
        Rule(
            "ACCESS_SECONDS + RESYNC_SECONDS + KUBELET_SECRET_SECONDS <= ROTATION_SECONDS",
            "a new key has reached the pods when the documentation says that the old one may go",
        ),
        Rule(
            "RESYNC_SECONDS < SECRET_APPLY_SECONDS <= TOPOLOGY_SECONDS",
            "what did not change is not applied at each full look, and what was deleted is back as soon as a queue",
        ),
        Rule(
            "TICK_SECONDS < USER_DELETE_RETRY_SECONDS < RESYNC_SECONDS",
            "a broker that refuses is not asked at each tick, and is asked again before the next list",
        ),
        Rule(
            "2 * RESYNC_SECONDS < USER_OVERDUE_SECONDS",
            "pods whose end no watch told are known to have gone before their user counts as overdue",
        ),
        Rule(
            "10 * USER_OVERDUE_SECONDS <= USER_GIVE_UP_SECONDS",
            "a broker that is away for most of an hour keeps no user that nobody needs",
        ),
    ),
    "The operator: Kubernetes": (
        Rule("KUBE_CONNECT_SECONDS < KUBE_READ_SECONDS", "what is gone is found sooner than what is slow"),
        Rule(
            "3 * (KUBE_CONNECT_TRIES * KUBE_CONNECT_SECONDS + KUBE_READ_SECONDS) < TOMBSTONE_SECONDS",
            "a deletion is remembered longer than slow lists of pools, Deployments and pods take, each one page",
        ),
        Rule(
            "WATCH_SERVER_SECONDS + KUBE_READ_SECONDS <= WATCH_CLIENT_SECONDS",
            "the server ends a watch, and the operator only one whose end was lost",
        ),
        Rule(
            "KUBE_READ_SECONDS < WATCH_LIST_SECONDS", "kopf asks for all objects in one answer, we for pages"
        ),
        Rule(
            "list(WATCH_RETRY_STEPS) == sorted(WATCH_RETRY_STEPS)",
            "each wait is at least as long as the last",
        ),
        Rule("WATCH_RETRY_STEPS[-1] < RESYNC_SECONDS", "watches are back before the next list is due"),
        Rule(
            "KUBE_CONNECT_SECONDS + KUBE_READ_SECONDS <= RECONCILE_STOP_SECONDS < RESYNC_STOP_SECONDS",
            "a request in hand can end, and several of a list",
        ),
        Rule(
            "MANAGEMENT_CONNECT_SECONDS + MANAGEMENT_READ_SECONDS <= MONITOR_STOP_SECONDS",
            "a list of queues in hand can end",
        ),
    ),
    "The operator: depth of a queue": (
        Rule("LIST_SECONDS < STATISTICS_SECONDS", "every renewal of the statistics is seen"),
        Rule(
            "LIST_SECONDS + MANAGEMENT_CONNECT_SECONDS + LIST_RETRY_SECONDS < LIST_EXPIRY_SECONDS",
            "one list may find nobody to connect to before the depth is unknown",
        ),
        Rule(
            "STATISTICS_SECONDS + LIST_SECONDS <= LIST_LAG_SECONDS",
            "a list's figures are as old as its statistics and the time since it was made",
        ),
        Rule("LIST_LAG_SECONDS < IDLE_SECONDS", "the window of a scale-in is longer than the list lags"),
        Rule(
            "2 * HEARTBEAT_SECONDS < IDLE_SECONDS",
            "a task that a worker took is heard of within the window, though one heartbeat was lost",
        ),
        Rule("COUNT_SECONDS <= TICK_SECONDS", "each tick finds a depth that is newer than the last one's"),
        Rule(
            "2 * 1000 / COUNTS_PER_SECOND <= COUNT_EXPIRY_SECONDS",
            "with 1,000 pools in a vhost a round may take as long as the wait after it, and each depth is fresh",
        ),
        Rule(
            "COUNT_SECONDS + COUNT_TIMEOUT_SECONDS < COUNT_EXPIRY_SECONDS",
            "a queue without an answer makes the depth of no other queue of its vhost stale",
        ),
        Rule(
            "LIST_SECONDS + LIST_RETRY_SECONDS < BROKER_LOST_SECONDS",
            "one list that is refused at once changes no condition",
        ),
        Rule(
            "COUNT_CONNECT_SECONDS < BROKER_LOST_SECONDS",
            "a connection that is being made changes no condition",
        ),
    ),
    "The operator: status": (
        Rule(
            "BROKER_LOST_SECONDS < LIST_EXPIRY_SECONDS",
            "that the broker is lost is told before the depth is unknown",
        ),
        Rule(
            "TICK_SECONDS < WORK_STATUS_SECONDS < WORKER_WAITS_SECONDS < FIGURES_STATUS_SECONDS",
            "the more a change matters, the sooner it is written",
        ),
        Rule(
            "10 * FIGURES_STATUS_SECONDS <= FRESH_STATUS_SECONDS",
            "a pool in which nothing happens costs a tenth of the writes",
        ),
    ),
}
