// Names and help of parameters: in the page's words where the workflow is a shipped one, else as the workflow says.
import { plainName } from "../format.js";
import { knows, t } from "../language.js";

/** @param {string} name @param {string} [title] @returns {string} */
export const labelOf = (name, title) => (knows(`field.${name}`) ? t(`field.${name}`) : (title ?? plainName(name)));

/** @param {string | undefined} text @returns {string} */
export const helpOf = (text) => (text && knows(`help.${text}`) ? t(`help.${text}`) : (text ?? ""));
