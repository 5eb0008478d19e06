"""The cluster for programs: the demo, the tests, the benchmarks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import get_args

from pydantic import ValidationError

from genpool_dev.cluster import handover, model, services
from genpool_dev.cluster.artifacts.locks import locked
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.cluster.kube import Kube
from genpool_dev.cluster.model import ClusterInfo, RabbitMQInfo, S3Info
from genpool_dev.cluster.node import health
from genpool_dev.cluster.providers import choose, gpus, looking
from genpool_dev.cluster.providers.base import Provider
from genpool_dev.cluster.providers.choose import make
from genpool_dev.cluster.services import Credentials, Endpoints
from genpool_dev.cluster.settings import ClusterRef, ProviderName, cache_home, load
from genpool_dev.progress import Steps

__all__ = [
    "ClusterInfo",
    "allowed_context",
    "borrowed",
    "check",
    "context",
    "down",
    "ensure_up",
    "exists",
    "info",
    "infos",
    "made",
    "ref_of",
    "refs",
    "settle",
    "status",
]

INFO = "cluster.json"


def ensure_up(ref: ClusterRef | None = None, steps: Steps | None = None) -> ClusterInfo:
    """Return a cluster that is up, with RabbitMQ, S3 and the images of this checkout in it.

    What is missing is built, what is dead is started again, what works is left alone. Without ``ref`` it is the
    one that :func:`settle` says. A context that may not be used (:func:`allowed_context`) is refused before
    anything is built or put there. Raises :class:`~genpool_dev.cluster.errors.ClusterError` with a sentence for a
    person.
    """
    steps = steps or Steps()
    ref = ref or settle(steps)
    chosen = _provider(ref)
    with locked(_lock(ref), lambda: steps.say("Waiting for another run of this command …")):
        check(ref)
        kube, images = chosen.up(steps)
        rabbitmq, s3 = services.ensure(kube, chosen.shape(images))
        services.wait_rollout(kube, steps)
        endpoints = chosen.endpoints(kube)
        services.wait_reachable(endpoints, rabbitmq)
        found = ClusterInfo(
            provider=chosen.name,
            context=kube.context,
            kubeconfig=kube.kubeconfig,
            kubectl=kube.kubectl,
            helm=kube.helm,
            images=images.components,
            rabbitmq=_rabbitmq(endpoints, rabbitmq),
            s3=_s3(endpoints, s3, chosen.s3_folder()),
            host_address=chosen.host_address(),
            state_dir=chosen.state,
            gpus=gpus.allocatable(kube.get("nodes")["items"]),
        )
        handover.write(chosen.state / INFO, found.model_dump_json(indent=1))
    return found


def settle(steps: Steps | None = None) -> ClusterRef:
    """Return the cluster that a command without further words works on, and say why it is that one.

    It is the provider that PROVIDER names, else one that is up, else what fits this machine.
    """
    settings = load()
    if settings.provider is not None:
        return ClusterRef.of(settings, settings.provider)
    up = [found.provider for found in infos()]
    choice = choose.among(up) if up else choose.choose(looking.look(settings))
    if steps is not None:
        steps.say(choice.reason)
    return ClusterRef.of(settings, choice.provider)


def ref_of(provider: ProviderName) -> ClusterRef:
    """Return the cluster of a provider under the settings of the environment."""
    return ClusterRef.of(load(), provider)


def check(ref: ClusterRef) -> None:
    """Raise :class:`~genpool_dev.cluster.errors.ClusterError` where :func:`ensure_up` would refuse; changes nothing."""
    chosen = _provider(ref)
    refuse_other_context(chosen.context())
    chosen.check()


def exists(ref: ClusterRef) -> bool:
    """Tell whether a cluster is there, working or not: what is there before a demo stays after it."""
    return _provider(ref).exists()


def context(ref: ClusterRef) -> str:
    """Return the name of a cluster's context."""
    return _provider(ref).context()


def borrowed(ref: ClusterRef) -> bool:
    """Tell whether :func:`down` leaves the cluster itself, since it is somebody's own."""
    return _provider(ref).borrowed


def info(ref: ClusterRef | None = None) -> ClusterInfo | None:
    """Return the cluster that the last :func:`ensure_up` left; nothing where there is none.

    Only what was written then is read: :func:`ensure_up` is what makes sure that it works. Without ``ref`` it is
    the first of those that are up.
    """
    if ref is None:
        return next(iter(infos()), None)
    try:
        found = ClusterInfo.model_validate_json((ref.state / INFO).read_text())
    except (OSError, ValidationError):
        return None
    return found if found.provider == ref.provider else None


def infos() -> list[ClusterInfo]:
    """Return the clusters that were left by :func:`ensure_up`, of all providers or of that which PROVIDER names."""
    found = map(info, refs())
    return [each for each in found if each is not None]


def refs() -> list[ClusterRef]:
    """Return the clusters that there may be, of all providers or of that which PROVIDER names."""
    settings = load()
    names = (settings.provider,) if settings.provider else get_args(ProviderName)
    return [ClusterRef.of(settings, name) for name in names]


def made() -> list[ProviderName]:
    """Return the providers of which something was made, whole or not: its state folder is there."""
    found = {each.state_dir: each.provider for each in infos()}
    for ref in refs():
        # GENPOOL_DEV_STATE is one folder for all of them.
        if ref.state not in found and ref.state.is_dir() and any(ref.state.iterdir()):
            found[ref.state] = ref.provider
    return list(found.values())


def down(ref: ClusterRef, steps: Steps | None = None) -> None:
    """Take a cluster away, whatever state it is in; raises with a list of what is left."""
    steps = steps or Steps()
    with locked(_lock(ref), lambda: steps.say("Waiting for another run of this command …")):
        _provider(ref).down(steps)


def status(found: ClusterInfo) -> list[tuple[str, str]]:
    """Return the parts of a cluster and how each is, in one or a few words."""
    parts = make(found.provider, load()).status()
    kube = Kube(found.kubectl, found.helm, found.kubeconfig, found.context)
    answers = kube.answers()
    parts.append(("Kubernetes API", "answers" if answers else "does not answer"))
    for url in (f"{found.rabbitmq.management_url}/", f"{found.s3.endpoint}{services.S3_HEALTH}"):
        parts.append((url, "answers" if health.answers(url) else "does not answer"))
    return parts


def allowed_context(name: str) -> bool:
    """Tell whether a context may be used: ours, or one in GENPOOL_E2E_CONTEXTS."""
    return model.allowed_context(name, os.environ.get(model.CONTEXTS, ""))


def refuse_other_context(name: str) -> None:
    """Raise :class:`~genpool_dev.cluster.errors.ClusterError` for a context that may not be used."""
    if not allowed_context(name):
        raise ClusterError(
            f"The context {name} is refused: this installs and deletes things there. If it is a cluster for "
            f"tests, set {model.CONTEXTS}={name} and run this again."
        )


def _rabbitmq(endpoints: Endpoints, login: Credentials) -> RabbitMQInfo:
    return RabbitMQInfo(
        host=endpoints.amqp_host,
        port=endpoints.amqp_port,
        management_url=endpoints.management_url,
        username=login.user,
        password=login.secret,
        in_cluster_host=f"rabbitmq.{model.NAMESPACE}.svc.cluster.local",
    )


def _s3(endpoints: Endpoints, login: Credentials, folder: Path | None) -> S3Info:
    return S3Info(
        endpoint=endpoints.s3_url,
        in_cluster_endpoint=f"http://s3.{model.NAMESPACE}.svc.cluster.local:9000",
        access_key=login.user,
        secret_key=login.secret,
        folder=folder,
    )


def _provider(ref: ClusterRef) -> Provider:
    return make(ref.provider, ref.settings())


def _lock(ref: ClusterRef) -> Path:
    """Return the lock of one cluster: outside of its state folder, which comes and goes."""
    name = ref.netns if ref.provider == "local" else ref.provider
    return cache_home() / "locks" / f"cluster-{name}"
