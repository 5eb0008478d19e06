// The form of a workflow, and the sending of what was filled in: one task, or one for each photo.
import { html, useEffect, useMemo, useState } from "../html.js";
import { get, Problem } from "../api.js";
import { fieldsOf, parametersOf, valuesOf } from "../form.js";
import { read, write } from "../kept.js";
import { t } from "../language.js";
import { submit, upload } from "../tasks.js";
import { useLoaded } from "../load.js";
import { Button, Note, Trouble } from "./basics.js";
import { FormField } from "./fields.js";
import { Photos } from "./photos.js";

/** @typedef {import("../form.js").Workflow} Workflow */
/** @typedef {{name: string, state: "waits" | "sends" | "sent" | "failed", problem?: Problem}} Sending */

const AT_ONCE = 2;

/**
 * @param {{workflow: Workflow, pool: string, given?: Record<string, any>, kept: string | null,
 *   session: import("../api.js").Session, onSent: (id: string) => void}} props
 */
export function CreateForm({ workflow, pool, given, kept, session, onSent }) {
  const fields = useMemo(() => fieldsOf(workflow), [workflow]);
  const draft = `draft.${session.id}.${workflow.name}`;
  const [values, setValues] = useState(() => valuesOf(fields, given ?? drafted(draft)));
  const [files, setFiles] = useState(/** @type {Record<string, File[]>} */ ({}));
  const [sending, setSending] = useState(/** @type {Sending[]} */ ([]));
  const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState(/** @type {string | null} */ (null));
  const pools = useLoaded(() => get("/v1/pools"), []);
  const limits = (pools.data?.pools ?? []).find((/** @type {any} */ each) => each.name === pool)?.limits;
  useEffect(() => {
    const timer = setTimeout(() => write(draft, JSON.stringify(values)), 300);
    return () => clearTimeout(timer);
  }, [values, draft]);

  const photoField = fields.find((field) => field.kind === "file");
  const count = photoField ? Math.max(1, (files[photoField.name] ?? []).length) : 1;
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const missing = fields.find((field) => field.kind === "file" && field.required
      && !values[field.name] && !(files[field.name] ?? []).length);
    if (missing) {
      setProblem(new Problem({ status: 422, reason: "InvalidRequest", detail: t("drop.missing"), parameter: `parameters.${missing.name}` }));
      return;
    }
    setBusy(true);
    setProblem(null);
    setSaid(null);
    const items = itemsOf(fields, values, files);
    /** @type {Sending[]} */
    const states = items.map(({ name }) => ({ name, state: "waits" }));
    const tell = () => setSending([...states]);
    tell();
    /** @type {string[]} */
    const made = [];
    await inTurn(items, async (item, index) => {
      states[index].state = "sends";
      tell();
      try {
        const parameters = { ...item.parameters };
        for (const [name, file] of Object.entries(item.files)) parameters[name] = await upload(pool, file);
        // What a person calls the photo: an upload's own name is ASCII.
        const metadata = item.name ? { metadata: { file: item.name } } : {};
        const task = await submit({ pool, workflow: workflow.name, parameters, ...metadata }, item.key);
        states[index].state = "sent";
        made.push(task.id);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        states[index] = { ...states[index], state: "failed", problem: error };
        setProblem(error);
      }
      tell();
    });
    setBusy(false);
    if (made.length) {
      if (photoField) keepFailed(states, photoField.name, files, setFiles);
      // The next form begins with this one, also where the address changes now.
      write(draft, JSON.stringify(values));
      setSaid(t("sent", { n: made.length }));
      onSent(made[0]);
    }
    if (states.every((each) => each.state === "sent")) setSending([]);
  };
  const wrongOf = (/** @type {string} */ name) =>
    problem?.parameter && problem.parameter.split(".").includes(name) ? problem.message : null;
  return html`
    <form class="card stack" onSubmit=${send} aria-label=${workflow.name}>
      ${fields.map((field) => (field.kind === "file"
        ? html`<${Photos} key=${field.name} field=${field} value=${values[field.name]} files=${files[field.name] ?? []}
            several=${field === photoField} kept=${kept} most=${limits?.max_input_bytes ?? null} wrong=${wrongOf(field.name)}
            onFiles=${(/** @type {File[]} */ found) => setFiles({ ...files, [field.name]: found })}
            onValue=${(/** @type {string} */ value) => setValues({ ...values, [field.name]: value })} />`
        : html`<${FormField} key=${field.name} field=${field} value=${values[field.name]} wrong=${wrongOf(field.name)}
            onChange=${(/** @type {any} */ value) => setValues({ ...values, [field.name]: value })} />`))}
      ${sending.length > 1 && html`<ol class="sending" aria-live="polite">${sending.map((each) => html`
        <li class=${each.state}><span>${each.name}</span><span class="help">${t(`sending.${each.state}`)}</span></li>`)}</ol>`}
      <${Trouble} problem=${problem} />
      <div class="row">
        <${Button} id="send" type="submit" kind="main" icon="create" busy=${busy}>${count > 1 ? t("send.several", { n: count }) : t("send")}</${Button}>
        <${Button} kind="quiet" onClick=${() => { setValues(valuesOf(fields)); setFiles({}); setProblem(null); }}>${t("reset")}</${Button}>
      </div>
      <${Note} text=${said} />
    </form>`;
}

/** @param {string} name */
function drafted(name) {
  try {
    return JSON.parse(read(name) ?? "{}");
  } catch {
    return {};
  }
}

/** One item for each task that is to be sent. */
/** @param {import("../form.js").Field[]} fields @param {import("../form.js").Values} values @param {Record<string, File[]>} files */
function itemsOf(fields, values, files) {
  const parameters = parametersOf(fields, values);
  const [first, ...rest] = fields.filter((field) => field.kind === "file" && (files[field.name] ?? []).length);
  const others = Object.fromEntries(rest.map((field) => [field.name, files[field.name][0]]));
  const key = () => crypto.randomUUID();
  if (!first) return [{ name: "", parameters, files: others, key: key() }];
  return files[first.name].map((file) => ({
    name: file.name, parameters, files: { ...others, [first.name]: file }, key: key(),
  }));
}

/** @template T @param {T[]} items @param {(item: T, index: number) => Promise<void>} act */
async function inTurn(items, act) {
  let next = 0;
  const lane = async () => {
    while (next < items.length) {
      const index = next++;
      await act(items[index], index);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

/** Photos that were sent leave the form; the others stay, to be sent again. */
/** @param {Sending[]} states @param {string} name @param {Record<string, File[]>} files @param {(files: Record<string, File[]>) => void} set */
function keepFailed(states, name, files, set) {
  if (!(files[name] ?? []).length) return;
  set({ ...files, [name]: files[name].filter((_file, index) => states[index].state === "failed") });
}
