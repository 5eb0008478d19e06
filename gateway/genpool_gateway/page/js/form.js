// From a JSON schema to what a form shows, and back to a task's parameters. Pure.

/**
 * @typedef {object} Schema
 * @property {string | string[]} [type]
 * @property {string} [title]
 * @property {string} [description]
 * @property {any} [default]
 * @property {any[]} [enum]
 * @property {number | bigint} [minimum]
 * @property {number | bigint} [maximum]
 * @property {number} [multipleOf]
 * @property {number} [minLength]
 * @property {number} [maxLength]
 * @property {string} [pattern]
 *
 * @typedef {object} Workflow
 * @property {string} name
 * @property {string[]} aliases
 * @property {string} description
 * @property {string[]} pools
 * @property {{properties: Record<string, Schema>, required: string[]}} parameters
 * @property {string[]} files
 * @property {number} timeout_seconds
 *
 * @typedef {{name: string, schema: Schema, required: boolean,
 *   kind: "file" | "choice" | "switch" | "range" | "integer" | "number" | "long" | "text" | "json"}} Field
 *
 * @typedef {Record<string, string | boolean>} Values
 */

const MOST_STEPS = 2000;
const LONG_TEXT = 1000;

/** @param {Workflow} workflow @returns {Field[]} */
export function fieldsOf(workflow) {
  const required = new Set(workflow.parameters.required);
  return Object.entries(workflow.parameters.properties).map(([name, schema]) => ({
    name, schema, required: required.has(name), kind: kindOf(name, schema, workflow.files),
  }));
}

/** @param {string} name @param {Schema} schema @param {string[]} files @returns {Field["kind"]} */
function kindOf(name, schema, files) {
  if (files.includes(name)) return "file";
  if (schema.enum) return "choice";
  const type = Array.isArray(schema.type) ? schema.type.find((each) => each !== "null") : schema.type;
  switch (type) {
    case "boolean": return "switch";
    case "integer": return isShort(schema) ? "range" : "integer";
    case "number": return "number";
    case "string": return (schema.maxLength ?? Infinity) >= LONG_TEXT ? "long" : "text";
    default: return "json";
  }
}

/** @param {Schema} schema */
function isShort({ minimum, maximum, multipleOf = 1 }) {
  if (minimum === undefined || maximum === undefined) return false;
  return (Number(maximum) - Number(minimum)) / multipleOf <= MOST_STEPS;
}

/** What a form begins with. @param {Field[]} fields @param {Record<string, any>} [given] @returns {Values} */
export function valuesOf(fields, given = {}) {
  return Object.fromEntries(fields.map(({ name, schema, kind }) => {
    const value = name in given ? given[name] : schema.default;
    if (kind === "switch") return [name, value === true];
    if (kind === "json") return [name, value === undefined ? "" : JSON.stringify(value)];
    return [name, value === undefined || value === null ? "" : String(value)];
  }));
}

/** What a task is sent with: a value that is empty and need not be there is left out. */
/** @param {Field[]} fields @param {Values} values @returns {Record<string, any>} */
export function parametersOf(fields, values) {
  /** @type {Record<string, any>} */
  const sent = {};
  for (const field of fields) {
    const value = values[field.name];
    if (value === "" && !(field.kind === "long" || field.kind === "text") ) continue;
    if (value === "" && (field.required || field.schema.minLength)) continue;
    sent[field.name] = read(field, value);
  }
  return sent;
}

/** @param {Field} field @param {string | boolean} value */
function read({ kind, schema }, value) {
  const text = String(value);
  if (kind === "choice") return schema.enum?.find((each) => String(each) === text);
  if (kind === "range" || kind === "integer") {
    const number = Number(text);
    return Number.isSafeInteger(number) ? number : BigInt(text);
  }
  if (kind === "number") return Number(text);
  if (kind === "json") return parsed(text);
  return value;
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A seed that JavaScript and the schema can say. @param {Schema} schema @param {() => number} [random] */
export function randomSeed(schema, random = Math.random) {
  const least = Number(schema.minimum ?? 0);
  const most = Math.min(Number(schema.maximum ?? 2 ** 32 - 1), 2 ** 32 - 1);
  return String(least + Math.floor(random() * (most - least + 1)));
}
