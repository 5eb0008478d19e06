"""Pools and workflows as the API shows them. Pure."""

from __future__ import annotations

from collections.abc import Callable

from genpool_core import conditions
from genpool_core.api.status import Condition
from genpool_core.canonical import canonical_json, digest
from genpool_core.jsontypes import JsonObject
from genpool_core.workflow.bind import defaults
from genpool_core.workflow.catalog import Workflow
from genpool_core.workflow.spec import WorkflowYaml
from genpool_gateway.pools.directory import PoolDirectory
from genpool_gateway.pools.pool import ServedPool, Serving
from genpool_gateway.pools.view_models import (
    ConditionView,
    LimitsView,
    PoolView,
    QueueView,
    ReplicasView,
    ScalingView,
    StoreView,
    WorkflowView,
)

#: Keywords that bound a text.
_OF_TEXT = frozenset({"minLength", "maxLength", "pattern", "enum"})


def workflow_views(directory: PoolDirectory) -> list[WorkflowView]:
    """Workflows by name. Pools that serve a name with other parameters have an entry of their own."""
    found: dict[tuple[str, str], WorkflowView] = {}
    for pool in directory.pools:
        for workflow in () if pool.serving is None else pool.serving.catalog.workflows:
            view = _workflow(workflow, pool)
            key = view.name, digest(canonical_json(view.model_dump(mode="json", exclude={"pools"})))
            known = found.get(key)
            pools = [*(() if known is None else known.pools), *view.pools]
            found[key] = view.model_copy(update={"pools": pools})
    return sorted(found.values(), key=lambda view: (view.name, view.pools))


def parameters_schema(workflow: WorkflowYaml) -> JsonObject:
    """JSON Schema of a task's ``parameters``."""
    given = defaults(workflow).values
    properties: JsonObject = {}
    for name, parameter in workflow.parameters.items():
        schema = parameter.value.json_schema
        if name in given:
            schema["default"] = given[name]
        properties[name] = _of_file(schema) if parameter.file else schema
    required = [
        name for name, parameter in workflow.parameters.items() if parameter.required and name not in given
    ]
    return {
        "type": "object",
        "properties": properties,
        "required": [*required],
        "additionalProperties": False,
    }


def _of_file(schema: JsonObject) -> JsonObject:
    """What a file may be: what the workflow says of its URL is not meant of a data URI."""
    of_text = {name: value for name, value in schema.items() if name in _OF_TEXT}
    others: JsonObject = {name: value for name, value in schema.items() if name not in _OF_TEXT}
    return {**others, "format": "uri", "anyOf": [of_text, {"pattern": "^[Dd][Aa][Tt][Aa]:"}]}


def pool_views(
    directory: PoolDirectory, links: Callable[[ServedPool], str], store: Callable[[ServedPool], StoreView]
) -> list[PoolView]:
    """All pools, by name. ``links``: how links to a pool's results are made; ``store``: what is known of its store."""
    return [pool_view(pool, links(pool), store(pool)) for pool in directory.pools]


def pool_view(pool: ServedPool, links: str, store: StoreView) -> PoolView:
    """One pool."""
    status, serving = pool.status, pool.serving
    ready = conditions.find(status.conditions, conditions.READY)
    return PoolView(
        name=pool.name,
        uid=pool.ref.uid,
        ready=None if ready is None or ready.status == "Unknown" else ready.status == "True",
        accepts_tasks=serving is not None,
        trouble=pool.trouble,
        workflows=[] if serving is None else [item.entry.name for item in serving.catalog.workflows],
        replicas=_replicas(pool),
        queue=QueueView(
            name=None if pool.spec is None else pool.spec.queue.name,
            waiting=status.queue.waiting,
            running=status.queue.running,
            dead_lettered=status.queue.dead_lettered,
            observed_at=status.queue.observed_at,
        ),
        scaling=_scaling(pool),
        limits=None if serving is None else _limits(pool, serving),
        links=_links(links, store),
        store=store,
        conditions=[_condition(item) for item in status.conditions],
    )


def _workflow(workflow: Workflow, pool: ServedPool) -> WorkflowView:
    entry, parameters = workflow.entry, workflow.parameters
    return WorkflowView(
        name=entry.name,
        aliases=list(entry.aliases),
        description=parameters.description,
        pools=[pool.name],
        parameters=parameters_schema(parameters),
        files=[name for name, parameter in parameters.parameters.items() if parameter.file],
        timeout_seconds=entry.timeout_seconds,
    )


def _replicas(pool: ServedPool) -> ReplicasView:
    scaling = None if pool.spec is None else pool.spec.scaling
    return ReplicasView(
        existing=pool.status.replicas,
        ready=pool.status.ready_replicas,
        busy=pool.status.busy_replicas,
        least=None if scaling is None else scaling.min_replicas,
        most=None if scaling is None else scaling.max_replicas,
    )


def _scaling(pool: ServedPool) -> ScalingView:
    told = pool.status.scaling
    return ScalingView(
        mode=None if pool.spec is None else pool.spec.scaling.mode,
        desired=told.desired,
        reason=told.reason,
        message=told.message,
        last_scale_time=told.last_scale_time,
        idle_seconds=told.idle_seconds,
    )


def _links(how: str, store: StoreView) -> str:
    """How they are made, and what is wrong with the store: why it is not listed ``how`` has told already."""
    wrong = store.message if store.state in {"refused", "unavailable"} else None
    return how if wrong is None else f"{how} {wrong}"


def _limits(pool: ServedPool, serving: Serving) -> LimitsView:
    config = serving.config
    return LimitsView(
        max_attempts=config.max_attempts,
        max_input_bytes=config.max_input_bytes,
        message_ttl_seconds=None if pool.spec is None else pool.spec.queue.message_ttl_seconds,
        allow_graphs=config.allow_graphs,
        image_hosts=[rule.host for rule in config.image_hosts],
        callback_hosts=[rule.host for rule in config.callback_hosts],
    )


def _condition(told: Condition) -> ConditionView:
    return ConditionView(
        type=told.type,
        status=told.status,
        reason=told.reason,
        message=told.message,
        last_transition_time=told.last_transition_time,
    )
