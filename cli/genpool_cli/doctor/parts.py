"""The parts that a pool needs: ComfyUI, RabbitMQ, the bucket, its own manifest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import requests

from genpool_cli.doctor.finding import Finding
from genpool_cli.doctor.storage import check_storage
from genpool_cli.errors import Away, CliError
from genpool_cli.local.wishes import Wanted, broker_of, read_pool
from genpool_cli.workflows.comfyui import ComfyUI, known_classes
from genpool_cli.workflows.files import graph_of
from genpool_core import timing
from genpool_core.topology.desired import parse_version
from genpool_core.workflow.lacks import class_types, find_lacks

_OLDEST = (3, 10, 0)
_UNAUTHORIZED = 401


def check_comfyui(url: str) -> Iterator[Finding]:
    """Whether a ComfyUI answers. Raises CliError."""
    yield Finding("ComfyUI", "ok", f"{ComfyUI(url).version()} answers at {url}")


def check_rabbitmq(url: str, management: str | None) -> Iterator[Finding]:
    """Whether the broker can be administrated, and is new enough. Raises CliError."""
    broker, user, password = broker_of(url, management, "/", Path("/"))
    with requests.Session() as session:
        session.trust_env = False
        session.auth = (user, password)
        who = _asked(session, broker.management_url, "whoami")
        overview = _asked(session, broker.management_url, "overview")
        vhosts = _asked(
            session, broker.management_url, f"permissions/{quote('/', safe='')}/{quote(user, safe='')}"
        )
    version = str(overview.get("rabbitmq_version", "0"))
    if parse_version(version) < _OLDEST:
        yield Finding("RabbitMQ", "wrong", f"It is version {version}: GenPool needs 3.10 or newer.")
    tags = who.get("tags", [])
    if "administrator" not in (tags if isinstance(tags, list) else str(tags).split(",")):
        text = f"User {user} has not the tag administrator: rabbitmqctl set_user_tags {user} administrator"
        yield Finding("RabbitMQ", "wrong", text)
    if not vhosts:
        yield Finding(
            "RabbitMQ", "warn", f"User {user} has no rights on vhost /: give it those of the pools' vhost."
        )
    yield Finding("RabbitMQ", "ok", f"{version} answers at {broker.management_url}")


def check_manifest(path: Path, comfyui: str | None) -> Iterator[Finding]:
    """Whether a pool's file can be served, its bucket used, and its workflows done. Raises CliError."""
    wanted = read_pool(path)
    names = ", ".join(each.name for each in wanted.pool.spec.workflows)
    yield Finding("manifest", "ok", f"{path} is a pool with the workflows {names}")
    yield from check_storage(wanted.pool.spec.storage)
    if comfyui is not None:
        yield from _lacks(wanted, ComfyUI(comfyui))


def _lacks(wanted: Wanted, comfyui: ComfyUI) -> Iterator[Finding]:
    for name, graph in graph_of(wanted.config).items():
        for lack in find_lacks(graph, known_classes(comfyui.describe(class_types(graph)))):
            yield Finding(
                f"workflow {name}", "wrong", f"ComfyUI lacks {lack}: install it, or choose another."
            )


def _asked(session: requests.Session, url: str, path: str) -> dict[str, object]:
    try:
        answer = session.get(
            f"{url}/api/{path}", timeout=(timing.CLI_CONNECT_SECONDS, timing.CLI_READ_SECONDS)
        )
        if answer.status_code == _UNAUTHORIZED:
            raise CliError(
                f"RabbitMQ at {url} refuses the user: check name and password.", reason="BrokerRefused"
            )
        found = answer.json() if answer.ok else {}
    except requests.RequestException as error:
        raise Away(
            f"RabbitMQ's management API at {url} does not answer ({type(error).__name__}): enable the plugin "
            "rabbitmq_management, or name its address by --management-url.",
            reason="BrokerUnreachable",
        ) from error
    except ValueError as error:
        raise CliError(f"What answers at {url} is no RabbitMQ.", reason="NoRabbitMQ") from error
    return found if isinstance(found, dict) else {}
