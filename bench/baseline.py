"""What the gateway is measured against: a plain FastAPI handler, as one would write it first, and not badly.

The same model of a request, the same check of the key and of the task, the same rows in the same store, the same
answer. One commit and one confirm for each request; ten connections to RabbitMQ with confirms, handed to the threads
in which FastAPI runs handlers. It publishes the task alone, without the event, and knows no idempotency keys.
"""

from __future__ import annotations

import json
import queue
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import pika
import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException
from sqlalchemy import insert

from genpool_adapters.shipped_workflows import default_workflows
from genpool_core.identity import accepted_event_id
from genpool_gateway.accepting.message import task_message
from genpool_gateway.adapters.file_pools import FilePools
from genpool_gateway.api.submission import SubmitTask, new_task
from genpool_gateway.keys.access import Caller
from genpool_gateway.keys.identify import KeyRing
from genpool_gateway.pools.check import check_request
from genpool_gateway.store import rows
from genpool_gateway.store.opening import open_store
from genpool_gateway.store.tables import task_contents, task_events, tasks
from genpool_gateway.tasks.record import StoredEvent, TaskState
from genpool_gateway.tasks.view import Beside, TaskView, view_of

CONNECTIONS = 10


def create_app(settings: dict[str, Any]) -> FastAPI:
    """The application: ``settings`` as the benchmark writes them."""
    store = open_store(settings["database_url"])
    pools = FilePools(Path(settings["pools_file"]), default_workflows())
    pools.start()
    ring = KeyRing(store.keys, lambda: (settings["key"],))
    where = pika.URLParameters(settings["amqp_url"])
    where.heartbeat = 0
    channels: queue.Queue[Any] = queue.Queue()
    for _ in range(CONNECTIONS):
        channel = pika.BlockingConnection(where).channel()
        channel.confirm_delivery()
        channels.put(channel)
    app = FastAPI()

    def caller(authorization: Annotated[str, Header()] = "") -> Caller:
        key = authorization.removeprefix("Bearer ")
        found = ring.known(key) or ring.look_up(key)
        if found is None:
            raise HTTPException(401)
        return found

    @app.post("/v1/tasks", status_code=202)
    def submit(sent: SubmitTask, who: Caller = Depends(caller)) -> TaskView:  # noqa: B008, FAST002 - it is a local name
        directory = pools.snapshot().visible_to(who.pools)
        checked = check_request(directory, sent.request(), new_id=str(uuid.uuid4()))
        record = new_task(sent, checked, who.id, datetime.now(UTC)).record
        row = rows.task_row(record, last_event=1) | {"state": TaskState.QUEUED.value}
        event = StoredEvent(record.id, 1, "accepted", record.created_at, {"run": 1, "attempt": 0})
        with store.database.writing() as connection:
            connection.execute(insert(tasks), row)
            connection.execute(insert(task_contents), rows.contents_row(record))
            connection.execute(insert(task_events), rows.event_row(event, accepted_event_id(record.id, 1)))
        message = task_message(record, checked.serving.queue)
        properties = pika.BasicProperties(
            delivery_mode=2,
            message_id=record.id,
            headers=dict(message.headers),
            content_type="application/json",
        )
        channel = channels.get()
        try:
            channel.basic_publish("", message.routing_key, message.body, properties, mandatory=True)
        finally:
            channels.put(channel)
        return view_of(record, Beside())

    return app


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    uvicorn.run(
        create_app(given), host="127.0.0.1", port=given["port"], access_log=False, log_level="warning"
    )
