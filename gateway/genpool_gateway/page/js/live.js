// A task as it changes: read once, then told by the gateway's stream of events until its end.
import { useCallback, useEffect, useState } from "./html.js";
import { Problem } from "./api.js";
import { parse } from "./json.js";
import { getTask, hasEnded } from "./tasks.js";

/** @typedef {import("./tasks.js").Task} Task */

/** The place in the queue is in no event: ask for it this often while a task waits. */
const ASK_MS = 3000;

/**
 * @param {string} id
 * @returns {{task: Task | null, preview: string | null, log: string[], problem: Problem | null, set: (task: Task) => void}}
 */
export function useTask(id) {
  const [task, setTask] = useState(/** @type {Task | null} */ (null));
  const [preview, setPreview] = useState(/** @type {string | null} */ (null));
  const [log, setLog] = useState(/** @type {string[]} */ ([]));
  const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));

  const ask = useCallback(async () => {
    try {
      setTask(await getTask(id));
      setProblem(null);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setProblem(error);
    }
  }, [id]);
  useEffect(() => {
    setTask(null);
    setPreview(null);
    setLog([]);
    ask();
  }, [ask]);

  const mine = task?.id === id ? task : null;
  const watched = mine !== null && !hasEnded(mine);
  const run = mine?.run;
  useEffect(() => {
    if (!watched) return undefined;
    return watch(id, { ask, setTask, setPreview, setLog });
  }, [id, watched, run, ask]);

  const waits = mine?.status === "queued";
  useEffect(() => {
    if (!waits) return undefined;
    const timer = setInterval(() => { if (!document.hidden) ask(); }, ASK_MS);
    return () => clearInterval(timer);
  }, [waits, ask]);
  return { task: mine, preview, log, problem, set: setTask };
}

/** @param {string} id @param {any} tell @returns {() => void} */
function watch(id, { ask, setTask, setPreview, setLog }) {
  const source = new EventSource(`/v1/tasks/${id}/events`);
  const on = (/** @type {string} */ name, /** @type {(data: any) => void} */ act) =>
    source.addEventListener(name, (event) => act(parse(/** @type {MessageEvent} */ (event).data)));
  on("status", ({ task }) => {
    if (!task) return;
    setTask((/** @type {Task | null} */ before) => ({ ...task, queue_position: before?.queue_position ?? null }));
    if (hasEnded(task)) {
      source.close();
      // Links to results are in the task; its figures are whole only when it is read.
      ask();
    }
  });
  on("progress", (progress) => {
    setTask((/** @type {Task | null} */ before) => before && !hasEnded(before)
      ? { ...before, status: before.status === "queued" ? "running" : before.status, progress } : before);
  });
  on("preview", ({ content_type: type, image }) => {
    if (/^image\/(png|jpeg|webp)$/.test(type)) setPreview(`data:${type};base64,${image}`);
  });
  on("output", ({ output }) => {
    if (!output) return;
    setTask((/** @type {Task | null} */ before) => before && !before.outputs.some((each) => each.name === output.name)
      ? { ...before, outputs: [...before.outputs, output] } : before);
  });
  on("log", ({ message }) => {
    if (message) setLog((/** @type {string[]} */ before) => [...before, message]);
  });
  return () => source.close();
}
