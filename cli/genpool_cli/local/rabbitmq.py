"""A private RabbitMQ: the distribution's package, unpacked below the person's cache, on loopback addresses alone.

Nothing is installed: no service, no user, no root. It needs ``apt-get`` and ``dpkg-deb``, as Debian and Ubuntu have
them; elsewhere a RabbitMQ is given by its URL.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from genpool_cli.errors import CliError
from genpool_cli.local.folder import write
from genpool_cli.local.ports import HOST
from genpool_cli.local.supervision import Program
from genpool_core import timing

_PACKAGE = "rabbitmq-server"
_INSTEAD = "Give one by --rabbitmq amqp://USER:PASSWORD@HOST (its management API must answer)."


@dataclass(frozen=True)
class Ports:
    """Of a private RabbitMQ."""

    amqp: int
    management: int
    mapper: int
    distribution: int


@dataclass(frozen=True)
class Login:
    """Its administrator."""

    password: str = field(repr=False)
    user: str = "genpool-admin"


def unpacked() -> Path:
    """The root below which the programs lie; fetched the first time (34 MB).

    Raises
    ------
    CliError
        This is no Debian or Ubuntu, or the packages cannot be had.
    """
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise CliError(
                f"This machine has no {tool}, so no RabbitMQ can be unpacked. {_INSTEAD}", reason="NoRabbitMQ"
            )
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "genpool" / "rabbitmq"
    cache.mkdir(parents=True, exist_ok=True)
    with _locked(cache / "lock"):
        known = _Known(cache / "known.json", _packages_state())
        if (target := known.target()) is not None:
            return target
        wanted = _wanted()
        target = cache / hashlib.sha256("\n".join(wanted).encode()).hexdigest()[:16]
        if not target.exists():
            _unpack(wanted, target)
        known.remember(target)
    return target


@dataclass(frozen=True)
class _Known:
    """What was unpacked for the packages that this machine has: asking ``apt-get`` again takes a second."""

    path: Path
    state: str

    def target(self) -> Path | None:
        try:
            known = json.loads(self.path.read_text(encoding="utf-8"))
            target = Path(known["target"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return target if known.get("state") == self.state and target.exists() else None

    def remember(self, target: Path) -> None:
        write(self.path, json.dumps({"state": self.state, "target": str(target)}))


def _packages_state() -> str:
    """Another one whenever packages were installed or removed, or apt-get learnt of newer ones."""
    paths = (Path("/var/lib/dpkg/status"), Path("/var/lib/apt/lists"))
    return " ".join(str(path.stat().st_mtime_ns) if path.exists() else "none" for path in paths)


def _wanted() -> list[str]:
    """Names and versions of the package and of what it needs that this machine lacks.

    An installed RabbitMQ is none of ours: it is unpacked again, so that its service is left alone.
    """
    words = [
        "apt-get",
        "install",
        "--print-uris",
        "--reinstall",
        "--no-install-recommends",
        "-qq",
        "-y",
        _PACKAGE,
    ]
    lines = _run(words).splitlines()
    names = [word.split("_")[0] for line in lines if (word := _second(line)).endswith(".deb")]
    if not any(name == _PACKAGE for name in names):
        raise CliError(f"apt-get knows no {_PACKAGE}: run apt-get update. {_INSTEAD}", reason="NoRabbitMQ")
    erlang = [] if any(name == "erlang-base" for name in names) else _installed_erlang()
    return sorted({*names, *erlang})


def _installed_erlang() -> list[str]:
    """Erlang's packages that are installed: the server is unpacked with all of its own."""
    done = _run(["dpkg-query", "--show", "--showformat=${Package}\\n", "erlang-*"])
    return [name for name in done.splitlines() if name]


def _second(line: str) -> str:
    parts = line.split()
    return parts[1] if len(parts) > 1 else ""


def _unpack(names: list[str], target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        packages, root = Path(name) / "packages", Path(name) / "root"
        packages.mkdir()
        _run(["apt-get", "download", "-qq", *names], folder=packages)
        for package in sorted(packages.glob("*.deb")):
            _run(["dpkg-deb", "--extract", str(package), str(root)])
        _move_erlang(root, target)
        root.rename(target)


def _move_erlang(root: Path, target: Path) -> None:
    """Tell Erlang's start script where it will lie, as its own installer does."""
    script = root / "usr" / "lib" / "erlang" / "bin" / "erl"
    text = script.read_text(encoding="utf-8")
    script.write_text(
        text.replace("ROOTDIR=/usr/lib/erlang", f"ROOTDIR={target}/usr/lib/erlang"), encoding="utf-8"
    )


def programs(root: Path, data: Path, ports: Ports, login: Login) -> list[Program]:
    """Erlang's port mapper and the server, with their files written. The queues lie in ``data``."""
    write(data / "rabbitmq.conf", configuration(ports, login))
    write(data / "enabled_plugins", "[rabbitmq_management].\n")
    environment = _environment(root, data, ports)
    mapper = (f"{root}/usr/lib/erlang/bin/epmd", "-port", str(ports.mapper), "-address", HOST)
    return [
        Program("epmd", mapper, environment),
        Program(
            "rabbitmq",
            (f"{root}/usr/lib/rabbitmq/bin/rabbitmq-server",),
            environment,
            ready=f"http://{HOST}:{ports.management}/",
            stop_seconds=timing.LOCAL_STOP_SECONDS,
        ),
    ]


def configuration(ports: Ports, login: Login) -> str:
    """``rabbitmq.conf``. Pure."""
    return f"""listeners.tcp.local = {HOST}:{ports.amqp}
management.tcp.ip = {HOST}
management.tcp.port = {ports.management}
default_user = {login.user}
default_pass = {login.password}
log.console = true
log.file = false
disk_free_limit.absolute = 200MB
"""


def _environment(root: Path, data: Path, ports: Ports) -> dict[str, str]:
    return {
        "PATH": f"{root}/usr/lib/erlang/bin:{os.environ.get('PATH', '')}",
        "HOME": str(data),
        "LANG": "C.UTF-8",
        "LD_LIBRARY_PATH": ":".join(str(path) for path in sorted(root.glob("usr/lib/*-linux-gnu"))),
        "RABBITMQ_NODENAME": "genpool@localhost",
        "RABBITMQ_CONFIG_FILE": str(data / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(data / "enabled_plugins"),
        "RABBITMQ_CONF_ENV_FILE": os.devnull,
        "RABBITMQ_MNESIA_BASE": str(data / "queues"),
        "RABBITMQ_LOG_BASE": str(data / "logs"),
        "RABBITMQ_DIST_PORT": str(ports.distribution),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "ERL_CRASH_DUMP_SECONDS": "0",
        "ERL_EPMD_PORT": str(ports.mapper),
        "ERL_EPMD_ADDRESS": HOST,
    }


def _run(words: list[str], folder: Path | None = None) -> str:
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise CliError(f"`{' '.join(words[:3])} …` failed: {said} {_INSTEAD}", reason="NoRabbitMQ")
    return done.stdout


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Two that start at the same time unpack once."""
    with path.open("w", encoding="ascii") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
