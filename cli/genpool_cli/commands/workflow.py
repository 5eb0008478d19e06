"""``genpool workflow``: check, new, apply."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated

import typer
import yaml

from genpool_adapters.kube.api import APPLY, KubeApi
from genpool_adapters.kube.login import load_configuration
from genpool_cli.commands.options import examples
from genpool_cli.errors import CliError, NotSucceeded
from genpool_cli.show.output import note
from genpool_cli.workflows.comfyui import ComfyUI, known_classes
from genpool_cli.workflows.files import find, read_graph
from genpool_cli.workflows.propose import propose
from genpool_core.canonical import digest
from genpool_core.errors import ClusterError, InvalidManifest
from genpool_core.jsontypes import JsonObject
from genpool_core.workflow.files import PARAMETERS, TEMPLATE
from genpool_core.workflow.lacks import class_types, find_lacks
from genpool_core.workflow.read import read_workflow

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
    found, server = find(what), ComfyUI(comfyui)
    lacks = find_lacks(found.graph, known_classes(server.describe(class_types(found.graph))))
    for lack in lacks:
        typer.echo(f"missing: {lack}")
    if lacks:
        raise NotSucceeded(f"ComfyUI at {server.url} lacks {len(lacks)} thing(s) for {what}.")
    note(f"ComfyUI {server.version()} at {server.url} has all that {what} names.")


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
    graph, server = read_graph(file), ComfyUI(comfyui)
    if to.exists() and any(to.iterdir()):
        raise CliError(f"{to} is not empty: name another folder by --to.", reason="NotEmpty")
    proposals = propose(graph, server.describe(class_types(graph)), every=every)
    body = {
        "description": description or f"Made of {file.name}.",
        "parameters": {each.name: each.as_yaml() for each in proposals},
    }
    text = yaml.safe_dump(body, allow_unicode=True, sort_keys=False, width=110)
    template = json.dumps(graph, ensure_ascii=False, indent=2) + "\n"
    try:
        read_workflow(to.name, template, text)
        to.mkdir(parents=True, exist_ok=True)
        (to / TEMPLATE).write_text(template, encoding="utf-8")
        (to / PARAMETERS).write_text(text, encoding="utf-8")
    except InvalidManifest as error:
        raise CliError(error.message, reason=error.reason) from error
    except OSError as error:
        raise CliError(f"{to} cannot be written: {error.strerror}.", reason="Unwritable") from error
    for each in proposals:
        typer.echo(f"{each.name}: {each.schema['type']}, input {each.input} of node {each.node}")
    note(f"Look over {to / PARAMETERS}, then: genpool workflow check {to}")


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
    found = find(folder)
    assert found.files is not None  # noqa: S101 - a folder has both
    called = name or config_map_name(folder.resolve().name)
    manifest: JsonObject = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": called, "namespace": namespace},
        "data": {TEMPLATE: found.files.template, PARAMETERS: found.files.parameters},
    }
    if dry_run:
        typer.echo(yaml.safe_dump(manifest, allow_unicode=True, sort_keys=False), nl=False)
        return
    try:
        api = KubeApi(load_configuration(), "genpool")
        path = f"/api/v1/namespaces/{namespace}/configmaps/{called}?fieldManager=genpool&force=true"
        api.request("PATCH", path, manifest, APPLY, f"ConfigMap {called}")
    except ClusterError as error:
        raise CliError(error.message, reason="NotApplied") from error
    note(f"ConfigMap {namespace}/{called} is applied. In the pool:")
    source = {"configMap": {"name": called, "key": TEMPLATE, "parametersKey": PARAMETERS}}
    typer.echo(
        yaml.safe_dump([{"name": folder.resolve().name, "source": source}], allow_unicode=True), nl=False
    )


def config_map_name(folder: str) -> str:
    """A name that Kubernetes takes, for any folder's. Pure."""
    slug = re.sub(r"[^a-z0-9]+", "-", folder.lower()).strip("-")[:40]
    plain = slug == folder
    return f"workflow-{slug}" if plain else f"workflow-{slug or 'x'}-{digest(folder.encode())[:8]}"
