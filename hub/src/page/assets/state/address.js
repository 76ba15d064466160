// The address is the state: what is filtered and which item is open, for reloads, links and the back button.

import { cleanText } from '../text/clean.js';
import { changed } from './store.js';

const NAMES = ['q', 'repo', 'parent', 'kind', 'item', 'at'];

/** The filters and the open item. */
export const address = read();

/** Changes some of it. Opening an item is a step that the back button undoes; typing is not. */
export function setAddress(changes) {
  const step = 'item' in changes && changes.item !== address.item;
  Object.assign(address, changes);
  const query = new URLSearchParams();
  for (const name of NAMES) if (address[name]) query.set(name, address[name]);
  const text = query.toString();
  const url = text ? `${location.pathname}?${text}` : location.pathname;
  if (step) history.pushState(null, '', url);
  else history.replaceState(null, '', url);
  changed();
}

function read() {
  const query = new URLSearchParams(location.search);
  return Object.fromEntries(NAMES.map((name) => [name, cleanText((query.get(name) || '').slice(0, 300))]));
}

addEventListener('popstate', () => {
  Object.assign(address, read());
  changed();
});
