// One task by itself: what a link leads to.
import { html } from "../html.js";
import { t } from "../language.js";
import { TaskPanel } from "../parts/taskpanel.js";

/** @param {{route: import("../route.js").Route}} props */
export function Task({ route }) {
  return html`<div class="single">
    <p><a href="#/gallery">← ${t("menu.gallery")}</a></p>
    <${TaskPanel} key=${route.parts[0]} id=${route.parts[0] ?? ""} heading="h1" /></div>`;
}
