"""The end of a demo, written for a person: the summary, and where to look."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from genpool_dev.cluster.model import NAMESPACE, ClusterInfo
from genpool_dev.cluster.settings import ProviderName
from genpool_dev.demo.figures import Figures, summary_rows
from genpool_dev.demo.keyfile import key_file
from genpool_dev.demo.plan import TEXT_SCRIPT
from genpool_dev.stack import layout
from genpool_dev.stack.kubectl import export_line

MAX_FAULTS = 12


def show_summary(console: Console, figures: Figures, faults: list[str]) -> None:
    """The figures as a table, and what is not as promised."""
    table = Table(title="Summary", title_justify="left", show_header=False, box=None, padding=(0, 2))
    for name, value in summary_rows(figures):
        table.add_row(name, value)
    console.print(table)
    for fault in faults[:MAX_FAULTS]:
        console.print(f"✗ {fault}", style="red", markup=False)
    if len(faults) > MAX_FAULTS:
        console.print(f"✗ and {len(faults) - MAX_FAULTS} more of this kind", style="red", markup=False)
    if not faults:
        console.print("✓ everything as promised", style="green", markup=False)


def where_to_look(info: ClusterInfo, pictures: Path, gateway: str, *, kept: bool) -> list[str]:
    """The lines about pictures, API, kubectl and RabbitMQ."""
    lines = [f"Pictures: {pictures if pictures.exists() else 'none'}"]
    if not kept:
        return [
            *lines,
            "The demo has taken its things away. To use the API and look around with kubectl: KEEP=1 make demo.",
        ]
    rabbitmq = info.rabbitmq
    secret = f"kubectl -n {NAMESPACE} get secret rabbitmq-admin -o jsonpath='{{.data.password}}' | base64 -d"
    place = f"RABBITMQ_HOST={rabbitmq.host} RABBITMQ_PORT={rabbitmq.port}"
    login = f"RABBITMQ_USER={rabbitmq.username} RABBITMQ_PASSWORD=$({secret})"
    return [
        *lines,
        f"API:      {gateway}/v1 (described at {gateway}/docs; key with the role admin: {key_file(info)})",
        f'          curl -H "Authorization: Bearer $(cat {key_file(info)})" {gateway}/v1/tasks',
        f"kubectl:  {export_line(info)}",
        f"          kubectl -n {layout.POOL_NAMESPACE} get gp",
        f"RabbitMQ: {rabbitmq.management_url} (user {rabbitmq.username}; password: {secret})",
        f"More:     export {place} {login}",
        f"          {sys.executable} {TEXT_SCRIPT} --count 8",
        f"It is left running: {end_command(info.provider)} ends it.",
    ]


def end_command(provider: ProviderName) -> str:
    """What ends a demo that is left running, whatever is up beside it."""
    return f"make demo-down PROVIDER={provider}"
