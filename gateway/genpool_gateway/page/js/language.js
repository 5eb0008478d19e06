// The page's words. A dictionary for each language; a text may have a form for one and a form for all other numbers.
import { en } from "./words/en.js";
import { zh } from "./words/zh.js";
import { read, write } from "./kept.js";

/** @typedef {string | [string, string]} Word */
/** @type {Record<string, Record<string, Word>>} */
const WORDS = { en, zh };
/** @type {Record<string, string>} */
export const LANGUAGES = { en: "English", zh: "中文" };

let current = chosen();

/** The browser's language, unless another one was chosen here. */
function chosen() {
  const kept = read("language");
  if (kept && kept in WORDS) return kept;
  const wanted = navigator.languages.map((each) => each.toLowerCase().split("-")[0]);
  return wanted.find((each) => each in WORDS) ?? "en";
}

export const language = () => current;

/** @param {string} name */
export function setLanguage(name) {
  current = name;
  write("language", name);
  document.documentElement.lang = name === "zh" ? "zh-CN" : name;
}

/** @param {string} key @param {Record<string, string | number>} [values] @returns {string} */
export function t(key, values = {}) {
  const word = WORDS[current][key] ?? en[key] ?? key;
  const form = Array.isArray(word) ? word[Number(values.n) === 1 ? 0 : 1] : word;
  return form.replace(/\{(\w+)\}/g, (_whole, name) => String(values[name] ?? ""));
}

/** Whether there is a word. @param {string} key */
export const knows = (key) => key in WORDS[current];
