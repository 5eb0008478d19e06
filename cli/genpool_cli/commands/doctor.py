"""``genpool doctor``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from genpool_cli.commands.options import Output, examples, reach_of
from genpool_cli.doctor.finding import Finding, run
from genpool_cli.doctor.gateway import check_gateway
from genpool_cli.errors import NotSucceeded
from genpool_cli.show.output import Format, as_json, table

app = typer.Typer()


@app.command(epilog=examples("doctor -f pool.yaml --comfyui http://127.0.0.1:8188"))
def doctor(
    context: typer.Context,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="A pool's file.")] = None,
    comfyui: Annotated[
        str | None, typer.Option(envvar="GENPOOL_COMFYUI_URL", help="Address of a ComfyUI.")
    ] = None,
    rabbitmq: Annotated[
        str | None,
        typer.Option(envvar="GENPOOL_RABBITMQ", help="amqp://USER:PASSWORD@HOST of an administrator."),
    ] = None,
    management_url: Annotated[str | None, typer.Option(help="Of that RabbitMQ's management API.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Look at gateway, pools and cluster, and at what else is named; say what is wrong and what to do."""
    # It looks at everything, so it needs every client that there is: the other commands should not wait for them.
    from genpool_cli.doctor.cluster import check_cluster  # noqa: PLC0415
    from genpool_cli.doctor.parts import check_comfyui, check_manifest, check_rabbitmq  # noqa: PLC0415

    reach = reach_of(context)
    found = run("gateway", lambda: check_gateway(reach))
    if not reach.url:
        found += run("cluster", check_cluster)
    if rabbitmq is not None:
        found += run("RabbitMQ", lambda: check_rabbitmq(rabbitmq, management_url))
    if comfyui is not None:
        found += run("ComfyUI", lambda: check_comfyui(comfyui))
    if file is not None:
        found += run("manifest", lambda: check_manifest(file, comfyui))
    _show(found, output)
    wrong = sum(each.state == "wrong" for each in found)
    if wrong:
        raise NotSucceeded(f"{wrong} of {len(found)} findings are wrong.")


def _show(found: list[Finding], output: Format) -> None:
    if output is Format.JSON:
        as_json([vars(each) for each in found])
    else:
        table(
            ("state", "what", "message"), ((each.state, each.what, each.message) for each in found), empty=""
        )
