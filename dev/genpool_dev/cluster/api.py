"""The cluster for programs: the demo, the tests, the benchmarks."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import ValidationError

from genpool_dev.cluster import handover, model, services
from genpool_dev.cluster.artifacts.locks import locked
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.cluster.kube import Kube
from genpool_dev.cluster.model import ClusterInfo, RabbitMQInfo, S3Info
from genpool_dev.cluster.node import health
from genpool_dev.cluster.providers.choose import make, provider_name
from genpool_dev.cluster.settings import ClusterSettings, ProviderName, cache_home, load, state_home
from genpool_dev.progress import Steps

__all__ = [
    "ClusterInfo",
    "allowed_context",
    "chosen_provider",
    "down",
    "ensure_up",
    "info",
    "status",
]

INFO = "cluster.json"


def ensure_up(
    provider: ProviderName | None = None, steps: Steps | None = None, *, for_tests: bool = False
) -> ClusterInfo:
    """Return a cluster that is up, with RabbitMQ, S3 and the images of this checkout in it.

    What is missing is built, what is dead is started again, what works is left alone. A cluster of
    another provider that is already up is taken where none is asked for. ``for_tests`` refuses a context
    that is not on their list (:func:`allowed_context`) before anything is put there. Raises
    :class:`~genpool_dev.cluster.errors.ClusterError` with a sentence for a person.
    """
    settings, steps = load(), steps or Steps()
    chosen = make(_name(settings, provider), settings)
    with locked(_lock(settings), lambda: steps.say("Waiting for another run of this command …")):
        chosen.check()
        kube, images = chosen.up(steps)
        if for_tests:
            refuse_other_context(kube.context)
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
            rabbitmq=RabbitMQInfo(
                host=endpoints.amqp_host,
                port=endpoints.amqp_port,
                management_url=endpoints.management_url,
                username=rabbitmq.user,
                password=rabbitmq.secret,
                in_cluster_host=f"rabbitmq.{model.NAMESPACE}.svc.cluster.local",
            ),
            s3=S3Info(
                endpoint=endpoints.s3_url,
                in_cluster_endpoint=f"http://s3.{model.NAMESPACE}.svc.cluster.local:9000",
                access_key=s3.user,
                secret_key=s3.secret,
                folder=chosen.s3_folder(),
            ),
            host_address=chosen.host_address(),
            state_dir=chosen.state,
        )
        handover.write(chosen.state / INFO, found.model_dump_json(indent=1))
    return found


def info() -> ClusterInfo | None:
    """Return the cluster that the last :func:`ensure_up` left; nothing where there is none.

    Only what was written then is read: :func:`ensure_up` is what makes sure that it works.
    """
    settings = load()
    names: tuple[ProviderName, ...] = ("local", "kind", "current")
    for name in (settings.provider,) if settings.provider else names:
        try:
            text = (state_home(settings, name) / INFO).read_text()
            return ClusterInfo.model_validate_json(text)
        except (OSError, ValidationError):
            continue
    return None


def down(steps: Steps | None = None) -> None:
    """Take the cluster away, whatever state it is in; raises with a list of what is left."""
    settings, steps = load(), steps or Steps()
    with locked(_lock(settings), lambda: steps.say("Waiting for another run of this command …")):
        make(_name(settings, None), settings).down(steps)


def status(found: ClusterInfo) -> list[tuple[str, str]]:
    """Return the parts of a cluster and how each is, in one or a few words."""
    parts = make(found.provider, load()).status()
    kube = Kube(found.kubectl, found.helm, found.kubeconfig, found.context)
    answers = kube.answers()
    parts.append(("Kubernetes API", "answers" if answers else "does not answer"))
    for url in (f"{found.rabbitmq.management_url}/", f"{found.s3.endpoint}{services.S3_HEALTH}"):
        parts.append((url, "answers" if health.answers(url) else "does not answer"))
    return parts


def chosen_provider() -> ProviderName:
    """Return the provider that a command without further words works on."""
    return _name(load(), None)


def allowed_context(name: str) -> bool:
    """Tell whether the e2e tests may use a context: ours, or one in GENPOOL_E2E_CONTEXTS."""
    return model.allowed_context(name, os.environ.get("GENPOOL_E2E_CONTEXTS", ""))


def refuse_other_context(name: str) -> None:
    """Raise :class:`~genpool_dev.cluster.errors.ClusterError` for a context that tests may not use."""
    if not allowed_context(name):
        raise ClusterError(
            f"The tests refuse the context {name}: they install and delete things. If it is a cluster for "
            f"tests, set GENPOOL_E2E_CONTEXTS={name} and run this again."
        )


def _name(settings: ClusterSettings, asked: ProviderName | None) -> ProviderName:
    if asked or settings.provider:
        return asked or settings.provider or "local"
    running = info()
    return running.provider if running else provider_name(settings)


def _lock(settings: ClusterSettings) -> Path:
    """Return the lock of one cluster: outside of its state folder, which comes and goes."""
    return cache_home() / "locks" / f"cluster-{settings.netns}"
