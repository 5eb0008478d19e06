"""``genpool local up``: files and programs of a pool on this machine, started and waited for."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
import yaml

from genpool_cli.client.gateway import Gateway
from genpool_cli.client.way import direct
from genpool_cli.errors import CliError
from genpool_cli.local import rabbitmq
from genpool_cli.local.folder import Folder, Run, pools_file, topology_state, write
from genpool_cli.local.keys import BROKER, broker_password, operator_key, write_secrets
from genpool_cli.local.ports import HOST, kept_ports
from genpool_cli.local.program_file import read_programs, write_programs
from genpool_cli.local.readiness import wait_ready, wait_told
from genpool_cli.local.supervision import WORKER, Probe, Program
from genpool_cli.local.wishes import Wanted, broker_of, command_of, read_pool, storage_keys
from genpool_core import names, timing
from genpool_core.api.pods import ProbeSpec
from genpool_core.api.storage import StorageSpec
from genpool_core.brokers import BrokerConfig
from genpool_core.workerconfig import grace_seconds

_TOPOLOGY = "topology"


@dataclass(frozen=True)
class Options:
    """Of the command."""

    manifest: Path
    comfyui: str
    comfyui_command: str | None = None
    rabbitmq: str | None = None
    management: str | None = None
    port: int = 8000


def up(folder: Folder, options: Options, say: Callable[[str], None]) -> Run:
    """Start everything; returns when it serves.

    Raises
    ------
    CliError
        Something is wrong with what was asked for, it runs already, or a program does not serve: its log is shown.
    """
    run = folder.run()
    if run is not None and run.alive:
        raise CliError(
            f"GenPool runs already, at {run.url}, for {run.pool}. To serve another pool instead: genpool local down, "
            "and this again. To serve it too, by another ComfyUI: a --folder, --port and --comfyui of its own.",
            reason="Running",
        )
    wanted = read_pool(options.manifest)
    folder.make()
    ports = kept_ports(folder, options.port)
    programs = _programs(folder, options, wanted, ports, say)
    topology_state(folder).unlink(missing_ok=True)
    write_programs(folder, programs)
    supervisor = _start(folder)
    url = f"http://{HOST}:{ports['api']}"
    run = Run(
        supervisor.pid,
        supervisor.create_time(),
        url,
        f"{wanted.pool.metadata.namespace}/{wanted.pool.metadata.name}",
        options.comfyui,
        "private" if options.rabbitmq is None else "given",
    )
    folder.write_run(run)
    try:
        wait_ready(folder, programs, run)
        wait_told(Gateway(direct(url, first_key(folder).read_text(encoding="utf-8").strip())), run.pool)
    except BaseException:
        down(folder)
        raise
    return run


def down(folder: Folder) -> bool:
    """End everything; whether anything ran. The data stay. Raises CliError where it does not end."""
    run = folder.run()
    if run is None or not run.alive:
        folder.write_run(None)
        return False
    psutil.Process(run.pid).terminate()
    allowed = sum(program.stop_seconds for program in read_programs(folder)) + timing.LOCAL_STOP_SECONDS
    deadline = time.monotonic() + allowed
    # Not psutil's wait: a container whose first process buries no orphans keeps the dead one in its table for ever.
    while run.alive:
        if time.monotonic() > deadline:
            raise CliError(f"Process {run.pid} does not end: see {folder.logs}/genpool.log.", reason="Stuck")
        time.sleep(timing.LOCAL_LOOK_SECONDS / 5)
    folder.write_run(None)
    return True


def _programs(
    folder: Folder, options: Options, wanted: Wanted, ports: Mapping[str, int], say: Callable[[str], None]
) -> list[Program]:
    pool = wanted.pool
    credentials = folder.secrets / "broker"
    programs: list[Program] = []
    url, management = options.rabbitmq, options.management
    if url is None:
        login = rabbitmq.Login(broker_password(folder))
        own = rabbitmq.Ports(*(ports[name] for name in ("amqp", "management", "mapper", "distribution")))
        say("RabbitMQ: a private one (its package is fetched the first time, 34 MB)")
        programs += rabbitmq.programs(rabbitmq.unpacked(), folder.data / "rabbitmq", own, login)
        url = f"amqp://{login.user}:{login.password}@{HOST}:{own.amqp}"
        management = f"http://{HOST}:{own.management}"
    broker, user, password = broker_of(url, management, pool.spec.broker.vhost, credentials)
    write(credentials / "username", user)
    write(credentials / "password", password)
    keys = {} if pool.spec.storage.s3 is None else storage_keys()
    write_secrets(folder, operator_key(folder), pool.metadata.uid, keys)
    _write_files(folder, wanted, broker)
    if options.comfyui_command is not None:
        port = int(options.comfyui.rpartition(":")[2])
        programs.append(
            Program(
                "comfyui",
                command_of(options.comfyui_command, port),
                ready=f"{options.comfyui}/system_stats",
                restart_file=str(folder.work / "restart-comfyui"),
                probe=_probe(pool.spec.comfyui.probe, options.comfyui),
            )
        )
    module = [sys.executable, "-m"]
    programs += [
        Program(
            _TOPOLOGY,
            (*module, "genpool_cli.local.topology", str(folder.root)),
            state_file=str(topology_state(folder)),
        ),
        Program(
            "gateway",
            (*module, "genpool_gateway.app"),
            _gateway(folder, pool.spec.storage, ports),
            ready=f"http://{HOST}:{ports['gateway']}/readyz",
            needs=_TOPOLOGY,
        ),
        Program(
            WORKER,
            (*module, "genpool_worker.app"),
            _worker(folder, options, broker, pool.spec.broker.vhost, ports),
            ready=f"http://{HOST}:{ports['worker']}/readyz",
            needs=_TOPOLOGY,
            stop_seconds=grace_seconds(pool),
        ),
    ]
    return programs


def _probe(wanted: ProbeSpec, comfyui: str) -> Probe:
    """As the pool says for a cluster: how long ComfyUI may take to start, and may be silent."""
    return Probe(
        f"{comfyui}/system_stats",
        wanted.startup_seconds,
        wanted.period_seconds,
        wanted.timeout_seconds,
        wanted.failure_threshold,
    )


def _write_files(folder: Folder, wanted: Wanted, broker: BrokerConfig) -> None:
    pool = wanted.pool
    # A private RabbitMQ is the broker whatever the pool calls it.
    named = broker.model_copy(update={"name": BROKER})
    brokers = {"brokers": [named.model_dump(by_alias=True, exclude_defaults=True)]}
    write(folder.work / "brokers.yaml", yaml.safe_dump(brokers))
    write(pools_file(folder), wanted.manifests)
    for name, text in wanted.config.items():
        write(folder.work / "config" / name, text)
    if pool.spec.storage.folder is not None:
        _make(Path(pool.spec.storage.folder.path))
    write(folder.work / "stores.yaml", yaml.safe_dump({"stores": _buckets(folder, pool.spec.storage)}))


def _make(path: Path) -> None:
    """Make the folder of results, but not what it is in: a disk that is not mounted is no place for results."""
    try:
        path.mkdir(mode=0o750, exist_ok=True)
    except OSError as error:
        raise CliError(
            f"storage.folder.path {path} cannot be made ({error.strerror}): make it, mount its disk, or name another.",
            reason="Unwritable",
        ) from error


def _buckets(folder: Folder, storage: StorageSpec) -> list[dict[str, str]]:
    """The buckets that the gateway may use."""
    s3 = storage.s3
    if s3 is None:
        return []
    store = {
        "endpoint": s3.endpoint,
        "publicEndpoint": s3.public_endpoint,
        "bucket": s3.bucket,
        "region": s3.region,
        "credentialsPath": str(folder.secrets / "storage"),
    }
    return [{key: value for key, value in store.items() if value is not None}]


def _gateway(folder: Folder, storage: StorageSpec, ports: Mapping[str, int]) -> dict[str, str]:
    return {
        "GENPOOL_FOLDERS": "" if storage.folder is None else storage.folder.path,
        "GENPOOL_BROKERS_FILE": str(folder.work / "brokers.yaml"),
        "GENPOOL_GATEWAY_SECRET_DIR": str(folder.secrets / "gateway"),
        "GENPOOL_POOLS_FILE": str(folder.work / "pools"),
        "GENPOOL_STORES_FILE": str(folder.work / "stores.yaml"),
        "GENPOOL_DATABASE_URL": f"sqlite:///{folder.data / 'tasks.db'}",
        "GENPOOL_API_HOST": HOST,
        "GENPOOL_API_PORT": str(ports["api"]),
        "GENPOOL_HTTP_HOST": HOST,
        "GENPOOL_HTTP_PORT": str(ports["gateway"]),
        "GENPOOL_PUBLIC_URL": f"http://{HOST}:{ports['api']}",
    }


def _worker(
    folder: Folder, options: Options, broker: BrokerConfig, vhost: str, ports: Mapping[str, int]
) -> dict[str, str]:
    return {
        "GENPOOL_CONFIG_DIR": str(folder.work / "config"),
        "GENPOOL_POD_NAME": socket.gethostname().lower() or "local",
        "GENPOOL_BROKER_HOST": broker.host,
        "GENPOOL_BROKER_PORT": str(broker.port),
        "GENPOOL_BROKER_TLS": str(broker.tls).lower(),
        "GENPOOL_BROKER_VHOST": vhost,
        "GENPOOL_BROKER_CREDENTIALS_DIR": str(folder.secrets / "worker"),
        "GENPOOL_S3_CREDENTIALS_DIR": str(folder.secrets / "storage"),
        "GENPOOL_COMFYUI_URL": options.comfyui,
        # Of the worker's own: ComfyUI's folders are the person's, and nothing in them is taken away.
        "GENPOOL_SCRATCH_DIR": str(folder.work / "scratch"),
        "GENPOOL_RESTART_FILE": str(folder.work / "restart-comfyui"),
        "GENPOOL_IMAGE_DIGEST_FILE": str(folder.work / "image-digest"),
        "GENPOOL_HTTP_HOST": HOST,
        "GENPOOL_HTTP_PORT": str(ports["worker"]),
    }


def _start(folder: Folder) -> psutil.Process:
    """The supervisor, as a process that outlives this one and its terminal."""
    with (folder.logs / "genpool.log").open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "genpool_cli.local.supervisor", str(folder.root)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return psutil.Process(child.pid)


def first_key(folder: Folder) -> Path:
    """The file with the key of the role admin."""
    return folder.secrets / "gateway" / names.ADMIN_API_KEY
