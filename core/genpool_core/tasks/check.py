"""From a task to what ComfyUI will run. Pure: what can be refused without I/O is refused here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from genpool_core import egress_policy
from genpool_core.api.security import HostRule
from genpool_core.data_uri import is_data_uri, read_data_uri
from genpool_core.errors import InvalidManifest, InvalidTask, RefusedInput
from genpool_core.image_types import HEAD_BYTES, require_image
from genpool_core.jsontypes import JsonObject, JsonValue
from genpool_core.messages.task import Shape, Task, callback_url_of, parse_task
from genpool_core.shown import shown
from genpool_core.tasks.inline import digest_of, graph_digest, is_graph_reference, is_input
from genpool_core.tasks.uploads import is_upload, upload_key
from genpool_core.workerconfig import WorkerConfig
from genpool_core.workflow.bind import Bound, bind
from genpool_core.workflow.catalog import Catalog, Workflow
from genpool_core.workflow.render import render, with_prefix
from genpool_core.workflow.spec import check_template

#: The beginning of a URL, whose query may be secret, in whatever letters a producer writes it.
_URL = re.compile(r"\s*[a-z][a-z0-9+.-]*://", re.IGNORECASE)
#: The beginning of a data URI, up to its contents.
_DATA = re.compile(r"\s*data:[^,]{0,100},", re.IGNORECASE)
#: Longer texts are cut in the end record, which is a message too.
SHOWN_CHARACTERS = 4000


@dataclass(frozen=True)
class ValidatedTask:
    """A task that can be run."""

    timeout_seconds: int
    workflow: Workflow | None
    """None for a task that brings its own graph."""
    bound: Bound
    graph: JsonObject | None
    uploads: Mapping[str, str] = field(default_factory=dict)
    """Object key of each input file that was uploaded by the gateway, by parameter."""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of each input file that the gateway has put into the task's place in the bucket, by parameter."""
    graph_digest: str | None = None
    """SHA-256 of the graph that it has put there; ``graph`` is None then."""

    @property
    def workflow_name(self) -> str | None:
        """The workflow's own name, whatever alias the task used."""
        return self.workflow.entry.name if self.workflow else None

    @property
    def template_digest(self) -> str | None:
        """SHA-256 of the workflow's template; None for a task that brings its own graph."""
        return self.workflow.template_digest if self.workflow else None

    @property
    def files(self) -> dict[str, str]:
        """URL of each input file that is fetched, or its data URI, by parameter."""
        stored = {**self.uploads, **self.inputs}
        return {name: str(self.bound.values[name]) for name in self.bound.files if name not in stored}

    def graph_for(self, uploads: dict[str, str], prefix: str) -> JsonObject:
        """What ComfyUI gets."""
        if self.workflow is None:
            return with_prefix(self.graph or {}, prefix)
        parameters = self.workflow.parameters
        return render(self.workflow.template, parameters, self.bound, uploads=uploads, prefix=prefix)


def validate(
    body: JsonObject,
    config: WorkerConfig,
    catalog: Catalog,
    *,
    owner: str | None = None,
    as_sent: bool = False,
) -> ValidatedTask:
    """Bind a task to its workflow, with its parameters checked.

    ``owner``: id of the API key that sent it, as the gateway says; None of a plain producer's, which has no uploads.
    ``as_sent``: it comes from its sender, not from the gateway, so it names nothing that the gateway set apart.

    Raises
    ------
    InvalidTask
        No worker of this pool could do it.
    RefusedInput
        An input file is at a host that the pool does not allow.
    """
    task = parse_task(body)
    check_callback(task.callback_url, config)
    by_gateway = owner is not None and not as_sent
    if task.shape is Shape.GRAPH:
        return _own_graph(task, config, catalog, by_gateway=by_gateway)
    workflow = _workflow_for(task, catalog)
    bound = bind(workflow.parameters, task.given, task.explicit)
    uploads, inputs = {}, {}
    for name in bound.files:
        value = str(bound.values[name])
        if is_upload(value):
            uploads[name] = _upload(name, value, config, owner)
        elif is_input(value):
            inputs[name] = _input(name, value, by_gateway=by_gateway)
        elif is_data_uri(value):
            _check_contents(name, value, config)
        else:
            _check_file(name, value, config)
    return ValidatedTask(workflow.entry.timeout_seconds, workflow, bound, None, uploads, inputs)


def check_callback(url: str | None, config: WorkerConfig) -> None:
    """Whether the end of a task may be announced there. Raises InvalidTask."""
    if url is None:
        return
    try:
        egress_policy.check_url(url, config.callback_hosts)
    except RefusedInput as error:
        sentence = f"callback_url: {error.message}"
        expected = _url_schema(config.callback_hosts)
        raise InvalidTask(
            sentence, parameter="callback_url", expected=expected, sent=shown(url, url=True)
        ) from None


def _upload(name: str, value: str, config: WorkerConfig, owner: str | None) -> str:
    """The object's key. Raises RefusedInput where it is no upload, or its sender has none."""
    if owner is None:
        sentence = (
            f"{name} names an upload, which only a task that is sent to the gateway's API has: send a URL."
        )
        raise RefusedInput(sentence, parameter=name, sent=shown(value))
    key = upload_key(value, prefix=config.store.prefix, owner=owner)
    if key is None:
        sentence = f"{name} is no upload's id: send the id that POST /v1/uploads answered, or a URL."
        raise RefusedInput(sentence, parameter=name, sent=shown(value))
    return key


def _input(name: str, value: str, *, by_gateway: bool) -> str:
    """SHA-256 of the file. Raises RefusedInput where it is none, or the gateway has not written it."""
    digest = digest_of(value)
    if not by_gateway or digest is None:
        sentence = (
            f"{name} is input:…, which only the gateway writes: send a URL, a data URI, or an upload's id."
        )
        raise RefusedInput(sentence, parameter=name, sent=shown(value))
    return digest


def _check_contents(name: str, value: str, config: WorkerConfig) -> None:
    """Whether a data URI holds an image. Raises RefusedInput."""
    contents = read_data_uri(name, value, config.max_input_bytes)
    require_image(name, contents.data[:HEAD_BYTES], parameter=name)


def _check_file(name: str, url: str, config: WorkerConfig) -> None:
    try:
        egress_policy.check_url(url, config.image_hosts)
    except RefusedInput as error:
        expected = _url_schema(config.image_hosts)
        raise RefusedInput(
            error.message, parameter=name, expected=expected, sent=shown(url, url=True)
        ) from None


def _url_schema(allow: Sequence[HostRule]) -> JsonObject:
    """What a URL must be, as JSON Schema; hosts cannot be said in it, so they stand in the description."""
    hosts = ", ".join(rule.host for rule in allow) or "every public one"
    return {"type": "string", "format": "uri", "description": f"An http or https URL. Hosts: {hosts}."}


def callback_for(body: JsonObject, config: WorkerConfig) -> str | None:
    """Where the end is announced, or None when there is no such place or it may not be reached."""
    try:
        url = callback_url_of(body)
        check_callback(url, config)
    except InvalidTask:
        return None
    return url


def shown_parameters(bound: Bound) -> JsonObject:
    """The parameters in force, for the end record: a URL loses its query, which may be a secret, and texts are cut."""
    return {name: _shown(value) for name, value in bound.values.items()}


def _shown(value: JsonValue) -> JsonValue:
    if not isinstance(value, str):
        return value
    if _URL.match(value):
        return _cut(egress_policy.redact(value), SHOWN_CHARACTERS)
    data = _DATA.match(value)
    return _cut(value, SHOWN_CHARACTERS if data is None else data.end())


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters)"


def _own_graph(task: Task, config: WorkerConfig, catalog: Catalog, *, by_gateway: bool) -> ValidatedTask:
    if not config.allow_graphs:
        raise InvalidTask(
            "prompt is a ComfyUI graph, and this pool accepts none: send workflow_type and parameters, or set "
            f"security.allowGraphs on the pool. It serves: {catalog.names}.",
            parameter="prompt",
            expected={"type": "string"},
            sent=shown(task.graph),
        )
    if task.graph is not None and is_graph_reference(task.graph):
        digest = graph_digest(task.graph)
        if not by_gateway or digest is None:
            sentence = (
                "prompt names a graph in the bucket, which only the gateway does: send the graph itself."
            )
            raise InvalidTask(sentence, parameter="prompt")
        return ValidatedTask(catalog.longest_run_seconds, None, Bound({}, ()), None, graph_digest=digest)
    return ValidatedTask(catalog.longest_run_seconds, None, Bound({}, ()), checked_graph(task.graph))


def checked_graph(graph: JsonValue) -> JsonObject:
    """A graph that a task brings. Raises InvalidTask."""
    try:
        return check_template(graph, where="prompt")
    except InvalidManifest as error:
        raise InvalidTask(error.message, parameter="prompt") from None


def _workflow_for(task: Task, catalog: Catalog) -> Workflow:
    if task.workflow is None:
        if catalog.fallback is None:
            raise InvalidTask(
                f"workflow_type is missing, and this pool has no fallback: send {catalog.names}.",
                parameter="workflow_type",
                expected=_names_schema(catalog),
            )
        return catalog.fallback
    workflow = catalog.find(task.workflow)
    if workflow is None:
        raise InvalidTask(
            f"workflow_type {task.workflow[:128]!r} is not served by this pool. It serves: {catalog.names}.",
            parameter="workflow_type",
            expected=_names_schema(catalog),
            sent=shown(task.workflow),
        )
    return workflow


def _names_schema(catalog: Catalog) -> JsonObject:
    return {"enum": [item.entry.name for item in catalog.workflows]}
