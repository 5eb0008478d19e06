"""What all e2e tests share: the cluster with GenPool installed, servers on this machine, and eyes on all of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from e2e.manifests import FOLDER, VHOST, Servers
from e2e.scenes import Scene
from genpool_adapters.amqp import AmqpParameters
from genpool_dev.cluster.model import ClusterInfo
from genpool_dev.stack import layout
from genpool_dev.stack.broker import Broker
from genpool_dev.stack.bucket import Bucket
from genpool_dev.stack.gateway import GatewayApi, admin_api
from genpool_dev.stack.helm import Helm
from genpool_dev.stack.install import Stack, look
from genpool_dev.stack.kubectl import Kubectl
from genpool_dev.stack.servers import photos, process, receiver
from genpool_dev.stack.servers.process import ServerProcess
from genpool_dev.stack.servers.receiver import Delivery, read_record
from genpool_dev.stack.uninstall import CRD, delete_scenes, scenes, uninstall
from support.diagnosis import diagnose
from support.eventlog import EventLog, listening
from support.observing import Observer
from support.producing import Producer
from support.waiting import BrokenOffError


@dataclass(frozen=True)
class Receiver:
    """A process that records callbacks."""

    server: ServerProcess
    record: Path

    def url(self, path: str) -> str:
        """Where a task's callback should go."""
        return f"{self.server.url}/{path}"

    def deliveries(self, path: str) -> list[Delivery]:
        """What came to a path, in order."""
        return [delivery for delivery in read_record(self.record) if delivery.path == f"/{path}"]


@dataclass
class Lab:
    """See the module. Scenes may be made by many threads."""

    stack: Stack
    observer: Observer
    events: EventLog
    photos: ServerProcess
    receivers: tuple[Receiver, Receiver]
    """One that is always there, and one that tests may send away for a while."""
    secrets: Path
    """Folder with the secrets that the receivers verify with."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _shared: dict[str, Scene] = field(default_factory=dict)

    @property
    def info(self) -> ClusterInfo:
        """The cluster."""
        return self.stack.info

    @property
    def kubectl(self) -> Kubectl:
        """The cluster's kubectl."""
        return self.stack.kubectl

    @property
    def helm(self) -> Helm:
        """Helm for GenPool's own namespace."""
        return Helm(self.stack.kubectl)

    @property
    def broker(self) -> Broker:
        """RabbitMQ's management API."""
        return self.stack.broker

    @property
    def bucket(self) -> Bucket:
        """The bucket of all scenes."""
        return self.stack.bucket

    @property
    def servers(self) -> Servers:
        """Ports of the servers on this machine."""
        return Servers(self.photos.port, tuple(each.server.port for each in self.receivers))

    @property
    def producer(self) -> Producer:
        """A plain producer in the tests' vhost."""
        rabbitmq = self.info.rabbitmq
        return Producer(rabbitmq.host, rabbitmq.port, VHOST, rabbitmq.username, rabbitmq.password)

    def api(self) -> GatewayApi:
        """The gateway's API, under the first key."""
        return admin_api(self.info, self.kubectl)

    @contextmanager
    def scene(self, name: str, **changes: Any) -> Iterator[Scene]:  # noqa: ANN401 - fields of spec
        """A namespace for one test, deleted at its end; what fails inside tells what was to be seen there."""
        scene = self._make(name, changes)
        with explained(self.stack, scene.place):
            yield scene
        self.kubectl.run("delete", "namespace", scene.place, "--wait=false")

    @contextmanager
    def shared(self, name: str, **changes: Any) -> Iterator[Scene]:  # noqa: ANN401 - fields of spec
        """A scene that many tests use; its pool is applied by the first and lasts until the end of the run."""
        with self._lock:
            scene = self._shared.get(name)
            if scene is None:
                scene = self._make(name, changes)
                with explained(self.stack, scene.place):
                    scene.apply()
                self._shared[name] = scene
        with explained(self.stack, scene.place):
            yield scene

    def warm(self) -> AbstractContextManager[Scene]:
        """The shared scene with one pod that stays, for tests that need nothing of their own."""
        return self.shared("warm", scaling={"minReplicas": 1})

    def places(self) -> list[str]:
        """Namespaces of scenes that exist, also the ending ones."""
        return scenes(self.kubectl)

    def _make(self, name: str, changes: dict[str, Any]) -> Scene:
        scene = Scene(self, f"genpool-e2e-{name}", changes)
        self.kubectl.namespace(scene.place, {layout.SCENE: "true", **layout.RESTRICTED})
        s3 = self.info.s3
        keys = {"AWS_ACCESS_KEY_ID": s3.access_key, "AWS_SECRET_ACCESS_KEY": s3.secret_key}
        self.kubectl.secret(scene.place, layout.STORAGE_SECRET, keys)
        return scene


@contextmanager
def explained(stack: Stack, namespace: str) -> Iterator[None]:
    """What fails inside tells what was to be seen in a namespace at that moment."""
    try:
        yield
    except BrokenOffError:
        raise
    except Exception as error:
        error.add_note(diagnose(stack.kubectl, namespace, broker=stack.broker, vhost=VHOST))
        raise


@contextmanager
def open_lab(stack: Stack, folder: Path) -> Iterator[Lab]:
    """A lab on an installed GenPool; its servers and watches end with the block."""
    bind = stack.info.host_address
    with ExitStack() as exits:
        secrets = folder / "callback-secrets"
        secrets.mkdir()

        def serving(name: str, module: str, *extra: str) -> ServerProcess:
            server = process.start(name, module, bind, folder, extra)
            exits.callback(process.stop, server)
            return server

        def receiving(name: str) -> Receiver:
            record = folder / f"{name}.jsonl"
            server = serving(name, receiver.__name__, f"--record={record}", f"--secrets={secrets}")
            return Receiver(server, record)

        observer = Observer(stack.info)
        observer.start()
        exits.callback(observer.stop)
        both = (receiving("steady"), receiving("fickle"))
        lab = Lab(stack, observer, EventLog(), serving("photos", photos.__name__), both, secrets)
        with lab.warm():
            pass  # the first pool makes the operator make the vhost, where the events are
        exits.enter_context(listening(_login(stack.info), lab.events))
        yield lab


def _login(info: ClusterInfo) -> AmqpParameters:
    broker = info.rabbitmq
    return AmqpParameters(
        host=broker.host,
        port=broker.port,
        vhost=VHOST,
        username=broker.username,
        password=broker.password,
        connection_name="e2e-events",
    )


def clean(info: ClusterInfo) -> None:
    """Take away all of a run, also of one that was killed: scenes, GenPool, CRD, vhost, folder of the bucket."""
    stack = look(info)
    delete_scenes(stack.kubectl)
    uninstall(info)
    # On a cluster of our own; on a person's, one that is not ours stays.
    unused = stack.kubectl.find("crd", CRD) and not stack.kubectl.get(CRD, "--all-namespaces")["items"]
    if info.provider != "current" and unused:
        stack.kubectl.run("delete", "crd", CRD, "--timeout=60s", timeout=70)
    stack.broker.delete_vhost(VHOST)
    stack.bucket.remove([FOLDER])
