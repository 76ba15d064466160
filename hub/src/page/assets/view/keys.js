// Everything can be done by keyboard.

import { address, setAddress } from '../state/address.js';
import { openHelp } from './help.js';
import { copyText } from './notices.js';
import { lists } from './rows.js';
import { showTab } from './tabs.js';

const PANES = ['needs', 'work', 'feed', 'lanes'];
let last = null;

const COMMANDS = {
  '/': () => focusFilter(),
  j: () => currentList()?.move(1),
  ArrowDown: () => currentList()?.move(1),
  k: () => currentList()?.move(-1),
  ArrowUp: () => currentList()?.move(-1),
  g: () => currentList()?.edge(false),
  G: () => currentList()?.edge(true),
  1: () => enter('needs'),
  2: () => enter('work'),
  3: () => enter(lists.has('feed') ? 'feed' : 'detail'),
  4: () => enter('lanes'),
  y: () => copy('command'),
  i: () => copy('id'),
  a: () => firstAction()?.focus(),
  t: () => document.querySelector('[data-theme-button]')?.click(),
  '?': openHelp,
};

/** Listens to keys as long as the page lives. */
export function listenToKeys() {
  document.addEventListener('keydown', pressed);
  document.addEventListener('focusin', (event) => {
    for (const [name, list] of lists) if (list.element.contains(event.target)) last = name;
  });
}

/** Gives the focus to a row of a pane. */
export function enter(name) {
  showTab(name);
  last = name;
  lists.get(name)?.focus();
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  // A dialog has its own keys, and Escape closes it.
  if (document.querySelector('dialog[open]')) return;
  if (event.key === 'Escape') return escape(event);
  if (isTyping(event.target)) {
    if (event.key === 'Enter' && event.target.id === 'filter') leaveFilter(event);
    return;
  }
  if (event.key === 'Enter') return open(event);
  const command = COMMANDS[event.key];
  if (!command || (event.key.startsWith('Arrow') && !isInList(event.target))) return;
  event.preventDefault();
  command();
}

function escape(event) {
  if (event.target.id === 'filter' && address.q) return setAddress({ q: '' });
  if (isTyping(event.target) && event.target.id === 'filter') return leaveFilter(event);
  if (!address.item) return undefined;
  const { item } = address;
  setAddress({ item: '', at: '' });
  return requestAnimationFrame(() => requestAnimationFrame(() => item && leaveItem()));
}

/** Returns the focus to where the item was opened from, unless the next key has given it to a field. */
function leaveItem() {
  if (!isTyping(document.activeElement)) enter(lists.has(last) ? last : 'work');
}

function open(event) {
  const list = [...lists.values()].find((one) => one.element.contains(event.target));
  if (!list || event.target.closest('button')) return;
  event.preventDefault();
  list.open();
}

function leaveFilter(event) {
  event.preventDefault();
  event.target.blur();
  currentList()?.focus();
}

function focusFilter() {
  const input = document.getElementById('filter');
  input?.focus();
  input?.select();
}

function currentList() {
  const focused = [...lists.values()].find((list) => list.element.contains(document.activeElement));
  if (focused) return focused;
  const remembered = lists.get(last);
  if (remembered && !remembered.isEmpty() && isShown(remembered)) return remembered;
  return PANES.map((name) => lists.get(name)).find((list) => list && !list.isEmpty() && isShown(list));
}

function isShown(list) {
  return list.element.offsetParent !== null;
}

function copy(what) {
  const text = currentList()?.copied()[what];
  if (text) copyText(text);
}

function firstAction() {
  const list = currentList();
  const inRow = list?.element.querySelector('.selected .act, [data-current] .act');
  return inRow ?? document.querySelector('.detail .act');
}

function isTyping(element) {
  return element.matches?.('input:not([type=range]), select, textarea') ?? false;
}

function isInList(element) {
  return [...lists.values()].some((list) => list.element.contains(element));
}
