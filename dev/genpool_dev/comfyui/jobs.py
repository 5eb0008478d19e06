"""The unified view of queue and history that /api/jobs shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genpool_dev.comfyui.wire import Json, ServerTrouble

if TYPE_CHECKING:
    from genpool_dev.comfyui.jobqueue import Job, JobQueue

STATUSES = ("pending", "in_progress", "completed", "failed", "cancelled")
_ENDS = frozenset({"execution_success", "execution_error", "execution_interrupted"})


def _origin(extra_data: Json | None) -> Json:
    """Return creation time and workflow id.

    Raises
    ------
    ServerTrouble
        Where `extra_pnginfo` or its workflow is null: ComfyUI trips over it until the entry is
        deleted.
    """
    if extra_data is None:
        raise ServerTrouble("an entry has no extra_data")
    extra = extra_data.get("extra_pnginfo", {})
    workflow = extra.get("workflow", {}) if isinstance(extra, dict) else None
    if not isinstance(workflow, dict):
        raise ServerTrouble("an entry's extra_pnginfo is not what ComfyUI expects")
    return {"create_time": extra_data.get("create_time"), "workflow_id": workflow.get("id")}


def _pruned(job: Json) -> Json:
    return {key: value for key, value in job.items() if value is not None}


def _queued(job: Job, status: str) -> Json:
    return _pruned(
        {
            "id": job.prompt_id,
            "status": status,
            "priority": job.number,
            "outputs_count": 0,
            **_origin(job.extra_data),
        }
    )


def _ended(prompt_id: str, entry: Json, *, details: bool) -> Json:
    number, _, prompt, extra_data, _ = entry["prompt"]
    messages = dict(entry["status"]["messages"])
    end: Json = next((messages[name] for name in _ENDS if name in messages), {})
    status = "completed"
    if entry["status"]["status_str"] == "error":
        status = "cancelled" if "execution_interrupted" in messages else "failed"
    files = [
        {**file, "nodeId": node_id, "mediaType": media}
        for node_id, output in entry["outputs"].items()
        for media, found in output.items()
        for file in found
        if isinstance(file, dict)  # texts stand among them
    ]
    kept = [file for file in files if file["type"] == "output"]
    job = _pruned(
        {
            "id": prompt_id,
            "status": status,
            "priority": number,
            "execution_start_time": messages["execution_start"]["timestamp"],
            "execution_end_time": end.get("timestamp"),
            "execution_error": messages.get("execution_error"),
            "outputs_count": len(files),
            "preview_output": next(iter(kept or files), None),
            **_origin(extra_data),
        }
    )
    if details:
        job["outputs"] = entry["outputs"]
        job["execution_status"] = entry["status"]
        job["workflow"] = {"prompt": prompt, "extra_data": extra_data}
    return job


def all_jobs(queue: JobQueue) -> list[Json]:
    """Return every job that the server knows.

    Raises
    ------
    ServerTrouble
        Where one entry is poison.
    """
    running = [_queued(queue.running, "in_progress")] if queue.running else []
    pending = [_queued(job, "pending") for job in queue.pending]
    ended = [_ended(key, entry, details=False) for key, entry in queue.history.items()]
    return [*running, *pending, *ended]


def one_job(queue: JobQueue, prompt_id: str) -> Json | None:
    """Return one job with all that is known of it; None for an unknown id."""
    if prompt_id in queue.history:
        return _ended(prompt_id, queue.history[prompt_id], details=True)
    if queue.running is not None and queue.running.prompt_id == prompt_id:
        return _queued(queue.running, "in_progress")
    waiting = next((job for job in queue.pending if job.prompt_id == prompt_id), None)
    return None if waiting is None else _queued(waiting, "pending")
