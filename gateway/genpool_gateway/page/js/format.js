// Numbers, times and names for people, in the language of the page.
import { language, t } from "./language.js";

/** @param {string | null | undefined} iso @returns {string} */
export function moment(iso) {
  if (!iso) return "–";
  const date = new Date(iso);
  const today = new Date().toDateString() === date.toDateString();
  const options = /** @type {Intl.DateTimeFormatOptions} */ (
    today ? { timeStyle: "medium" } : { dateStyle: "medium", timeStyle: "short" });
  return new Intl.DateTimeFormat(language(), options).format(date);
}

/** To the minute. @param {string} iso @returns {string} */
export function minute(iso) {
  const date = new Date(iso);
  const today = new Date().toDateString() === date.toDateString();
  return new Intl.DateTimeFormat(language(), { ...(today ? {} : { dateStyle: "medium" }), timeStyle: "short", hourCycle: "h23" }).format(date);
}

/** The time of day in few letters; the day at midnight. @param {string} iso @returns {string} */
export function clock(iso) {
  const date = new Date(iso);
  const options = /** @type {Intl.DateTimeFormatOptions} */ (
    date.getHours() || date.getMinutes() ? { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } : { month: "short", day: "numeric" });
  return new Intl.DateTimeFormat(language(), options).format(date);
}

/** @param {string} day as 2026-03-01 @returns {string} */
export function day(day) {
  return new Intl.DateTimeFormat(language(), { month: "short", day: "numeric", timeZone: "UTC" }).format(new Date(day));
}

/** @param {string | null | undefined} iso @returns {string} */
export function ago(iso) {
  if (!iso) return "–";
  const seconds = (new Date(iso).getTime() - Date.now()) / 1000;
  const format = new Intl.RelativeTimeFormat(language(), { numeric: "auto" });
  const size = Math.abs(seconds);
  if (size < 60) return format.format(Math.round(seconds), "second");
  if (size < 3600) return format.format(Math.round(seconds / 60), "minute");
  if (size < 86_400) return format.format(Math.round(seconds / 3600), "hour");
  return format.format(Math.round(seconds / 86_400), "day");
}

/** @param {number | null | undefined} seconds @returns {string} */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 10) return t("seconds", { n: seconds.toFixed(1) });
  if (seconds < 120) return t("seconds", { n: Math.round(seconds) });
  if (seconds < 7200) return t("minutes", { n: Math.round(seconds / 60) });
  return t("hours", { n: number(seconds / 3600, 1) });
}

/** @param {number | null | undefined} value @param {number} [digits] @returns {string} */
export function number(value, digits = 0) {
  if (value === null || value === undefined) return "–";
  return new Intl.NumberFormat(language(), { maximumFractionDigits: digits }).format(value);
}

/** @param {number} value between 0 and 1 */
export function percent(value) {
  return new Intl.NumberFormat(language(), { style: "percent", maximumFractionDigits: 1 }).format(value);
}

/** @param {number} bytes @returns {string} */
export function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 ** 2) return `${number(bytes / 1024, 0)} KB`;
  return `${number(bytes / 1024 ** 2, 1)} MB`;
}

/** @param {string} name as `negative_prompt` or `NodeFailed` @returns {string} */
export function plainName(name) {
  const spaced = name.replaceAll("_", " ").replace(/([a-z])([A-Z])/g, "$1 $2");
  return spaced.charAt(0).toUpperCase() + spaced.slice(1).toLowerCase();
}

/** @param {unknown} value @returns {string} */
export function shown(value) {
  return typeof value === "string" ? value : String(value);
}
