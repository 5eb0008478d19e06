// Before and after, with a handle in between that mouse, finger and arrow keys move.
import { html, useState } from "../html.js";
import { t } from "../language.js";

/** @param {{before: string, after: string, onLost?: () => void}} props */
export function Compare({ before, after, onLost }) {
  const [at, setAt] = useState(50);
  return html`
    <div class="compare">
      <img class="after" src=${after} alt=${t("after")} />
      <img class="before" src=${before} alt=${t("before")} style=${{ clipPath: `inset(0 ${100 - at}% 0 0)` }} onError=${onLost} />
      <span class="tag left" aria-hidden="true">${t("before")}</span>
      <span class="tag right" aria-hidden="true">${t("after")}</span>
      <span class="handle" aria-hidden="true" style=${{ left: `${at}%` }}></span>
      <input type="range" min="0" max="100" value=${at} aria-label=${t("compare")}
        onInput=${(/** @type {any} */ event) => setAt(Number(event.target.value))} />
    </div>`;
}
