// Bars over time. Their figures are in the title of each, and a screen reader reads them as a list.
import { html } from "../html.js";

/** @param {{title: string, good: string, bad: string, bars: {label: string, value: number, bad: number, text: string}[]}} props */
export function Bars({ title, good, bad, bars }) {
  const most = Math.max(1, ...bars.map((bar) => bar.value));
  const every = Math.ceil(bars.length / 5);
  return html`<section class="card"><div class="row spread"><h2>${title}</h2>
      <p class="help legend"><span class="dot good"></span>${good}<span class="dot bad"></span>${bad}</p></div>
    <ul class="bars">${bars.map((bar, index) => html`<li key=${bar.label} title=${bar.text}>
      <span class="hidden">${bar.text}</span>
      <span class="column" aria-hidden="true" style=${{ height: `${(bar.value / most) * 100}%` }}>
        <span class="column-bad" style=${{ height: bar.value ? `${(bar.bad / bar.value) * 100}%` : "0" }}></span></span>
      <span class="tick-label" aria-hidden="true">${index % every === 0 ? bar.label : ""}</span></li>`)}</ul></section>`;
}
