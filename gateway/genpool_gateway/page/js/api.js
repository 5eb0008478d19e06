// Requests to /v1. Who asks is in a cookie that no script can read; the token of the session goes with each request
// that changes something.
import { parse, stringify } from "./json.js";

/**
 * @typedef {object} Session
 * @property {string} id
 * @property {string} name
 * @property {"user" | "operator" | "admin"} role
 * @property {string[] | null} pools
 * @property {string | null} csrf
 */

/** An answer that is an error: a sentence, and what to do. */
export class Problem extends Error {
  /** @param {{status?: number, reason?: string, detail?: string, parameter?: string, retryAfter?: number}} said */
  constructor(said) {
    super(said.detail || said.reason || "");
    this.status = said.status ?? 0;
    this.reason = said.reason ?? "Unreachable";
    this.parameter = said.parameter;
    this.retryAfter = said.retryAfter;
  }
}

/** @type {string | null} */
let token = null;
const lost = new EventTarget();
/** Of all requests of this login. */
let living = new AbortController();

/** Calls back when the gateway no longer knows who asks. @param {() => void} listener @returns {() => void} */
export function onSessionLost(listener) {
  lost.addEventListener("lost", listener);
  return () => lost.removeEventListener("lost", listener);
}

/**
 * @typedef {object} Options
 * @property {unknown} [body] sent as JSON
 * @property {Blob} [file] sent as it is
 * @property {Record<string, string | number | string[] | null | undefined>} [query]
 * @property {Record<string, string>} [headers]
 * @property {boolean} [text] the answer is no JSON
 */

/** @param {string} method @param {string} path @param {Options} [options] @returns {Promise<any>} */
export async function call(method, path, options = {}) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json", ...options.headers };
  if (method !== "GET" && token) headers["X-CSRF-Token"] = token;
  /** @type {BodyInit | undefined} */
  let body;
  if (options.body !== undefined) {
    headers["Content-Type"] = "application/json";
    body = stringify(options.body);
  } else if (options.file) {
    headers["Content-Type"] = options.file.type;
    body = options.file;
  }
  const login = living;
  let answer;
  let text;
  try {
    answer = await fetch(withQuery(path, options.query), {
      method, headers, body, signal: login.signal, credentials: "same-origin",
    });
    text = await answer.text();
  } catch {
    // Nobody is there any more to whom its answer or its problem could be told.
    if (login.signal.aborted) return new Promise(() => {});
    throw new Problem({ reason: "Unreachable" });
  }
  if (!answer.ok) throw problemOf(answer, text, path);
  if (options.text) return text;
  return text ? parse(text) : null;
}

/** @param {string} path @param {Options["query"]} [query] */
export const get = (path, query) => call("GET", path, { query });
/** @param {string} path @param {unknown} [body] */
export const post = (path, body) => call("POST", path, { body });

/** @param {string} path @param {Options["query"]} [query] @returns {string} */
export function withQuery(path, query) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== null && each !== undefined && each !== "") parameters.append(name, String(each));
    }
  }
  const text = parameters.toString();
  return text ? `${path}?${text}` : path;
}

/** @param {Response} answer @param {string} text @param {string} path */
function problemOf(answer, text, path) {
  let said = {};
  try {
    said = parse(text);
  } catch { /* A proxy's own page says nothing that a person could use. */ }
  const problem = new Problem({
    status: answer.status,
    reason: `Http${answer.status}`,
    ...said,
    retryAfter: Number(answer.headers.get("Retry-After")) || undefined,
  });
  if (answer.status === 401 && path !== "/v1/session") lost.dispatchEvent(new Event("lost"));
  return problem;
}

// The session ----------------------------------------------------------------------------------------------------

/** Who asks; null: nobody. @returns {Promise<Session | null>} */
export async function whoAsks() {
  try {
    return keep(await get("/v1/session"));
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return keep(null);
    throw error;
  }
}

/** @param {string} key @returns {Promise<Session>} */
export async function logIn(key) {
  return /** @type {Session} */ (keep(await post("/v1/session", { key })));
}

/**
 * Ends the session. What is under way is given up first: it would come to the gateway after the session has ended, and
 * be refused. To be called when no part of the page is there that asks again.
 * @returns {Promise<void>}
 */
export async function logOut() {
  living.abort();
  living = new AbortController();
  await call("DELETE", "/v1/session");
  keep(null);
}

/** @param {Session | null} session */
function keep(session) {
  token = session?.csrf ?? null;
  return session;
}
