// JSON whose integers keep all their digits: a seed may be larger than a JavaScript number can say.

/** @param {string} text @returns {any} */
export function parse(text) {
  return JSON.parse(text, (/** @type {string} */ _name, /** @type {any} */ value, /** @type {any[]} */ ...rest) => {
    if (typeof value !== "number" || !Number.isInteger(value) || Number.isSafeInteger(value)) return value;
    /** @type {string | undefined} */
    const source = rest[0]?.source;
    return source && /^-?\d+$/.test(source) ? BigInt(source) : value;
  });
}

/** @param {unknown} value @param {number} [indent] @returns {string} */
export function stringify(value, indent) {
  const raw = /** @type {{rawJSON?: (text: string) => unknown}} */ (/** @type {unknown} */ (JSON)).rawJSON;
  return JSON.stringify(
    value,
    (_name, each) => (typeof each === "bigint" ? (raw ? raw(String(each)) : Number(each)) : each),
    indent,
  );
}
