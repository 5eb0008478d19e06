// Small pictures, drawn by lines of 24 by 24.
import { html } from "../html.js";

/** @type {Record<string, string>} */
const PATHS = {
  create: "M12 3l1.9 5.1L19 10l-5.1 1.9L12 17l-1.9-5.1L5 10l5.1-1.9zM19 16v5M16.5 18.5h5",
  gallery: "M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z",
  pools: "M4 4h16v6H4zM4 14h16v6H4zM8 7h.010M8 17h.010",
  dead: "M12 3l9.5 17h-19zM12 10v4M12 17h.010",
  usage: "M4 20V10M10 20V4M16 20v-7M21 20H3",
  keys: "M14 10a4 4 0 1 0-3.6 4L12 16h2v2h2v2h4v-3l-6.2-6.2z",
  light: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6L19 19M19 5l-1.4 1.4M6.4 17.6L5 19",
  dark: "M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z",
  language: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18",
  out: "M14 4h5v16h-5M10 8l-4 4 4 4M6 12h9",
  download: "M12 4v11M7.5 11L12 15.5 16.5 11M4 20h16",
  upload: "M12 16V5M7.5 9L12 4.5 16.5 9M4 20h16",
  trash: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13",
  replay: "M4 12a8 8 0 1 0 2.5-5.8M4 4v4.5h4.5",
  again: "M4 20l4-1L19 8l-3-3L5 16zM13.5 7.5l3 3",
  close: "M6 6l12 12M18 6L6 18",
  dice: "M5 4h14a1 1 0 0 1 1 1v14a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1zM8.5 8.5h.010M15.5 8.5h.010M12 12h.010M8.5 15.5h.010M15.5 15.5h.010",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5L20 20",
  check: "M5 12.5l4.5 4.5L19 7.5",
  open: "M9 5l7 7-7 7",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  clock: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v5l3.5 2",
};

/** @param {{name: string}} props */
export const Icon = ({ name }) => html`
  <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d=${PATHS[name]} /></svg>`;

const MARK = new URL("../../icon.svg", import.meta.url).href;

/** The mark of GenPool. */
export const Mark = () => html`<img src=${MARK} alt="" width="28" height="28" />`;
