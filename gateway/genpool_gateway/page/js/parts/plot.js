// A plot over even steps. A gap is what is not known. Pointer, touch and arrow keys read the values at a time.
import { html } from "../html.js";
import { clock, minute } from "../format.js";
import { t } from "../language.js";
import { areaOf, heightOf, latestOf, lineOf, marksOf, ticksOf, topOf } from "../plotshape.js";

/**
 * @typedef {object} Series
 * @property {string} name
 * @property {string} look class: its colour, and how it is drawn
 * @property {"line" | "area" | "bars"} kind
 * @property {(number | null)[]} values
 */

/**
 * @param {{title: string, times: string[], series: Series[], seconds?: boolean, format: (value: number | null) => string,
 *   at: number | null, onAt: (at: number | null) => void, note?: any}} props `at`: the step that is read, in all plots
 */
export function Plot({ title, times, series, seconds = false, format, at, onAt, note }) {
  const all = series.map((each) => each.values);
  const known = all.some((values) => values.some((value) => value !== null));
  const top = topOf(all, seconds);
  const read = at ?? latestOf(all);
  const said = series.map((each) => `${each.name} ${format(each.values[read] ?? null)}`).join(", ");
  return html`<section class="card plot"><div class="row spread"><h3>${title}</h3>
      <span class="help" aria-hidden="true">${known && minute(times[read])}</span></div>
    <ul class="legend" aria-hidden="true">${series.map((each) => html`<li key=${each.name}><span class=${`swatch ${each.look}`}></span>${each.name}
      <strong>${format(each.values[read] ?? null)}</strong></li>`)}</ul>
    <div class="plot-box"><div class="plot-scale" aria-hidden="true">${ticksOf(top).map((tick) => html`
        <span key=${tick} style=${{ top: `${heightOf(tick, top)}%` }}>${tick === 0 ? "0" : format(tick)}</span>`)}</div>
      <div class="plot-area" tabindex="0" role="slider" aria-label=${title} aria-valuemin="0" aria-valuemax=${times.length - 1} aria-valuenow=${read}
        aria-valuetext=${known ? `${minute(times[read])}: ${said}` : t("history.none")}
        onPointerMove=${(/** @type {any} */ event) => onAt(stepAt(event, times.length))} onPointerDown=${(/** @type {any} */ event) => onAt(stepAt(event, times.length))}
        onPointerLeave=${() => onAt(null)} onBlur=${() => onAt(null)}
        onKeyDown=${(/** @type {KeyboardEvent} */ event) => { const next = moved(event.key, read, times.length); if (next !== null) { event.preventDefault(); onAt(next); } }}>
        <svg viewBox=${`0 0 ${times.length} 100`} preserveAspectRatio="none" aria-hidden="true" focusable="false">
          ${ticksOf(top).map((tick) => html`<path class="grid" d=${`M0 ${heightOf(tick, top)}H${times.length}`} />`)}
          ${series.map((each) => html`<${Drawn} key=${each.name} series=${each} top=${top} />`)}
          ${at !== null && html`<path class="cursor" d=${`M${at + 0.5} 0V100`} />`}
        </svg>
        ${!known && html`<p class="plot-none">${t("history.none")}</p>`}
      </div>
      <div class="plot-times" aria-hidden="true">${marksOf(times).map((index) => html`
        <span key=${index} style=${{ left: `${((index + 0.5) / times.length) * 100}%` }}>${clock(times[index])}</span>`)}</div></div>
    ${note && html`<p class="help">${note}</p>`}
  </section>`;
}

/** @param {{series: Series, top: number}} props */
function Drawn({ series: { kind, look, values }, top }) {
  if (kind !== "bars") return html`${kind === "area" && html`<path class=${`area ${look}`} d=${areaOf(values, top)} />`}<path class=${`line ${look}`} d=${lineOf(values, top)} />`;
  return html`<g class=${`bar-columns ${look}`}>${values.map((value, index) => (value
    ? html`<rect x=${index + 0.08} width="0.84" y=${heightOf(value, top)} height=${100 - heightOf(value, top)} />` : null))}</g>`;
}

/** @param {PointerEvent} event @param {number} count */
function stepAt(event, count) {
  const { left, width } = /** @type {HTMLElement} */ (event.currentTarget).getBoundingClientRect();
  return Math.min(count - 1, Math.max(0, Math.floor(((event.clientX - left) / width) * count)));
}

/** Where a key leads; null: it leads nowhere. @param {string} key @param {number} at @param {number} count @returns {number | null} */
export function moved(key, at, count) {
  const far = Math.max(1, Math.round(count / 10));
  /** @type {Record<string, number>} */
  const places = { ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1, PageDown: at - far, PageUp: at + far, Home: 0, End: count - 1 };
  return key in places ? Math.min(count - 1, Math.max(0, places[key])) : null;
}
