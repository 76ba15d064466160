// The title and the icon carry the number of what needs a person, for those who look at the tabs only.

import { page } from '../state/store.js';

let drawn = null;

/** Brings title and icon up to date. */
export function updateTitle() {
  const { state } = page.connection;
  const lost = state === 'disconnected' || state === 'refused';
  const number = page.stage === 'ready' ? page.needs.length : 0;
  const now = `${number} ${lost}`;
  if (now === drawn) return;
  drawn = now;
  document.title = `${number > 0 ? `(${number}) ` : ''}${lost ? 'disconnected – ' : ''}trueup`;
  document.getElementById('icon').href = `data:image/svg+xml,${encodeURIComponent(drawIcon(number, lost))}`;
}

function drawIcon(number, lost) {
  const ground = lost ? '#6b7280' : number > 0 ? '#b42318' : '#0f766e';
  const text = number > 99 ? '99' : String(number);
  const inside =
    number > 0
      ? `<text x="16" y="23" text-anchor="middle" font-family="sans-serif" font-weight="700" font-size="20" fill="#fff">${text}</text>`
      : '<path d="M7 12h18M7 20h18M16 7v18" stroke="#fff" stroke-width="3" stroke-linecap="round"/>';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="${ground}"/>${inside}</svg>`;
}
