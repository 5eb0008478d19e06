"""/api/jobs, which newer ComfyUI versions have."""

from __future__ import annotations

from aiohttp import web

from genpool_dev.comfyui.jobs import STATUSES, all_jobs, one_job
from genpool_dev.comfyui.standin import standin_of
from genpool_dev.comfyui.web_common import Route


def _error(message: str, status: int = 400) -> web.Response:
    return web.json_response({"error": message}, status=status)


async def get_jobs(request: web.Request) -> web.Response:
    """List jobs, newest first; `status`, `limit` and `offset` narrow the list."""
    asked = [part for part in request.query.get("status", "").lower().split(",") if part]
    wrong = [part for part in asked if part not in STATUSES]
    if wrong:
        known = ", ".join(STATUSES)
        return _error(f"Invalid status value(s): {', '.join(wrong)}. Valid values: {known}")
    try:
        limit = int(request.query["limit"]) if "limit" in request.query else None
        offset = max(0, int(request.query.get("offset", "0")))
    except ValueError:
        return _error("limit and offset must be integers")
    if limit is not None and limit <= 0:
        return _error("limit must be a positive integer")
    found = [job for job in all_jobs(standin_of(request).queue) if not asked or job["status"] in asked]
    found.sort(key=lambda job: job.get("create_time", 0), reverse=True)
    page = found[offset : None if limit is None else offset + limit]
    pagination = {
        "offset": offset,
        "limit": limit,
        "total": len(found),
        "has_more": offset + len(page) < len(found),
    }
    return web.json_response({"jobs": page, "pagination": pagination})


async def get_job(request: web.Request) -> web.Response:
    """Show one job."""
    job = one_job(standin_of(request).queue, request.match_info["job_id"])
    return _error("Job not found", 404) if job is None else web.json_response(job)


async def cancel_job(request: web.Request) -> web.Response:
    """Drop a pending job or interrupt a running one; for any other id nothing happens."""
    standin = standin_of(request)
    job_id = request.match_info["job_id"]
    running = standin.queue.running
    if running is not None and running.prompt_id == job_id:
        standin.machine.interrupt.set()
        return web.json_response({"cancelled": True})
    return web.json_response({"cancelled": standin.queue.delete([job_id])})


ROUTES: tuple[Route, ...] = (
    ("GET", "/api/jobs", get_jobs),
    ("GET", "/api/jobs/{job_id}", get_job),
    ("POST", "/api/jobs/{job_id}/cancel", cancel_job),
)
