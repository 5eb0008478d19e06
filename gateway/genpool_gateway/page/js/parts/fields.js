// A field of a form, as its schema says: bounds, choices, defaults, help.
import { html } from "../html.js";
import { randomSeed } from "../form.js";
import { t } from "../language.js";
import { Button } from "./basics.js";
import { helpOf, labelOf } from "./labels.js";

/** @typedef {import("../form.js").Field} Field */
/** @typedef {{field: Field, value: string | boolean, onChange: (value: string | boolean) => void, wrong?: string | null}} Props */

/** @param {Props} props */
export function FormField({ field, value, onChange, wrong }) {
  const { name, schema } = field;
  const id = `field-${name}`;
  const help = helpOf(schema.description);
  const Input = INPUTS[field.kind] ?? Text;
  const described = [help && `${id}-help`, wrong && `${id}-wrong`].filter(Boolean).join(" ") || undefined;
  return html`
    <div class=${`field of-${field.kind} ${wrong ? "wrong" : ""}`}>
      <label class="name" for=${id}>${labelOf(name, schema.title)}${!field.required && field.kind === "text" && schema.default === undefined
        ? html` <span class="optional">${t("optional")}</span>` : null}</label>
      <${Input} field=${field} id=${id} value=${value} onChange=${onChange} described=${described} />
      ${help && html`<p class="help" id=${`${id}-help`}>${help}</p>`}
      ${wrong && html`<p class="wrong-text" id=${`${id}-wrong`}>${wrong}</p>`}
    </div>`;
}

/** @typedef {{field: Field, id: string, value: any, onChange: (value: any) => void, described?: string}} InputProps */

/** @param {InputProps} props */
function Text({ field, id, value, onChange, described }) {
  return html`<input id=${id} type="text" value=${value} required=${field.required} minlength=${field.schema.minLength}
    maxlength=${field.schema.maxLength} aria-describedby=${described} onInput=${valueTo(onChange)} />`;
}

/** @param {InputProps} props */
function Long({ field, id, value, onChange, described }) {
  return html`<textarea id=${id} rows=${field.required ? 4 : 2} required=${field.required} maxlength=${field.schema.maxLength}
    aria-describedby=${described} value=${value} onInput=${valueTo(onChange)}></textarea>`;
}

/** @param {InputProps} props */
function Whole({ field, id, value, onChange, described }) {
  const { schema } = field;
  const dice = field.name.endsWith("seed");
  return html`<div class="row tight">
    <input id=${id} type="text" inputmode="numeric" pattern="-?[0-9]+" value=${value} required=${field.required}
      aria-describedby=${described} onInput=${valueTo(onChange)} />
    ${dice && html`<${Button} icon="dice" onClick=${() => onChange(randomSeed(schema))}>${t("random")}</${Button}>`}
  </div>`;
}

/** @param {InputProps} props */
function Range({ field, id, value, onChange, described }) {
  const { minimum, maximum, multipleOf = 1 } = field.schema;
  const bounds = { min: String(minimum), max: String(maximum), step: String(multipleOf) };
  return html`<div class="row tight">
    <input type="range" ...${bounds} value=${value} aria-label=${labelOf(field.name, field.schema.title)} onInput=${valueTo(onChange)} />
    <input id=${id} class="short" type="number" ...${bounds} value=${value} required=${field.required}
      aria-describedby=${described} onInput=${valueTo(onChange)} />
  </div>`;
}

/** @param {InputProps} props */
function Decimal({ field, id, value, onChange, described }) {
  const { minimum, maximum, multipleOf } = field.schema;
  return html`<input id=${id} type="number" min=${minimum} max=${maximum} step=${multipleOf ?? "any"} value=${value}
    required=${field.required} aria-describedby=${described} onInput=${valueTo(onChange)} />`;
}

/** @param {InputProps} props */
function Choice({ field, id, value, onChange, described }) {
  return html`<select id=${id} required=${field.required} aria-describedby=${described} value=${value} onChange=${valueTo(onChange)}>
    ${!field.required && field.schema.default === undefined && html`<option value=""></option>`}
    ${(field.schema.enum ?? []).map((each) => html`<option value=${String(each)}>${String(each)}</option>`)}
  </select>`;
}

/** @param {InputProps} props */
function Switch({ id, value, onChange, described }) {
  return html`<input id=${id} type="checkbox" class="switch" checked=${value} aria-describedby=${described}
    onChange=${(/** @type {any} */ event) => onChange(event.target.checked)} />`;
}

/** @type {Record<string, any>} */
const INPUTS = { text: Text, long: Long, integer: Whole, range: Range, number: Decimal, choice: Choice, switch: Switch, json: Long };

/** @param {(value: string) => void} onChange */
const valueTo = (onChange) => (/** @type {any} */ event) => onChange(event.target.value);
