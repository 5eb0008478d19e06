// Photos that are dragged in, chosen or pasted, each a task of its own; or a link to one.
import { html, useEffect, useMemo, useRef, useState } from "../html.js";
import { size } from "../format.js";
import { t } from "../language.js";
import { isUpload } from "../tasks.js";
import { Button } from "./basics.js";
import { Icon } from "./icon.js";
import { helpOf, labelOf } from "./labels.js";

/** Images that workers read; a phone that keeps others turns them into one of these when it is asked for them. */
export const IMAGE_TYPES = ["image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp"];

/**
 * @param {{field: import("../form.js").Field, value: string, files: File[], several: boolean, kept: string | null,
 *   most: number | null, onFiles: (files: File[]) => void, onValue: (value: string) => void, wrong?: string | null}} props
 */
export function Photos({ field, value, files, several, kept, most, onFiles, onValue, wrong }) {
  const id = `field-${field.name}`;
  const [over, setOver] = useState(false);
  const [odd, setOdd] = useState("");
  const picker = useRef(/** @type {HTMLInputElement | null} */ (null));
  const add = (/** @type {Iterable<File>} */ found) => {
    const all = [...found];
    const images = all.filter((file) => IMAGE_TYPES.includes(file.type));
    setOdd(all.filter((file) => !images.includes(file)).map((file) => file.name).join(", "));
    if (images.length) onFiles(several ? [...files, ...images] : images.slice(0, 1));
  };
  const drop = (/** @type {DragEvent} */ event) => {
    event.preventDefault();
    setOver(false);
    add(event.dataTransfer?.files ?? []);
  };
  useEffect(() => {
    const paste = (/** @type {ClipboardEvent} */ event) => add(event.clipboardData?.files ?? []);
    addEventListener("paste", paste);
    return () => removeEventListener("paste", paste);
  });
  const held = isUpload(value) ? value : null;
  return html`
    <div class=${`field ${wrong ? "wrong" : ""}`} role="group" aria-labelledby=${`${id}-name`}>
      <span class="name" id=${`${id}-name`}>${labelOf(field.name, field.schema.title)}</span>
      <div class=${`drop ${over ? "over" : ""}`} onDragOver=${(/** @type {Event} */ event) => { event.preventDefault(); setOver(true); }}
        onDragLeave=${() => setOver(false)} onDrop=${drop}>
        <${Icon} name="upload" />
        <p>${t(several ? "drop.several" : "drop.one")}</p>
        <${Button} onClick=${() => picker.current?.click()}>${t("drop.choose")}</${Button}>
        <input ref=${picker} id=${id} class="hidden" type="file" accept=${IMAGE_TYPES.join(",")} multiple=${several} tabindex="-1"
          aria-label=${labelOf(field.name, field.schema.title)}
          onChange=${(/** @type {any} */ event) => { add(event.target.files); event.target.value = ""; }} />
      </div>
      ${files.length > 0 && html`<ul class="photos">${files.map((file, index) => html`
        <${Photo} key=${`${file.name} ${file.size} ${index}`} file=${file} most=${most}
          onRemove=${() => onFiles(files.filter((each) => each !== file))} />`)}</ul>`}
      ${held && files.length === 0 && html`<ul class="photos"><li>
        ${kept && html`<img src=${kept} alt="" />`}<span>${held.split("/").pop()}</span>
        <${Button} icon="close" kind="quiet" label=${t("remove")} onClick=${() => onValue("")} /></li></ul>`}
      ${files.length === 0 && !held && html`<label class="link"><span class="help">${t("drop.link")}</span>
        <input type="url" value=${value} placeholder="https://…" maxlength=${field.schema.maxLength}
          onInput=${(/** @type {any} */ event) => onValue(event.target.value)} /></label>`}
      ${files.length === 0 && !held && html`<p class="help">${helpOf(field.schema.description)}</p>`}
      ${odd && html`<p class="wrong-text" role="alert">${t("drop.odd", { names: odd })}</p>`}
      ${wrong && html`<p class="wrong-text">${wrong}</p>`}
    </div>`;
}

/** @param {{file: File, most: number | null, onRemove: () => void}} props */
function Photo({ file, most, onRemove }) {
  const url = useMemo(() => URL.createObjectURL(file), [file]);
  useEffect(() => () => URL.revokeObjectURL(url), [url]);
  const large = most !== null && file.size > most;
  return html`<li class=${large ? "wrong" : ""}><img src=${url} alt="" /><span>${file.name}
      <span class="help">${large ? t("drop.large", { most: size(most) }) : size(file.size)}</span></span>
    <${Button} icon="close" kind="quiet" label=${t("removeNamed", { name: file.name })} onClick=${onRemove} /></li>`;
}
