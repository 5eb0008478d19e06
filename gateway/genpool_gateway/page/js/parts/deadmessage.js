// A message that is no task, as far as it may be shown: its body is not, as addresses in it may hold passwords.
import { html } from "../html.js";
import { moment, size } from "../format.js";
import { t } from "../language.js";
import { wordsOf } from "../problems.js";

/** @typedef {{reason: string | null, message: string | null, refused_at: string | null, task_id: string | null,
 *   workflow_type: string | null, size_bytes: number}} Message */

/** @param {{message: Message}} props */
export function AboutMessage({ message }) {
  const about = [message.task_id, message.workflow_type, size(message.size_bytes), message.refused_at && moment(message.refused_at)];
  return html`<p><strong>${message.reason ? wordsOf(message.reason).happened : t("intake.unknown")}</strong></p>
    ${message.message && html`<p>${message.message}</p>`}
    <p class="help">${about.filter(Boolean).join(" · ")}</p>`;
}
