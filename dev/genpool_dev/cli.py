"""``python -m genpool_dev``: the commands behind the Makefile."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from genpool_core.errors import GenPoolError
from genpool_core.version import __version__
from genpool_dev.cluster.errors import ClusterError, explain
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


def _as_root_for_local() -> None:
    """Become root now where the cluster will be the local one, so that sudo asks once only."""
    from genpool_dev.cluster import api  # noqa: PLC0415 - `generate` needs none of it
    from genpool_dev.privilege import ensure_root  # noqa: PLC0415

    if api.chosen_provider() == "local":
        ensure_root()


@app.command("cluster-up")
def cluster_up() -> None:
    """Start the cluster with RabbitMQ and S3, or mend what is dead in it."""
    from genpool_dev.cluster import api, report  # noqa: PLC0415

    _as_root_for_local()
    report.show_up(api.ensure_up())


@app.command("cluster-down")
def cluster_down() -> None:
    """Stop the cluster and take away everything it made."""
    from genpool_dev.cluster import api  # noqa: PLC0415

    _as_root_for_local()
    api.down()


@app.command("cluster-status")
def cluster_status() -> None:
    """Say what runs, where, and how to reach it; exit code 1 where it does not work."""
    from genpool_dev.cluster import report  # noqa: PLC0415

    sys.exit(0 if report.show_status() else 1)


@app.command()
def demo() -> None:
    """Run the whole way of 24 tasks on a real Kubernetes; KEEP=1 leaves it running."""
    from genpool_dev.demo.run import main as run_demo  # noqa: PLC0415

    _as_root_for_local()
    sys.exit(run_demo(keep=os.environ.get("KEEP") == "1"))


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
    """End a demo that was left running."""
    from genpool_dev.demo.run import demo_down as end_demo  # noqa: PLC0415

    _as_root_for_local()
    sys.exit(end_demo())


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

    _as_root_for_local()
    sys.exit(run_tests())


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


@app.command()
def generate(
    *,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail where a file differs.")] = False,
) -> None:
    """Write the CRD, its copy in the chart, the references and the schemas."""
    from genpool_dev.generate import main as run_generate  # noqa: PLC0415

    sys.exit(run_generate(check=check))
