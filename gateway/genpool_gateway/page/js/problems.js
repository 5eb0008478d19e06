// Errors as sentences: what happened in the page's language, the gateway's own words, and what to do.
import { language, t } from "./language.js";
import { plainName } from "./format.js";
import { reasons as english } from "./words/reasons.en.js";
import { reasons as chinese } from "./words/reasons.zh.js";

/** @param {string} reason @returns {{happened: string, advice: string}} */
export function wordsOf(reason) {
  const [happened, advice] = (language() === "zh" ? chinese : english)[reason] ?? [plainName(reason), ""];
  return { happened, advice };
}

/** @param {import("./api.js").Problem} problem @returns {{title: string, detail: string, advice: string}} */
export function sentencesOf(problem) {
  if (problem.reason === "Unreachable") return { title: t("unreachable"), detail: "", advice: t("unreachable.do") };
  const { happened, advice } = wordsOf(problem.reason);
  return { title: happened, detail: sentence(problem.message), advice: problem.status === 422 ? "" : advice };
}

/** @param {string} text */
function sentence(text) {
  return text && text.charAt(0).toUpperCase() + text.slice(1);
}
