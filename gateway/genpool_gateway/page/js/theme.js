// Light or dark: as the system says, unless one was chosen here.
import { read, write } from "./kept.js";

/** @returns {"light" | "dark"} */
export function theme() {
  const kept = read("theme");
  if (kept === "light" || kept === "dark") return kept;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** @param {"light" | "dark"} name */
export function setTheme(name) {
  write("theme", name);
  document.documentElement.dataset.theme = name;
}
