"""What ``genpool workflow`` does: check a workflow, make one of an exported graph, put one on a cluster."""

from __future__ import annotations

import json
import re
from pathlib import Path

import typer
import yaml

from genpool_adapters.kube.api import APPLY, KubeApi
from genpool_adapters.kube.login import load_configuration
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


def check(what: Path, comfyui: str) -> None:
    """Say what a ComfyUI lacks for a workflow.

    Raises
    ------
    NotSucceeded
        It lacks something.
    CliError
        There is no such workflow, or ComfyUI does not answer.
    """
    found, server = find(what), ComfyUI(comfyui)
    lacks = find_lacks(found.graph, known_classes(server.describe(class_types(found.graph))))
    for lack in lacks:
        typer.echo(f"missing: {lack}")
    if lacks:
        raise NotSucceeded(f"ComfyUI at {server.url} lacks {len(lacks)} thing(s) for {what}.")
    note(f"ComfyUI {server.version()} at {server.url} has all that {what} names.")


def make(file: Path, to: Path, description: str, comfyui: str, *, every: bool) -> None:
    """Make a workflow's folder of an exported graph. ``every``: propose every input that has a value.

    Raises
    ------
    CliError
        There is no such graph, the folder is not empty, or ComfyUI does not answer.
    """
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


def put(folder: Path, namespace: str, name: str | None, *, dry_run: bool) -> None:
    """Apply a workflow's folder as a ConfigMap, or print it; print what the pool has to say.

    Raises
    ------
    CliError
        It is no workflow, or the cluster does not take it.
    """
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
