// What a screen reader is told without asking: that more needs a person, and that the page is cut off.
// Never each event.

import { page } from '../state/store.js';
import { count } from '../text/format.js';

const PAUSE = 8_000;
let told = { needs: 0, state: 'starting' };
let timer = null;

/** Looks whether there is something to say, and says it at most every few seconds. */
export function announceChanges() {
  const region = document.getElementById('announcer');
  if (timer !== null || region === null || page.stage !== 'ready') return;
  const lines = [];
  if (page.needs.length > told.needs) lines.push(`${count(page.needs.length, 'thing')} need${page.needs.length === 1 ? 's' : ''} you`);
  if (page.connection.state !== told.state && told.state !== 'starting') lines.push(`The page is ${page.connection.state}`);
  told = { needs: page.needs.length, state: page.connection.state };
  if (lines.length === 0) return;
  region.textContent = lines.join('. ');
  timer = setTimeout(() => {
    timer = null;
    announceChanges();
  }, PAUSE);
}
