"""``genpool workflow``: check, new, apply."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from genpool_cli.commands.options import examples

app = typer.Typer(
    no_args_is_help=True, help="Workflows: check, make from an exported graph, put on a cluster."
)
Url = Annotated[str, typer.Option("--comfyui", envvar="GENPOOL_COMFYUI_URL", help="Address of a ComfyUI.")]
COMFYUI = "http://127.0.0.1:8188"


@app.command(epilog=examples("workflow check flux --comfyui http://127.0.0.1:8188"))
def check(
    what: Annotated[Path, typer.Argument(help="A folder, an exported graph, or a shipped workflow's name.")],
    comfyui: Url = COMFYUI,
) -> None:
    """Say what a ComfyUI lacks for a workflow: node classes, model files."""
    # Here and below: what reads a workflow is large, and the other commands should not wait for it.
    from genpool_cli.workflows import work  # noqa: PLC0415

    work.check(what, comfyui)


@app.command(epilog=examples("workflow new flux.json --to flux --comfyui http://127.0.0.1:8188"))
def new(
    file: Annotated[
        Path, typer.Argument(help="A graph, exported from ComfyUI with Export (API).", dir_okay=False)
    ],
    to: Annotated[Path, typer.Option("--to", help="Folder to make.", file_okay=False)],
    description: Annotated[str, typer.Option(help="One line for people.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Propose every input that has a value.")] = False,  # noqa: FBT002
    comfyui: Url = COMFYUI,
) -> None:
    """Make a workflow of an exported graph: parameters with types and bounds, as ComfyUI has them. Edit it then."""
    from genpool_cli.workflows import work  # noqa: PLC0415

    work.make(file, to, description, comfyui, every=every)


@app.command(epilog=examples("workflow apply flux --namespace art"))
def apply(
    folder: Annotated[Path, typer.Argument(help="A workflow's folder.", file_okay=False, exists=True)],
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="The pool's namespace.")],
    name: Annotated[
        str | None, typer.Option(help="Name of the ConfigMap; made of the folder's when absent.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the ConfigMap only.")] = False,  # noqa: FBT002
) -> None:
    """Put a workflow on a cluster, as a ConfigMap in a pool's namespace; print what the pool has to say."""
    from genpool_cli.workflows import work  # noqa: PLC0415

    work.put(folder, namespace, name, dry_run=dry_run)
