// Tiles of one size in rows; only the rows near the window are in the page.
import { html, useEffect, useLayoutEffect, useRef, useState } from "../html.js";

const GAP = 14;
const BEYOND = 3;

/**
 * @template T
 * @param {{items: (T & {id: string})[], tile: {width: number, height: number}, label: string, draw: (item: T) => any, onEnd: () => void}} props
 */
export function Windowed({ items, tile, label, draw, onEnd }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const [seen, setSeen] = useState({ first: 0, last: 8, columns: 1 });
  const height = tile.height + GAP;
  const measure = () => {
    if (!box.current) return;
    const { top, width } = box.current.getBoundingClientRect();
    const columns = Math.max(2, Math.floor((width + GAP) / (tile.width + GAP)));
    const first = Math.max(0, Math.floor(-top / height) - BEYOND);
    const last = Math.ceil((innerHeight - top) / height) + BEYOND;
    setSeen((before) => (before.first === first && before.last === last && before.columns === columns ? before : { first, last, columns }));
  };
  useLayoutEffect(measure, [items.length]);
  useEffect(() => {
    addEventListener("scroll", measure, { passive: true });
    addEventListener("resize", measure);
    return () => { removeEventListener("scroll", measure); removeEventListener("resize", measure); };
  });
  const rows = Math.ceil(items.length / seen.columns);
  useEffect(() => { if (seen.last >= rows) onEnd(); }, [seen.last, rows, onEnd]);
  const first = Math.min(seen.first, Math.max(0, rows - 1));
  const drawn = items.slice(first * seen.columns, seen.last * seen.columns);
  return html`
    <div ref=${box} class="windowed" style=${{ height: `${Math.max(0, rows * height - GAP)}px` }}>
      <ul class="tiles" aria-label=${label} style=${{ transform: `translateY(${first * height}px)`,
        gridTemplateColumns: `repeat(${seen.columns}, minmax(0, 1fr))`, gridAutoRows: `${tile.height}px`, gap: `${GAP}px` }}>
        ${drawn.map((item, index) => html`<li key=${item.id} aria-setsize=${items.length}
          aria-posinset=${first * seen.columns + index + 1}>${draw(item)}</li>`)}
      </ul>
    </div>`;
}
