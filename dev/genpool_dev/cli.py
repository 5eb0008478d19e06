"""``python -m genpool_dev``: the commands behind the Makefile."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from genpool_core.errors import GenPoolError
from genpool_core.version import __version__
from genpool_dev.cluster.errors import ClusterError, explain
from genpool_dev.cluster.settings import ClusterRef, ProviderName, load
from genpool_dev.interrupts import interruptible

app = typer.Typer(
    help="The local cluster, the demo and the tests of GenPool.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def main() -> None:
    """Run the command of the arguments; an error is a sentence and the exit code 1."""
    try:
        with interruptible():
            app()
    except ClusterError as error:
        print(f"genpool: {explain(error)}", file=sys.stderr)
        sys.exit(1)
    except GenPoolError as error:
        print(f"genpool: {error.message}", file=sys.stderr)
        sys.exit(1)


def _settled() -> ClusterRef:
    """Settle which cluster this command works on, before anything is built or asked for.

    Where it is the local one this becomes root now, so that sudo asks once only; the choice goes along.
    """
    from genpool_dev.cluster import api  # noqa: PLC0415 - `generate` needs none of it
    from genpool_dev.progress import Steps  # noqa: PLC0415

    return _as_root_for_local(api.settle(Steps()))


def _as_root_for_local(ref: ClusterRef) -> ClusterRef:
    from genpool_dev.privilege import ensure_root  # noqa: PLC0415

    os.environ["PROVIDER"] = ref.provider
    if ref.provider == "local":
        ensure_root()
    return ref


def _named_or_only(found: Sequence[ProviderName], command: str) -> ClusterRef | None:
    """Return the cluster that PROVIDER names, else the only one of ``found``; what is taken away is never guessed."""
    from genpool_dev.cluster import api  # noqa: PLC0415
    from genpool_dev.cluster.providers import choose  # noqa: PLC0415

    named = load().provider or choose.only(found, command)
    return None if named is None else api.ref_of(named)


@app.command("cluster-up")
def cluster_up() -> None:
    """Start the cluster with RabbitMQ and S3, or mend what is dead in it."""
    from genpool_dev.cluster import api, report  # noqa: PLC0415
    from genpool_dev.demo.session import adopt  # noqa: PLC0415

    ref = _settled()
    info = api.ensure_up(ref)
    adopt(ref)
    report.show_up(info)


@app.command("cluster-down")
def cluster_down() -> None:
    """Stop the cluster and take away everything it made; PROVIDER says which one where there are several."""
    from genpool_dev.cluster import api  # noqa: PLC0415
    from genpool_dev.demo.session import cluster_down as take_down  # noqa: PLC0415
    from genpool_dev.progress import Steps  # noqa: PLC0415

    # A run that was killed left no word of it: the local cluster then looks for what there is.
    ref = _named_or_only(api.made(), "cluster-down") or api.ref_of("local")
    take_down(_as_root_for_local(ref), Steps())


@app.command("cluster-status")
def cluster_status() -> None:
    """Say what runs, where, and how to reach it; exit code 1 where it does not work."""
    from genpool_dev.cluster import report  # noqa: PLC0415

    sys.exit(0 if report.show_status() else 1)


@app.command()
def demo() -> None:
    """Run the whole way of 24 tasks on a real Kubernetes; KEEP=1 leaves it running."""
    from genpool_dev.demo.run import main as run_demo  # noqa: PLC0415

    sys.exit(run_demo(_settled(), keep=os.environ.get("KEEP") == "1"))


@app.command("try")
def try_() -> None:
    """Run GenPool on this machine with ComfyUI's stand-in, and say where its page is."""
    from genpool_dev import trying  # noqa: PLC0415

    trying.start()


@app.command("try-down")
def try_down() -> None:
    """End it, and take its data away."""
    from genpool_dev import trying  # noqa: PLC0415

    trying.end()


@app.command("demo-down")
def demo_down() -> None:
    """End a demo that was left running; PROVIDER says which one where there are several."""
    from genpool_dev.cluster import api  # noqa: PLC0415
    from genpool_dev.demo import state  # noqa: PLC0415
    from genpool_dev.demo.run import demo_down as end_demo  # noqa: PLC0415

    # Of the local cluster only root sees the demo: it is looked for where this user has none.
    ref = _named_or_only(state.left(api.refs()), "demo-down") or api.ref_of("local")
    sys.exit(end_demo(_as_root_for_local(ref)))


@app.command()
def images() -> None:
    """Build GenPool's images and push them to REGISTRY; TAG and INSECURE=1 are optional."""
    from genpool_dev.images import Target, publish  # noqa: PLC0415

    registry, tag = os.environ.get("REGISTRY", ""), os.environ.get("TAG") or __version__
    publish(Target(registry, tag, insecure=os.environ.get("INSECURE") == "1"))


@app.command()
def quick() -> None:
    """Run lint, types, import contracts and the check of generated files, each with its time."""
    from genpool_dev.testrun import quick as run_quick  # noqa: PLC0415

    sys.exit(run_quick())


@app.command("test")
def test() -> None:
    """Run unit, contract, integration and e2e tests, on real parts."""
    from genpool_dev.testrun import tests as run_tests  # noqa: PLC0415

    sys.exit(run_tests(_settled()))


@app.command("test-brokers")
def on_brokers(
    releases: Annotated[list[str] | None, typer.Argument(help="Such as 4.0; all by default.")] = None,
) -> None:
    """Run what depends on RabbitMQ's version, on a real server of each that is supported."""
    from genpool_dev import brokertests, rabbitmq  # noqa: PLC0415
    from genpool_dev.privilege import ensure_root  # noqa: PLC0415

    ensure_root()
    sys.exit(brokertests.run(releases or list(rabbitmq.RELEASES)))


@app.command("test-kind")
def on_kind(
    parts: Annotated[list[str] | None, typer.Argument(help="Such as demo or e2e; all by default.")] = None,
) -> None:
    """Run the demo and the e2e tests on a real kind, in a Docker engine of its own that is taken away again."""
    from genpool_dev.kindtest import run as running  # noqa: PLC0415
    from genpool_dev.privilege import ensure_root  # noqa: PLC0415

    ensure_root()
    sys.exit(running.run(parts or []))


@app.command("test-current")
def on_current(
    parts: Annotated[list[str] | None, typer.Argument(help="Such as demo or e2e; all by default.")] = None,
) -> None:
    """Run demo and e2e tests on a cluster that somebody else has, and look that it is the same afterwards."""
    import tempfile  # noqa: PLC0415

    from genpool_dev.currenttest import parts as running  # noqa: PLC0415
    from genpool_dev.privilege import ensure_root  # noqa: PLC0415

    ensure_root()
    with tempfile.TemporaryDirectory(prefix="genpool-person-") as home:
        sys.exit(running.run(parts or [], Path(home)))


@app.command()
def generate(
    *,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail where a file differs.")] = False,
) -> None:
    """Write the CRD, its copy in the chart, the references and the schemas."""
    from genpool_dev.generate import main as run_generate  # noqa: PLC0415

    sys.exit(run_generate(check=check))
