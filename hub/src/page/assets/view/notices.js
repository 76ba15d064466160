// What the page says for a moment: to eyes in a corner, to screen readers in one polite region.

import { html, useEffect, useState } from '../vendor/htm-preact-3.1.1.js';
import { clip } from '../text/clean.js';

const SHOWN = 5_000;
const WITH_BUTTON = 20_000;

let notices = [];
let number = 0;
let draw = () => {};

/** Shows a line, with a button when `action` is `{ label, run }`. */
export function notify(text, { tone = 'calm', action = null } = {}) {
  const notice = { id: ++number, text, tone, action };
  notices = [...notices.slice(-2), notice];
  draw(number);
  setTimeout(() => dismiss(notice.id), action ? WITH_BUTTON : SHOWN);
}

/** Copies a text and says so. */
export async function copyText(text) {
  const copied = await writeClipboard(text);
  notify(copied ? `Copied ${clip(text, 80)}` : 'The browser did not let the page copy', {
    tone: copied ? 'calm' : 'bad',
  });
}

/** The notices. Their region is always there, so that screen readers know it. */
export function Notices() {
  const [, again] = useState(0);
  useEffect(() => {
    draw = again;
  }, []);
  return html`<div class="notices" role="status" aria-live="polite">
    ${notices.map(
      (notice) => html`<div class=${`notice ${notice.tone}`} key=${notice.id}>
        <bdi>${clip(notice.text, 300)}</bdi>
        ${notice.action &&
        html`<button type="button" class="plain" onClick=${() => press(notice)}>${notice.action.label}</button>`}
      </div>`,
    )}
  </div>`;
}

function press(notice) {
  dismiss(notice.id);
  notice.action.run();
}

function dismiss(id) {
  notices = notices.filter((notice) => notice.id !== id);
  draw(-id);
}

async function writeClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyOldWay(text);
  }
}

/** Works where the browser gives no clipboard to pages, as without TLS. */
function copyOldWay(text) {
  const focused = document.activeElement;
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'unseen';
  (document.querySelector('dialog[open]') || document.body).append(area);
  area.select();
  const copied = document.execCommand('copy');
  area.remove();
  focused?.focus();
  return copied;
}
