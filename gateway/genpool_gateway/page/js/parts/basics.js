// Buttons, badges, errors and notes: what every page is made of.
import { html, useEffect, useRef, useState } from "../html.js";
import { t } from "../language.js";
import { sentencesOf } from "../problems.js";
import { Icon } from "./icon.js";

/** @typedef {import("../api.js").Problem} Problem */

/**
 * @param {{icon?: string, kind?: "main" | "quiet" | "danger", busy?: boolean, disabled?: boolean, label?: string,
 *   type?: "button" | "submit", onClick?: () => void, children?: any, pressed?: boolean, id?: string}} props
 */
export function Button({ icon, kind, busy, disabled, label, type = "button", onClick, children, pressed, id }) {
  return html`
    <button id=${id} type=${type} class=${`button ${kind ?? ""} ${children ? "" : "bare"}`} disabled=${disabled || busy}
      aria-busy=${busy ? "true" : undefined} aria-label=${label} title=${label} aria-pressed=${pressed} onClick=${onClick}>
      ${icon && html`<${Icon} name=${icon} />`}${children && html`<span>${children}</span>`}
    </button>`;
}

/** @param {{to: string, icon?: string, kind?: string, children?: any}} props */
export const LinkButton = ({ to, icon, kind, children }) => html`
  <a class=${`button ${kind ?? ""}`} href=${to}>${icon && html`<${Icon} name=${icon} />`}<span>${children}</span></a>`;

/** @param {{status: string}} props */
export const Badge = ({ status }) => html`<span class=${`badge ${status}`}>${t(`status.${status}`)}</span>`;

/** An error: what happened, and what to do. @param {{problem: Problem | null, onRetry?: () => void}} props */
export function Trouble({ problem, onRetry }) {
  if (!problem) return null;
  const { title, detail, advice } = sentencesOf(problem);
  return html`
    <div class="trouble" role="alert">
      <p><strong>${title}</strong></p>
      ${detail && html`<p>${detail}</p>`}
      ${advice && html`<p class="advice">${advice}</p>`}
      ${onRetry && html`<${Button} icon="replay" onClick=${onRetry}>${t("tryAgain")}</${Button}>`}
    </div>`;
}

/** @param {{title: string, children?: any}} props */
export const Empty = ({ title, children }) => html`
  <div class="empty"><p class="empty-title">${title}</p>${children}</div>`;

export const Waiting = () => html`<p class="waiting" role="status"><span class="spinner"></span>${t("loading")}</p>`;

/** A question before something that cannot be undone. */
/** @param {{title: string, text: string, action: string, onYes: () => void, onNo: () => void}} props */
export function Confirm({ title, text, action, onYes, onNo }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => dialog.current?.showModal(), []);
  return html`
    <dialog ref=${dialog} class="confirm" aria-labelledby="confirm-title" onClose=${onNo}>
      <h2 id="confirm-title">${title}</h2>
      <p>${text}</p>
      <div class="row end">
        <${Button} onClick=${onNo}>${t("no")}</${Button}>
        <${Button} kind="danger" onClick=${onYes}>${action}</${Button}>
      </div>
    </dialog>`;
}

/** A text to be copied. @param {{text: string}} props */
export function Copyable({ text }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return html`<span class="copyable"><code>${text}</code>
    <${Button} icon=${copied ? "check" : "copy"} kind="quiet" label=${t(copied ? "copied" : "copy")} onClick=${copy} /></span>`;
}

/** What was done, said once to eyes and to screen readers. */
/** @param {{text: string | null}} props */
export const Note = ({ text }) => html`<p class="note" role="status">${text}</p>`;
