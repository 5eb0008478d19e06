// Where the page is: `#/gallery?status=failed`. What a person looks at is in the address, so it survives a reload, can be
// sent to somebody, and the browser's own buttons go back.
import { useEffect, useState } from "./html.js";

/** @typedef {{page: string, parts: string[], query: URLSearchParams}} Route */

/** @param {string} hash @returns {Route} */
export function parseRoute(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  const [page = "", ...parts] = path.split("/").filter(Boolean).map(decoded);
  return { page: page || "create", parts, query: new URLSearchParams(query) };
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** @param {string[]} parts @param {Record<string, string | null | undefined>} [query] @returns {string} */
export function href(parts, query = {}) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value) parameters.set(name, value);
  const text = parameters.toString();
  return `#/${parts.map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
}

/** @param {string} to @param {{replace?: boolean}} [how] */
export function go(to, how = {}) {
  if (to === location.hash) return;
  if (how.replace) {
    history.replaceState(null, "", to);
    dispatchEvent(new HashChangeEvent("hashchange"));
  } else {
    location.hash = to;
  }
}

/**
 * The same place with other filters. Those that are not named stay as they are in the address by now, which may be newer
 * than what who calls has seen. @param {Record<string, string | null>} to
 */
export function refine(to) {
  const { page, parts, query } = parseRoute(location.hash);
  go(href([page, ...parts], { ...Object.fromEntries(query), ...to }), { replace: true });
}

/** @returns {Route} */
export function useRoute() {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const follow = () => setRoute(parseRoute(location.hash));
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return route;
}
