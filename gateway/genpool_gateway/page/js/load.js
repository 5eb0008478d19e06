// Loading for components: once, again on request, and again by itself while somebody looks.
import { useCallback, useEffect, useRef, useState } from "./html.js";
import { Problem } from "./api.js";

/**
 * @template T
 * @param {() => Promise<T>} load
 * @param {unknown[]} inputs loaded anew when these change
 * @param {number} [seconds] and so often; 0: not by itself
 * @returns {{data: T | null, problem: Problem | null, loading: boolean, reload: () => void, set: (data: T) => void}}
 */
export function useLoaded(load, inputs, seconds = 0) {
  const [state, setState] = useState(/** @type {{data: T | null, problem: Problem | null}} */ ({ data: null, problem: null }));
  const [loading, setLoading] = useState(true);
  const turn = useRef(0);
  const run = useCallback(async () => {
    const mine = ++turn.current;
    setLoading(true);
    try {
      const data = await load();
      if (mine === turn.current) setState({ data, problem: null });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (mine === turn.current) setState((before) => ({ data: before.data, problem: error }));
    } finally {
      if (mine === turn.current) setLoading(false);
    }
  }, inputs);
  useEffect(() => {
    setState({ data: null, problem: null });
    run();
    return () => { turn.current++; };
  }, [run]);
  useEvery(seconds, run);
  return { ...state, loading, reload: run, set: (data) => setState({ data, problem: null }) };
}

/** Calls back every so many seconds while the page is seen. @param {number} seconds @param {() => void} act */
export function useEvery(seconds, act) {
  useEffect(() => {
    if (!seconds) return undefined;
    const timer = setInterval(() => { if (!document.hidden) act(); }, seconds * 1000);
    return () => clearInterval(timer);
  }, [seconds, act]);
}

/**
 * Something that a person asked for: busy while it is under way, with its error after it.
 * @returns {{busy: boolean, problem: Problem | null, run: (act: () => Promise<void>) => Promise<boolean>}}
 */
export function useAction() {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
  const run = async (/** @type {() => Promise<void>} */ act) => {
    setBusy(true);
    setProblem(null);
    try {
      await act();
      return true;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setProblem(error);
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, problem, run };
}
