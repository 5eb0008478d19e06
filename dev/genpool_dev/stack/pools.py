"""Example pools on a cluster: their files with a plain replacement of texts, applied and taken away by kubectl."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from genpool_core.jsontypes import JsonObject
from genpool_dev.cluster.model import ClusterInfo
from genpool_dev.cluster.providers.gpus import GPU
from genpool_dev.stack.errors import StackError
from genpool_dev.stack.kubectl import Kubectl

EXAMPLES = Path("docs/examples")
#: What the example files name, as docs/examples/README.md lists it.
EXAMPLE_IMAGE = "genpool/comfyui-standin:dev"
EXAMPLE_HOST = "192.0.2.10"
EXAMPLE_PHOTOS_PORT = "8091"
EXAMPLE_RECEIVER_PORT = "8092"
EXAMPLE_S3 = "http://s3.genpool-dev.svc:9000"
EXAMPLE_COMMAND = "[python3, -m, genpool_dev.comfyui]"
EXAMPLE_GPU = f"        {GPU}: 1\n"


@dataclass(frozen=True)
class Pool:
    """A pool as its manifest says it."""

    name: str
    namespace: str
    queue: str
    prefix: str
    """Its folder in the bucket."""
    bucket: str
    intake: str | None = None
    """Queue from which the gateway brings it tasks."""


def replacements(info: ClusterInfo, photos_port: int, receiver_port: int) -> dict[str, str]:
    """The texts of the examples that differ on a cluster of ours, and what stands there instead.

    Where no node has a GPU, nothing asks for one: a pod that did would wait for ever.
    """
    return {
        **({} if info.gpus else {EXAMPLE_GPU: ""}),
        EXAMPLE_IMAGE: info.images["comfyui-standin"],
        EXAMPLE_HOST: info.host_address,
        EXAMPLE_PHOTOS_PORT: str(photos_port),
        EXAMPLE_RECEIVER_PORT: str(receiver_port),
        EXAMPLE_S3: info.s3.in_cluster_endpoint,
    }


def slowed(step_seconds: float, start_seconds: float, load_seconds: float = 0.0) -> dict[str, str]:
    """A replacement that gives the stand-in the times of a (fast) real ComfyUI."""
    options = {
        "--standin-step-seconds": step_seconds,
        "--standin-start-seconds": start_seconds,
        "--standin-load-seconds": load_seconds,
    }
    words = ", ".join(f"{name}={value:g}" for name, value in options.items())
    return {EXAMPLE_COMMAND: f"{EXAMPLE_COMMAND[:-1]}, {words}]"}


def replaced(text: str, texts: Mapping[str, str]) -> str:
    """The text of an example with the given texts replaced, in one pass, the longer ones first. Pure."""
    whole, marks = text, {}
    for number, old in enumerate(sorted(texts, key=len, reverse=True)):
        mark = f"\0{number}\0"
        marks[mark] = texts[old]
        whole = whole.replace(old, mark)
    for mark, new in marks.items():
        whole = whole.replace(mark, new)
    return whole


def read_pools(text: str) -> list[Pool]:
    """The pools of a manifest file."""
    return [pool_of(item) for item in yaml.safe_load_all(text) if item and item["kind"] == "GenerationPool"]


def apply_pool(kubectl: Kubectl, path: Path, texts: Mapping[str, str]) -> list[Pool]:
    """``kubectl apply`` of an example file with its texts replaced; returns the pools that it holds.

    Raises
    ------
    ClusterError
        The API server refused it; with what it said.
    """
    text = replaced(path.read_text(encoding="utf-8"), texts)
    kubectl.run("apply", "--filename=-", stdin=text)
    return read_pools(text)


def wait_ready(kubectl: Kubectl, pool: Pool, *, seconds: float = 60) -> None:
    """Wait until a pool says Ready: a task that is published now will be done.

    Raises
    ------
    StackError
        It did not; with its conditions.
    """
    words = (f"generationpool/{pool.name}", f"--namespace={pool.namespace}", "--for=condition=Ready")
    done = kubectl.attempt("wait", *words, f"--timeout={seconds:.0f}s", timeout=seconds + 15)
    if done.returncode != 0:
        raise StackError(
            f"Pool {pool.name} is not Ready: {done.stderr.strip()}\n{conditions(kubectl, pool)}\n"
            f"`kubectl -n {pool.namespace} describe gp {pool.name}` has more."
        )


def conditions(kubectl: Kubectl, pool: Pool) -> str:
    """What a pool says of itself, a line for each condition."""
    found = kubectl.find("generationpool", pool.name, f"--namespace={pool.namespace}")
    status = (found or {}).get("status") or {}
    lines = [
        f"  {item['type']}: {item['status']} ({item['reason']}) {item['message']}"
        for item in status.get("conditions", [])
    ]
    return (
        "\n".join(lines)
        or "  It has no conditions: the operator has not seen it. Look at the operator's log."
    )


def pool_of(manifest: JsonObject) -> Pool:
    """What a GenerationPool says; StackError for something else."""
    match manifest:
        case {
            "metadata": {"name": str(name), "namespace": str(namespace)},
            "spec": {"queue": {"name": str(queue), **more}, "storage": {"s3": {"bucket": str(bucket), **s3}}},
        }:
            intake = more.get("intake")
            prefix = str(s3.get("prefix", ""))
            return Pool(name, namespace, queue, prefix, bucket, intake if isinstance(intake, str) else None)
    raise StackError("The manifest has no name, namespace, queue or bucket: is it a GenerationPool?")
