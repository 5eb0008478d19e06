"""All pools of a moment, and how one is found. Immutable, so threads may share it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property

from genpool_gateway.pools.errors import NotServed, PoolUnavailable
from genpool_gateway.pools.pool import ServedPool, Serving


@dataclass(frozen=True)
class PoolDirectory:
    """The pools, in the order of their names."""

    pools: tuple[ServedPool, ...]

    @classmethod
    def of(cls, pools: Iterable[ServedPool]) -> PoolDirectory:
        """Of pools in any order."""
        return cls(tuple(sorted(pools, key=lambda pool: (pool.ref.namespace, pool.ref.name))))

    def visible_to(self, pools: Collection[str] | None) -> PoolDirectory:
        """What somebody sees who may use these pools only (``namespace/name``); all when None."""
        if pools is None:
            return self
        names = frozenset(pools)
        found = self._visible.get(names)
        if found is None:
            found = PoolDirectory(tuple(pool for pool in self.pools if pool.name in names))
            self._visible[names] = found
        return found

    def by_uid(self, uid: str) -> ServedPool | None:
        """The pool with this UID."""
        return self._by_uid.get(uid)

    def by_name(self, namespace: str, name: str) -> ServedPool | None:
        """The pool with this name."""
        return self._by_name.get(f"{namespace}/{name}")

    def on_queue(self, broker: str, vhost: str, queue: str) -> ServedPool | None:
        """The pool whose work queue this is."""
        return self._by_queue.get((broker, vhost, queue))

    def serving(self, workflow: str) -> tuple[ServedPool, ...]:
        """The pools that serve a workflow, by its name or an alias."""
        return self._by_workflow.get(workflow, ())

    @cached_property
    def workflow_names(self) -> tuple[str, ...]:
        """Names of all workflows that are served, without aliases."""
        found = {item.entry.name for _, serving in self._serving for item in serving.catalog.workflows}
        return tuple(sorted(found))

    def find(self, name: str) -> ServedPool:
        """The pool that a sender names, as ``namespace/name`` or ``name``.

        Raises
        ------
        NotServed
            There is none, or ``name`` alone means several.
        """
        found = [pool for pool in self.pools if name in {pool.name, pool.ref.name}]
        if len(found) == 1:
            return found[0]
        if not found:
            known = _listed(pool.name for pool in self.pools)
            message = f"there is no pool {name[:128]!r}. Pools: {known}."
            raise _about_pool(message, "PoolUnknown", self.pools, name)
        message = (
            f"{name} is the name of {len(found)} pools: send one of {_listed(pool.name for pool in found)}."
        )
        raise _about_pool(message, "PoolAmbiguous", found, name)

    def find_serving(self, workflow: str) -> ServedPool:
        """The pool that serves a workflow, where it is one.

        Raises
        ------
        NotServed
            No pool serves it, or several do.
        PoolUnavailable
            The pool whose spec has it takes no task now.
        """
        found = self.serving(workflow)
        if len(found) == 1:
            return found[0]
        if not found:
            self._refuse_declared(workflow)
            raise NotServed(
                f"no pool serves the workflow {workflow[:128]!r}. Workflows: {_listed(self.workflow_names)}.",
                parameter="workflow",
                expected={"enum": [*self.workflow_names]},
                sent=workflow[:128],
            )
        message = (
            f"{len(found)} pools serve {workflow}: send pool, one of {_listed(pool.name for pool in found)}."
        )
        raise _about_pool(message, "WorkflowAmbiguous", found, None)

    def _refuse_declared(self, workflow: str) -> None:
        for pool in self.pools:
            specs = () if pool.spec is None else pool.spec.workflows
            if pool.serving is None and any(workflow in {spec.name, *spec.aliases} for spec in specs):
                require_serving(pool)

    @cached_property
    def _serving(self) -> tuple[tuple[ServedPool, Serving], ...]:
        return tuple((pool, pool.serving) for pool in self.pools if pool.serving is not None)

    @cached_property
    def _visible(self) -> dict[frozenset[str], PoolDirectory]:
        """What was asked for before, with its indexes: each request asks, and few sets of pools are given to keys."""
        return {}

    @cached_property
    def _by_uid(self) -> dict[str, ServedPool]:
        return {pool.ref.uid: pool for pool in self.pools}

    @cached_property
    def _by_name(self) -> dict[str, ServedPool]:
        return {pool.name: pool for pool in self.pools}

    @cached_property
    def _by_queue(self) -> dict[tuple[str, str, str], ServedPool]:
        return {(serving.broker, serving.vhost, serving.queue): pool for pool, serving in self._serving}

    @cached_property
    def _by_workflow(self) -> dict[str, tuple[ServedPool, ...]]:
        found: dict[str, tuple[ServedPool, ...]] = {}
        for pool, serving in self._serving:
            for item in serving.catalog.workflows:
                for name in dict.fromkeys((item.entry.name, *item.entry.aliases)):
                    found[name] = (*found.get(name, ()), pool)
        return found


def require_serving(pool: ServedPool) -> Serving:
    """What a pool serves.

    Raises
    ------
    PoolUnavailable
        It takes no task now.
    """
    if pool.serving is None:
        raise PoolUnavailable(f"pool {pool.name} takes no tasks: {pool.trouble}")
    return pool.serving


def _about_pool(message: str, reason: str, fitting: Collection[ServedPool], sent: str | None) -> NotServed:
    expected = [pool.name for pool in fitting]
    return NotServed(
        message,
        reason=reason,
        parameter="pool",
        expected={"enum": [*expected]},
        sent=None if sent is None else sent[:128],
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
