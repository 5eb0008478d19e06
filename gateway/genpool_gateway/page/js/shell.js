// The frame around every page: where one can go, the language, light or dark, and the way out.
import { html, useEffect, useRef, useState } from "./html.js";
import { logOut } from "./api.js";
import { forgetDrafts } from "./kept.js";
import { language, t } from "./language.js";
import { useAction } from "./load.js";
import { href, useRoute } from "./route.js";
import { Button, Trouble } from "./parts/basics.js";
import { Icon, Mark } from "./parts/icon.js";
import { Switches } from "./parts/switches.js";
import { Create } from "./pages/create.js";
import { DeadLetters } from "./pages/deadletters.js";
import { Gallery } from "./pages/gallery.js";
import { Keys } from "./pages/keys.js";
import { Pool } from "./pages/pool.js";
import { Pools } from "./pages/pools.js";
import { Task } from "./pages/task.js";
import { Usage } from "./pages/usage.js";

/** @typedef {import("./api.js").Session} Session */

/** @type {Record<string, {view: any, menu: string, roles?: string[]}>} */
const PAGES = {
  create: { view: Create, menu: "create" },
  gallery: { view: Gallery, menu: "gallery" },
  task: { view: Task, menu: "gallery" },
  pools: { view: Pools, menu: "pools" },
  pool: { view: Pool, menu: "pools" },
  dead: { view: DeadLetters, menu: "dead", roles: ["operator", "admin"] },
  usage: { view: Usage, menu: "usage" },
  keys: { view: Keys, menu: "keys", roles: ["admin"] },
};
const MENU = ["create", "gallery", "pools", "dead", "usage", "keys"];

/** @param {{session: Session, onLanguage: (name: string) => void, onLeft: () => void}} props */
export function Shell({ session, onLanguage, onLeft }) {
  const route = useRoute();
  const page = PAGES[route.page] ?? PAGES.create;
  const main = useRef(/** @type {HTMLElement | null} */ (null));
  const first = useRef(true);
  useEffect(() => {
    document.title = `${t(`menu.${page.menu}`)} · GenPool`;
    // A screen reader begins at the new page, as it would after a load.
    if (first.current) first.current = false;
    else main.current?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, [route.page, language()]);
  const [blocked, setBlocked] = useState(false);
  useEffect(() => {
    // The policy of this page was made when it came: a bucket that is new since then is not in it.
    const note = (/** @type {SecurityPolicyViolationEvent} */ event) => { if (/^(img|media)-src/.test(event.effectiveDirective)) setBlocked(true); };
    document.addEventListener("securitypolicyviolation", note);
    return () => document.removeEventListener("securitypolicyviolation", note);
  }, []);
  const out = useAction();
  const [leaving, setLeaving] = useState(false);
  useEffect(() => {
    // By now the parts of the page are away, and ask for nothing.
    if (!leaving) return;
    out.run(async () => {
      await logOut();
      forgetDrafts();
      onLeft();
    }).then(() => setLeaving(false));
  }, [leaving]);
  return html`
    <a class="skip" href="#main" onClick=${(/** @type {Event} */ event) => { event.preventDefault(); main.current?.focus(); }}>${t("skip")}</a>
    <header class="top">
      <a class="brand" href="#/create"><${Mark} />GenPool</a>
      <nav class="menu" aria-label=${t("menu")}>
        ${MENU.filter((name) => mayOpen(session, name)).map((name) => html`
          <a href=${href([name])} aria-current=${page.menu === name ? "page" : undefined}>
            <${Icon} name=${name} /><span>${t(`menu.${name}`)}</span></a>`)}
      </nav>
      <div class="tools">
        <${Switches} onLanguage=${onLanguage} />
        <span class="who" title=${t(`role.${session.role}`)}>${session.name}</span>
        ${session.csrf && html`<${Button} icon="out" kind="quiet" label=${t("logOut")} busy=${leaving}
          onClick=${() => setLeaving(true)} />`}
      </div>
    </header>
    ${blocked && html`<div class="strap" role="status">${t("csp.title")}
      <${Button} onClick=${() => location.reload()}>${t("csp.do")}</${Button}></div>`}
    <main id="main" ref=${main} tabindex="-1">
      <${Trouble} problem=${out.problem} />
      ${!leaving && mayOpen(session, page.menu) && html`<${page.view} key=${route.page} route=${route} session=${session} />`}
    </main>`;
}

/** @param {Session} session @param {string} name */
function mayOpen(session, name) {
  const roles = PAGES[name].roles;
  return !roles || roles.includes(session.role);
}
