// Tasks as the API gives them, and what can be done with one.
import { call, get, post } from "./api.js";

/**
 * @typedef {object} Output
 * @property {string} node_id
 * @property {string} name
 * @property {string} type
 * @property {string} content_type
 * @property {number} size_bytes
 * @property {string} sha256
 * @property {number | null} width
 * @property {number | null} height
 * @property {string | null} url
 *
 * @typedef {object} Progress
 * @property {number} value
 * @property {number | null} [step]
 * @property {number | null} [steps]
 * @property {number | null} [nodes_done]
 * @property {number | null} [nodes_total]
 * @property {string | null} [message]
 *
 * @typedef {object} Task
 * @property {string} id
 * @property {string} task_id
 * @property {{namespace: string, name: string}} pool
 * @property {string | null} workflow
 * @property {"queued" | "running" | "canceling" | "succeeded" | "failed" | "canceled" | "expired"} status
 * @property {number} run
 * @property {string} created_at
 * @property {string | null} started_at
 * @property {string | null} completed_at
 * @property {string | null} expires_at
 * @property {string | null} erased_at
 * @property {number | null} queue_position
 * @property {string | null} expected_start_at
 * @property {Progress | null} progress
 * @property {Record<string, any>} parameters
 * @property {Output[]} outputs
 * @property {{code: number, reason: string, message: string, node_id: string | null, class_type: string | null} | null} error
 * @property {{queue_ms: number | null, execution_ms: number | null, gpu_seconds: number | null}} metrics
 * @property {Record<string, any>} metadata
 *
 * @typedef {{tasks: Task[], next: string | null}} TaskPage
 */

export const STATUSES = ["queued", "running", "canceling", "succeeded", "failed", "canceled", "expired"];

/** @param {Task} task */
export const hasEnded = (task) => !["queued", "running", "canceling"].includes(task.status);
/** @param {Task} task */
export const poolName = (task) => `${task.pool.namespace}/${task.pool.name}`;
/** @param {string} id @returns {Promise<Task>} */
export const getTask = (id) => get(`/v1/tasks/${id}`);
/** @param {string} id @returns {Promise<Task>} */
export const cancel = (id) => post(`/v1/tasks/${id}/cancel`);
/** @param {string} id @returns {Promise<Task>} */
export const replay = (id) => post(`/v1/tasks/${id}/replay`);
/** @param {string} id @returns {Promise<Task>} */
export const erase = (id) => call("DELETE", `/v1/tasks/${id}`);
/** @param {Record<string, any>} query @returns {Promise<TaskPage>} */
export const listTasks = (query) => get("/v1/tasks", query);

/** Send a task; under the same key it is the same task. @param {object} body @param {string} key @returns {Promise<Task>} */
export const submit = (body, key) => call("POST", "/v1/tasks", { body, headers: { "Idempotency-Key": key } });

/** Put a photo into a pool's bucket; what a parameter says for it. @param {string} pool @param {File} file */
export async function upload(pool, file) {
  const place = await post("/v1/uploads", {
    pool, name: safeName(file.name), content_type: file.type, size_bytes: file.size,
  });
  const path = place.id.replace(/^upload:/, "");
  await call("PUT", `/v1/uploads/${path}`, { file, query: { pool } });
  return /** @type {string} */ (place.id);
}

/** A name that an upload may have. @param {string} name */
export function safeName(name) {
  const plain = name.normalize("NFKD").replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "").slice(-80);
  const trimmed = plain.replace(/^[^A-Za-z0-9]+/, "");
  return /^[A-Za-z0-9]/.test(trimmed) ? trimmed : "photo";
}

/** The first line of what a task is about. @param {Task} task */
export function titleOf(task) {
  const prompt = task.parameters.prompt;
  if (typeof prompt === "string" && prompt) return prompt;
  if (typeof task.metadata.file === "string") return task.metadata.file;
  const file = Object.values(task.parameters).find((value) => isUpload(value) || isUrl(value));
  if (file) return decodeURIComponent(String(file).split("/").pop() ?? "");
  return task.workflow ?? task.task_id;
}

/** @param {unknown} value */
export const isUpload = (value) => typeof value === "string" && value.startsWith("upload:");
/** @param {unknown} value */
export const isUrl = (value) => typeof value === "string" && /^https?:\/\//.test(value);

/** Where a person sees the photo that a task was given; null: nowhere here. @param {Task} task */
export function inputPicture(task) {
  const found = Object.entries(task.parameters).find(([, value]) => isUpload(value));
  return found ? `/v1/tasks/${task.id}/inputs/${encodeURIComponent(found[0])}` : null;
}

/** The result as a file. @param {Task} task @param {Output} output */
export const downloadPath = (task, output) => `/v1/tasks/${task.id}/outputs/${encodeURIComponent(output.name)}`;

/** Save several files, one after the other: a browser drops all but the last of those that begin at once.
 * @param {string[]} paths */
export async function downloadAll(paths) {
  for (const path of paths) {
    const link = document.createElement("a");
    link.href = path;
    link.download = "";
    document.body.append(link);
    link.click();
    link.remove();
    await new Promise((done) => setTimeout(done, 400));
  }
}
