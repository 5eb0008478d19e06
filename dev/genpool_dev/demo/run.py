"""``make demo``: the order of things. Each step is shown with its time; at the end all is taken away again.

Exit codes: 0 everything as promised; 1 not; 130 interrupted. Steps and table go to standard error, the summary and the
JSON line to standard output.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rich.console import Console

from genpool_dev.cluster import api
from genpool_dev.cluster.errors import ClusterError, explain
from genpool_dev.cluster.model import ClusterInfo
from genpool_dev.cluster.settings import ClusterRef
from genpool_dev.demo.diagnose import diagnosis
from genpool_dev.demo.figures import Figures, broken_promises, last_line
from genpool_dev.demo.keyfile import key_file
from genpool_dev.demo.measure import Evidence, api_faults, ledger_faults, measure
from genpool_dev.demo.pictures import Wanted, asking_user, fetch, give_to
from genpool_dev.demo.plan import api_tasks
from genpool_dev.demo.prepare import Servers, apply_examples, drop_old_messages, open_api, start_servers
from genpool_dev.demo.publish import Published, key_of, publish_all, send_all
from genpool_dev.demo.report import end_command, show_summary, where_to_look
from genpool_dev.demo.session import Session, leftover, take_away
from genpool_dev.demo.watch import watch
from genpool_dev.progress import Steps, seconds
from genpool_dev.stack import layout
from genpool_dev.stack.bucket import RunRecord
from genpool_dev.stack.errors import StackError
from genpool_dev.stack.install import ROOT, Stack, install
from genpool_dev.stack.servers.receiver import Delivery, read_record
from genpool_dev.stack.waiting import wait_for

CALLBACK_SECONDS = 30


@dataclass(frozen=True)
class Outcome:
    """How a demo ended."""

    info: ClusterInfo
    figures: Figures
    faults: list[str]
    pictures: Path
    gateway: str
    """URL of the API."""


def main(cluster: ClusterRef, *, keep: bool) -> int:
    """Run the demo on a cluster and return its exit code. ``keep``: leave everything running."""
    steps = Steps()
    try:
        outcome = _in_session(cluster, steps, keep=keep)
        if outcome is None:
            return 1
    except KeyboardInterrupt:
        steps.say("Interrupted. What the demo had started is taken away.")
        return 130
    except ClusterError as error:
        steps.say(explain(error))
        return 1
    for line in where_to_look(outcome.info, outcome.pictures, outcome.gateway, kept=keep):
        print(line)
    print(f"The whole demo took {seconds(steps.elapsed)}.")
    print(last_line(outcome.figures, outcome.gateway, str(key_file(outcome.info))), flush=True)
    return 1 if outcome.faults else 0


def demo_down(cluster: ClusterRef) -> int:
    """End the demo that was left running on a cluster and return the exit code."""
    steps = Steps()
    try:
        old = leftover(cluster)
        if old is None:
            steps.say("No demo was left running.")
            return 0
        gone = take_away(old, steps)
    except ClusterError as error:
        steps.say(explain(error))
        return 1
    if gone:
        steps.say("The demo is gone.")
    return 0


def _in_session(cluster: ClusterRef, steps: Steps, *, keep: bool) -> Outcome | None:
    """Run the demo and take it away again; None, and the reason told, where it could not be run to its end."""
    session = Session(cluster, steps)
    ended = False
    try:
        outcome = _demo(session, steps)
        ended = True
    except ClusterError as error:
        steps.say(explain(error))
        outcome, ended = None, True
    finally:
        # Interrupted, it is taken away even where it should have been kept.
        if not (keep and ended):
            session.end()
    if outcome is None and keep:
        steps.say(f"It is left running, so that you can look: {end_command(cluster.provider)} ends it.")
    return outcome


def _demo(session: Session, steps: Steps) -> Outcome:
    info = api.ensure_up(session.cluster, steps)
    steps.say(f"The cluster was ready after {seconds(steps.elapsed)}.")
    with steps.step("GenPool installed by its Helm chart", "about 10 s"):
        stack = install(info)
    try:
        return _work(stack, session, steps)
    except ClusterError:
        steps.say(diagnosis(stack))
        raise


def _work(stack: Stack, session: Session, steps: Steps) -> Outcome:
    stamp = datetime.now().astimezone().strftime("%Y-%m-%d_%H-%M-%S")
    with steps.step("a server of photos and a receiver of callbacks on this machine"):
        servers = start_servers(stack, session)
    with steps.step("three pools from docs/examples, kubectl apply until they are Ready"):
        drop_old_messages(stack, steps)
        pools = apply_examples(stack, servers, stamp, steps)
        gateway = open_api(stack, pools)
    with steps.step(
        "tasks sent: through the gateway's API, and by two producers that know only RabbitMQ"
    ) as step:
        published = [
            *send_all(api_tasks(layout.POOL_NAMESPACE, servers.receiver.url), gateway),
            *publish_all(ROOT, stack.info.rabbitmq, servers.photos.url, servers.receiver.url),
        ]
        step.result(f"{len(published)} tasks")
    tasks = Counter(task.pool for task in published)
    watched = watch(stack, gateway, tasks, pools, steps.console)
    runs = [run for pool in pools for run in stack.bucket.runs(pool.prefix)]
    pictures = ROOT / "results" / stamp
    with steps.step("pictures fetched and decoded"):
        wrong = fetch(stack.bucket, _wanted(published, runs), pictures)
        give_to(asking_user(os.environ), pictures)
    deliveries = _callbacks(servers, len(published))
    figures = measure(Evidence(published, runs, deliveries, watched.samples, watched.peak))
    given_up = [watched.fault] if watched.fault else []
    other_story = api_faults(published, gateway.tasks())
    faults = [*given_up, *broken_promises(figures), *ledger_faults(published, runs), *other_story, *wrong]
    if faults:
        steps.say(diagnosis(stack))
    show_summary(Console(file=sys.stdout, highlight=False), figures, faults)
    return Outcome(stack.info, figures, faults, pictures, gateway.url)


def _wanted(published: Sequence[Published], runs: Sequence[RunRecord]) -> list[Wanted]:
    """The good ends in the order in which their tasks were published."""
    ends = {key_of(run.end): run.end for run in runs if run.end and run.end.outcome == "succeeded"}
    return [Wanted(ends[task.key], task.size, task.label) for task in published if task.key in ends]


def _callbacks(servers: Servers, tasks: int) -> list[Delivery]:
    """The deliveries, once there is one for each task; what has come by then where some do not come in 30 s."""

    def all_there() -> list[Delivery] | None:
        seen = read_record(servers.record)
        return seen if len({delivery.webhook_id for delivery in seen}) >= tasks else None

    try:
        return wait_for(all_there, "a callback for each task", seconds=CALLBACK_SECONDS)
    except StackError:
        return read_record(servers.record)
