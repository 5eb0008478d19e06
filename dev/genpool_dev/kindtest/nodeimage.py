"""The node image of kind, made of Debian's packages, Go modules and kind's own files (``dev/kind``)."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from genpool_dev.cluster import shell
from genpool_dev.cluster.artifacts import golang, hashing, rootfs
from genpool_dev.cluster.artifacts.catalog import CHECKOUT
from genpool_dev.cluster.artifacts.rootfs import RootFS
from genpool_dev.cluster.artifacts.workspace import workspace
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.cluster.settings import cache_home
from genpool_dev.kindtest.engine import Engine
from genpool_dev.progress import Steps

FILES = CHECKOUT / "dev" / "kind"
REPOSITORY = "genpool.dev/kind/node"
STORAGE = "genpool.dev/kind/storage:1"
"""What ``default-storage.yaml`` calls the image of provisioner and helper."""
SANDBOX = "registry.k8s.io/pause:3.10"
"""What the containerd of kind's files starts each pod with."""

NODE = RootFS(
    "bookworm",
    (
        "systemd", "dbus", "containerd", "runc", "containernetworking-plugins", "conntrack", "iptables", "nftables",
        "iproute2", "ethtool", "util-linux", "mount", "kmod", "libseccomp2", "pigz", "ca-certificates", "curl", "jq",
        "procps", "socat",
    ),
)  # fmt: skip
PROGRAMS = RootFS("bookworm", ("iptables", "nftables", "conntrack", "kmod"))
"""Below Kubernetes's own pods: kube-proxy runs these."""
_BINARIES = ("kube", "kubeadm", "kind", "kind-runc", "kind-coredns", "local-path-provisioner", "pause")


def name() -> str:
    """Return the image's name, with a key of all that it is made of as its tag."""
    parts = list(hashing.files_below(FILES.parent, [FILES.name]))
    parts += [(each, golang.binary_key(golang.BINARIES[each]).encode()) for each in _BINARIES]
    parts.append(("bases", repr((NODE, PROGRAMS)).encode()))
    return f"{REPOSITORY}:{hashing.key(parts)}"


def images_of(listed: Sequence[str]) -> dict[str, list[str]]:
    """Sort what ``kubeadm config images list`` names by the target of ``images.Dockerfile`` that it is. Pure."""
    found: dict[str, list[str]] = {"kube": [STORAGE], "coredns": [], "pause": []}
    for image in listed:
        program = image.rpartition(":")[0].rpartition("/")[2]
        found[program if program in found else "kube"].append(image)
    if SANDBOX not in found["pause"]:
        found["pause"].append(SANDBOX)
    return found


def ensure(engine: Engine, steps: Steps) -> str:
    """Return the name of the node image, built where the engine does not have it."""
    wanted = name()
    if shell.succeeds(engine.enter(["docker", "image", "inspect", wanted])):
        return wanted
    binaries = {each: golang.build(each, steps) for each in _BINARIES}
    with workspace() as folder, ExitStack() as exits:
        for target, base in (("node.tar", NODE), ("programs.tar", PROGRAMS)):
            made = exits.enter_context(rootfs.made(base, steps))
            made.rename(folder / target)
        for each, path in binaries.items():
            shutil.copy(path, folder / ("coredns" if each == "kind-coredns" else each))
        shutil.copytree(FILES, folder, dirs_exist_ok=True)
        _copy_kinds_files(folder / "files", steps)
        log = cache_home() / "logs" / "kind-node.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"")
        with steps.step("Node image of kind", "about 1 min"):
            _build(engine, wanted, folder, log)
    return wanted


def _build(engine: Engine, wanted: str, folder: Path, log: Path) -> None:
    listed = shell.run(
        [folder / "kubeadm", "config", "images", "list", "--kubernetes-version", golang.KUBERNETES]
    )
    names = images_of(listed.split())
    for target, each in names.items():
        tags = [word for tag in each for word in ("--tag", tag)]
        _docker(
            engine, log, "build", "--file", "images.Dockerfile", "--target", target, *tags, ".", folder=folder
        )
    everything = [tag for each in names.values() for tag in each]
    _docker(engine, log, "save", "--output", "images.tar", *everything, folder=folder)
    version = f"KUBERNETES={golang.KUBERNETES}"
    words = ("--file", "node.Dockerfile", "--build-arg", version, "--tag", wanted, ".")
    _docker(engine, log, "build", *words, folder=folder)
    _docker(engine, log, "rmi", *everything, folder=folder)
    # Two root file systems, and all images once more: some GiB that no later build would use.
    _docker(engine, log, "builder", "prune", "--force", folder=folder)
    for old in engine.run(
        "docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", REPOSITORY
    ).split():
        if old != wanted:
            _docker(engine, log, "rmi", old, folder=folder)


def _docker(engine: Engine, log: Path, *words: str, folder: Path) -> None:
    command = engine.enter(["docker", *words], folder)
    env = engine.environment({"DOCKER_BUILDKIT": "1", "BUILDKIT_PROGRESS": "plain"})
    shell.run_logged(command, log, env=env, what=f"docker {words[0]} for the node image of kind")


def _copy_kinds_files(target: Path, steps: Steps) -> None:
    """Copy the files of kind's own node image out of the module that kind is built from."""
    go = golang.toolchain(steps)
    env = os.environ | {"GOTOOLCHAIN": "local", "GOWORK": "off"}
    said = shell.run(
        [go, "mod", "download", "-json", "sigs.k8s.io/kind"], env=env, cwd=golang.GO_FOLDER / "tools"
    )
    files = Path(json.loads(said)["Dir"]) / "images" / "base" / "files"
    if not files.is_dir():
        raise ClusterError(f"The module of kind has no {files}: its node image is made otherwise now.")
    # Modes are given in the Dockerfile: the module cache is for reading only.
    shutil.copytree(files, target, copy_function=shutil.copyfile)
    for folder in (target, *(path for path in target.rglob("*") if path.is_dir())):
        folder.chmod(0o755)
