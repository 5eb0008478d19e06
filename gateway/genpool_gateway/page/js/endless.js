// A list that is longer than anybody reads: pages by a cursor, the next one when it is asked for, the first one again and
// again so that what is new and what changed shows.
import { useCallback, useEffect, useRef, useState } from "./html.js";
import { Problem } from "./api.js";
import { useEvery } from "./load.js";

/** @typedef {import("./tasks.js").Task} Task */
/** @typedef {import("./tasks.js").TaskPage} TaskPage */
/** @typedef {{items: Task[], next: string | null, begun: boolean}} Listed */

/**
 * @param {(cursor: string | null) => Promise<TaskPage>} load
 * @param {unknown[]} inputs
 * @param {number} seconds
 */
export function useEndless(load, inputs, seconds) {
  const [state, setState] = useState(/** @type {Listed} */ ({ items: [], next: null, begun: false }));
  const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
  const [loading, setLoading] = useState(true);
  const turn = useRef(0);
  const busy = useRef(false);

  const ask = useCallback(async (/** @type {string | null} */ cursor, /** @type {(page: TaskPage) => void} */ use) => {
    const mine = turn.current;
    try {
      const page = await load(cursor);
      if (mine !== turn.current) return;
      setProblem(null);
      use(page);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (mine === turn.current) setProblem(error);
    }
  }, inputs);

  const begin = useCallback(async () => {
    setLoading(true);
    await ask(null, (page) => setState({ items: page.tasks, next: page.next, begun: true }));
    setLoading(false);
  }, [ask]);
  useEffect(() => {
    turn.current++;
    busy.current = false;
    setState({ items: [], next: null, begun: false });
    begin();
    return () => { turn.current++; };
  }, [begin]);

  const more = useCallback(async () => {
    if (busy.current || !state.next) return;
    busy.current = true;
    setLoading(true);
    await ask(state.next, (page) => setState((before) => ({ ...joined(before, page.tasks), next: page.next })));
    setLoading(false);
    busy.current = false;
  }, [ask, state.next]);

  const refresh = useCallback(() => ask(null, (page) => setState((before) => renewed(before, page))), [ask]);
  useEvery(seconds, refresh);
  return { ...state, problem, loading, whole: state.begun && !state.next, more, reload: begin };
}

/** @param {Listed} before @param {Task[]} tasks @returns {Listed} */
function joined(before, tasks) {
  const there = new Set(before.items.map((task) => task.id));
  return { ...before, items: [...before.items, ...tasks.filter((task) => !there.has(task.id))] };
}

/** The first page anew, before what is older than it. @param {Listed} before @param {TaskPage} page @returns {Listed} */
export function renewed(before, page) {
  if (!before.begun || !page.next) return { items: page.tasks, next: page.next, begun: true };
  const there = new Set(page.tasks.map((task) => task.id));
  const last = page.tasks[page.tasks.length - 1];
  const older = before.items.filter((task) => !there.has(task.id)
    && (task.created_at < last.created_at || (task.created_at === last.created_at && task.id < last.id)));
  // The last page was short: what is there now is the whole, and the cursor goes on behind what is shown.
  return older.length ? { ...before, items: [...page.tasks, ...older] } : { items: page.tasks, next: page.next, begun: true };
}
