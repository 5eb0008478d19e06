// The page begins here: who asks, then what that one may see.
import { html, render, useEffect, useState } from "./html.js";
import { logIn, onSessionLost, Problem, whoAsks } from "./api.js";
import { language, setLanguage } from "./language.js";
import { Shell } from "./shell.js";
import { Login } from "./pages/login.js";
import { Trouble, Waiting } from "./parts/basics.js";

/** @typedef {import("./api.js").Session} Session */

/** For whom this page came: its policy lets in the pictures of that one's pools alone. Empty: the gateway knew nobody. */
const CALLER = document.documentElement.dataset.caller ?? "";
/** A link on somebody else's page brings no cookie along: what comes again after that, comes from ourselves. */
const CAME_AGAIN = new URLSearchParams(location.search).has("again");

/** A link of `genpool local` ends in a word that logs in once: out of the address with it, before anything else. */
const WORD = /^#login=(.+)$/.exec(location.hash)?.[1];
if (WORD) history.replaceState(null, "", "/");

/** Have the page come again. @returns {boolean} whether it does: once is enough */
function again() {
  if (CAME_AGAIN) return false;
  location.replace(`/?again${location.hash}`);
  return true;
}

/** @param {string} word @returns {Promise<boolean>} whether it was good */
async function entersBy(word) {
  try {
    await logIn(word);
    return true;
  } catch (error) {
    if (error instanceof Problem) return false;
    throw error;
  }
}

function App() {
  const [session, setSession] = useState(/** @type {Session | null | undefined} */ (undefined));
  const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
  const [, setWords] = useState(language());

  // With another query: to an address that differs by nothing, or by its end alone, a browser does not go.
  const entered = () => location.replace(`/?again${location.hash}`);

  const ask = async () => {
    setProblem(null);
    try {
      // Who is logged in already needs no word; one that is not good any more is as none.
      if (WORD && !CALLER && !CAME_AGAIN && await entersBy(WORD)) return entered();
      const found = CALLER ? await whoAsks() : null;
      if ((found?.id ?? "") === CALLER && CALLER) setSession(found);
      else if (!again()) setSession(found);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setProblem(error);
    }
  };
  useEffect(() => { ask(); }, []);
  useEffect(() => onSessionLost(() => setSession(null)), []);

  const choose = (/** @type {string} */ name) => { setLanguage(name); setWords(name); };
  if (problem) return html`<main class="alone"><${Trouble} problem=${problem} onRetry=${ask} /></main>`;
  if (session === undefined) return html`<main class="alone"><${Waiting} /></main>`;
  if (session === null) return html`<${Login} onEntered=${entered} onLanguage=${choose} />`;
  return html`<${Shell} session=${session} onLanguage=${choose} onLeft=${() => setSession(null)} />`;
}

if (CAME_AGAIN) history.replaceState(null, "", `/${location.hash}`);
setLanguage(language());
render(html`<${App} />`, /** @type {HTMLElement} */ (document.getElementById("app")));
