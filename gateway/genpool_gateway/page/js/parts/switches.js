// The language, and light or dark.
import { html, useState } from "../html.js";
import { LANGUAGES, language, t } from "../language.js";
import { setTheme, theme } from "../theme.js";
import { Button } from "./basics.js";
import { Icon } from "./icon.js";

/** @param {{onLanguage: (name: string) => void}} props */
export function Switches({ onLanguage }) {
  const [shown, setShown] = useState(theme());
  const other = shown === "dark" ? "light" : "dark";
  const turn = () => { setTheme(other); setShown(other); };
  return html`
    <label class="pick"><${Icon} name="language" /><span class="hidden">${t("language")}</span>
      <select value=${language()} onChange=${(/** @type {any} */ event) => onLanguage(event.target.value)}>
        ${Object.entries(LANGUAGES).map(([name, title]) => html`<option value=${name} lang=${name}>${title}</option>`)}
      </select></label>
    <${Button} icon=${other} kind="quiet" label=${t(`theme.${other}`)} onClick=${turn} />`;
}
