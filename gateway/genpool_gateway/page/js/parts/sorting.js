// Tables that are sorted by a column: the order is in the address.
import { html } from "../html.js";

/** What is not known comes last. @param {string | number | null} one @param {string | number | null} other */
export function compare(one, other) {
  if (one === other) return 0;
  if (one === null) return 1;
  if (other === null) return -1;
  return typeof one === "string" ? one.localeCompare(String(other)) : one - Number(other);
}

/** @param {{name: string, sort: string, label: string, numeric: boolean, to: (sort: string) => string}} props */
export function SortHead({ name, sort, label, numeric, to }) {
  const up = sort === name;
  const down = sort === `-${name}`;
  return html`<th scope="col" class=${numeric ? "figure" : ""} aria-sort=${up ? "ascending" : down ? "descending" : "none"}>
    <a class="sort" href=${to(numeric ? (down ? name : `-${name}`) : (up ? `-${name}` : name))}>${label}<span aria-hidden="true">${up ? " ↑" : down ? " ↓" : ""}</span></a></th>`;
}
