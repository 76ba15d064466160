// A list of which only the visible rows are in the document, with one selected row that has the focus.

import { html, useLayoutEffect, useMemo, useRef, useState } from '../vendor/htm-preact-3.1.1.js';

const BEYOND = 4;

/** The lists of the page by name, for the keyboard. */
export const lists = new Map();

/**
 * Draws `rows`. Each has a key by `keyOf` and a height by `heightOf`; `isHeading` rows cannot be
 * selected. `stick` keeps what is looked at in place when rows are added above it.
 */
export function Rows({ name, label, rows, keyOf, heightOf, isHeading = never, drawRow, open, copied, table, stick, empty }) {
  const box = useRef(null);
  const [view, setView] = useState({ top: 0, height: 800 });
  const [selected, setSelected] = useState(null);
  const wantsFocus = useRef(false);
  const offsets = useMemo(() => measure(rows, heightOf), [rows]);
  const total = offsets[rows.length];
  const chosen = indexOfKey(rows, keyOf, selected);
  const current = chosen >= 0 ? chosen : rows.findIndex((row) => !isHeading(row));

  useLayoutEffect(() => {
    const element = box.current;
    const resized = () => setView({ top: element.scrollTop, height: element.clientHeight });
    const observer = new ResizeObserver(resized);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const anchor = useRef({ key: null, offset: 0 });
  useLayoutEffect(() => {
    const element = box.current;
    if (stick && element.scrollTop > 2 && anchor.current.key !== null) {
      const at = indexOfKey(rows, keyOf, anchor.current.key);
      if (at >= 0) element.scrollTop = offsets[at] + anchor.current.offset;
    }
  }, [rows]);

  const scrolled = () => {
    const element = box.current;
    const first = indexAt(offsets, rows.length, element.scrollTop);
    if (rows[first]) {
      anchor.current = { key: keyOf(rows[first]), offset: element.scrollTop - offsets[first] };
    }
    setView({ top: element.scrollTop, height: element.clientHeight });
  };

  const select = (index, focus) => {
    wantsFocus.current = focus;
    setSelected(keyOf(rows[index]));
    show(box.current, offsets[index], offsets[index + 1]);
    scrolled();
  };

  useLayoutEffect(() => {
    if (!wantsFocus.current) return;
    wantsFocus.current = false;
    box.current.querySelector('[data-current]')?.focus({ preventScroll: true });
  });

  // Before the next key, which must not act on a row that is no longer the one in focus.
  useLayoutEffect(() => {
    lists.set(name, {
      element: box.current,
      focus: () => current >= 0 && select(current, true),
      move: (step) => {
        let next = chosen < 0 && !box.current.contains(document.activeElement) ? current : current + step;
        while (rows[next] && isHeading(rows[next])) next += Math.sign(step);
        if (rows[next]) select(next, true);
      },
      edge: (last) => {
        const order = rows.map((_, index) => index);
        const next = (last ? order.reverse() : order).find((index) => !isHeading(rows[index]));
        if (next !== undefined) select(next, true);
      },
      row: () => rows[current] ?? null,
      open: () => rows[current] && open?.(rows[current]),
      copied: () => (rows[current] && copied?.(rows[current])) || {},
      isEmpty: () => current < 0,
    });
    return () => lists.delete(name);
  });

  const from = Math.max(0, indexAt(offsets, rows.length, view.top) - BEYOND);
  const to = Math.min(rows.length, indexAt(offsets, rows.length, view.top + view.height) + 1 + BEYOND);
  const shown = [];
  for (let index = from; index < to; index += 1) shown.push(index);
  // The selected row keeps the focus, also when it was scrolled away.
  if (current >= 0 && current < from) shown.unshift(current);
  if (current >= to) shown.push(current);

  const lines = shown.map((index) => {
    const row = rows[index];
    const heading = isHeading(row);
    const isCurrent = index === current;
    return html`<div key=${keyOf(row)} class=${heading ? 'heading' : `row${chosen === index ? ' selected' : ''}`}
      role=${table ? 'row' : 'listitem'}
      aria-rowindex=${table ? index + 2 : undefined}
      aria-posinset=${table ? undefined : index + 1} aria-setsize=${table ? undefined : rows.length}
      aria-current=${chosen === index ? 'true' : undefined}
      data-current=${isCurrent ? '' : undefined} data-key=${keyOf(row)}
      tabindex=${heading ? undefined : isCurrent ? 0 : -1}
      style=${{ transform: `translateY(${offsets[index]}px)`, height: `${offsets[index + 1] - offsets[index]}px` }}
      onFocus=${heading ? undefined : () => chosen !== index && setSelected(keyOf(row))}
      onClick=${heading || !open ? undefined : () => open(row)}>${drawRow(row)}</div>`;
  });
  return html`<div class="scroll" ref=${box} onScroll=${scrolled}>
    ${rows.length === 0 && html`<p class="empty">${empty}</p>`}
    <div class="tall" role=${table ? 'rowgroup' : rows.length ? 'list' : undefined}
      aria-label=${table || !rows.length ? undefined : label} style=${{ height: `${total}px` }}>${lines}</div>
  </div>`;
}

function never() {
  return false;
}

function measure(rows, heightOf) {
  const offsets = new Float64Array(rows.length + 1);
  for (let index = 0; index < rows.length; index += 1) {
    offsets[index + 1] = offsets[index] + heightOf(rows[index]);
  }
  return offsets;
}

function indexOfKey(rows, keyOf, key) {
  return key === null ? -1 : rows.findIndex((row) => keyOf(row) === key);
}

/** Finds the row at a height, by halving. */
function indexAt(offsets, length, height) {
  let [low, high] = [0, Math.max(0, length - 1)];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (offsets[middle] <= height) low = middle;
    else high = middle - 1;
  }
  return low;
}

function show(element, top, bottom) {
  if (top < element.scrollTop) element.scrollTop = top;
  else if (bottom > element.scrollTop + element.clientHeight) element.scrollTop = bottom - element.clientHeight;
}
