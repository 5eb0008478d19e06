// What the browser keeps between visits: settings, and drafts until the session ends.

const PREFIX = "genpool.";

/** @param {string} name @returns {string | null} */
export function read(name) {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

/** @param {string} name @param {string | null} value */
export function write(name, value) {
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, value);
  } catch { /* Private windows and full disks keep nothing: the page works without. */ }
}

/** Forget what a person typed. */
export function forgetDrafts() {
  try {
    for (const name of Object.keys(localStorage)) {
      if (name.startsWith(`${PREFIX}draft.`)) localStorage.removeItem(name);
    }
  } catch { /* As above. */ }
}
